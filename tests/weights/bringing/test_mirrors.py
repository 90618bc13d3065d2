"""Mirrors: folders and addresses that are asked in turn before the one that published the file."""

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from faulty_server import File, Server, closed_address, serving, status
from sample_weights import CONTENT, FILE, NAME, OTHER, PAGE, PATH, SOME, WHOLE, file_at, left_in

from hati.errors import WeightsUnavailable
from hati.tools import download
from hati.tools.download import DownloadError
from hati.weights.bringing import mirrors, store


@pytest.fixture(autouse=True)
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download, "FIRST_WAIT_SECONDS", 0.01)


@pytest.fixture
def publisher() -> Iterator[Server]:
    with serving({PATH: FILE}) as server:
        yield server


@pytest.fixture
def mirror() -> Iterator[Server]:
    with serving({}) as server:
        yield server


def set_mirrors(monkeypatch: pytest.MonkeyPatch, *places: str | Path) -> None:
    monkeypatch.setenv("HATI_MIRROR", ",".join(map(str, places)))


@pytest.mark.parametrize(
    ("given", "asked"),
    [
        ("", [("https://a.example/b/c.h5",)]),
        ("/m", [("/m/c.h5", "/m/b/c.h5"), ("https://a.example/b/c.h5",)]),
        (
            " http://m.example/x/ , ,~/y",
            [
                ("http://m.example/x/c.h5", "http://m.example/x/b/c.h5"),
                ("~/y/c.h5", "~/y/b/c.h5"),
                ("https://a.example/b/c.h5",),
            ],
        ),
    ],
)
def test_mirrors_are_asked_in_their_order_under_both_names(
    monkeypatch: pytest.MonkeyPatch, given: str, asked: list[tuple[str, ...]]
) -> None:
    monkeypatch.setenv("HATI_MIRROR", given)
    assert mirrors.sources(replace(file_at("x"), folder="https://a.example/b", name="c.h5")) == asked


@pytest.mark.parametrize("path", [f"/{NAME}", PATH], ids=["bare name", "published path"])
@pytest.mark.parametrize("kind", ["http", "folder", "file address"])
def test_a_mirror_spares_the_publisher(
    publisher: Server,
    mirror: Server,
    empty_cache: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    path: str,
    kind: str,
) -> None:
    folder = tmp_path / "a folder"
    (folder / path[1:]).parent.mkdir(parents=True)
    (folder / path[1:]).write_bytes(CONTENT)
    mirror.answers[path] = FILE
    set_mirrors(monkeypatch, {"http": mirror.address, "folder": str(folder), "file address": folder.as_uri()}[kind])
    assert store.fetch(file_at(publisher.address), 1).read_bytes() == CONTENT
    assert publisher.asked == []
    assert left_in(empty_cache / "weights") == WHOLE


def test_mirrors_that_fail_are_passed_over(
    publisher: Server, mirror: Server, empty_cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / NAME).write_bytes(OTHER)
    mirror.answers[f"/{NAME}"] = lambda answer: answer.send(PAGE)
    set_mirrors(monkeypatch, tmp_path / "none", tmp_path, closed_address(), mirror.address)
    assert store.fetch(file_at(publisher.address), 1).read_bytes() == CONTENT
    assert mirror.asked == [f"/{NAME}", PATH]
    assert publisher.asked == [PATH]


def test_when_all_fail_every_address_is_told_of_with_its_reason(
    publisher: Server, mirror: Server, empty_cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = closed_address()
    mirror.answers[f"/{NAME}"] = lambda answer: answer.send(PAGE)
    publisher.answers[PATH] = status(403)
    set_mirrors(monkeypatch, tmp_path, mirror.address, closed)
    with pytest.raises(WeightsUnavailable) as refused:
        store.fetch(file_at(publisher.address), 1)
    first, *tried = [line for line in str(refused.value).splitlines() if "tried:" in line or "could not" in line]
    assert first == f"{NAME} could not be fetched: none of 6 addresses gave it"
    reasons = [
        f"{tmp_path}/{NAME} (there is no such file)",
        f"{tmp_path}{PATH} (there is no such file)",
        f"{mirror.address}/{NAME} (what came is not the file: it is a web page, not weights",
        f"{mirror.address}{PATH} (the server answered 404 Not Found)",
        f"{closed}/{NAME} (the server cannot be reached, or cut the connection (4 tries))",
        f"{publisher.address}{PATH} (the server answered 403 Forbidden)",
    ]
    assert all(line.startswith(f"  tried:     {reason}") for line, reason in zip(tried, reasons, strict=True))
    assert left_in(empty_cache / "weights") == set()


def test_what_one_source_began_another_ends(
    publisher: Server, mirror: Server, empty_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mirror.answers[f"/{NAME}"] = File(CONTENT, most=SOME, ranges=False)
    set_mirrors(monkeypatch, mirror.address)
    assert store.fetch(file_at(publisher.address), 1).read_bytes() == CONTENT
    assert publisher.ranges[0] is not None


def test_a_folder_serves_offline(empty_cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HATI_OFFLINE", "1")
    (tmp_path / NAME).write_bytes(CONTENT)
    set_mirrors(monkeypatch, "http://mirror.example", tmp_path)
    assert store.fetch(file_at("http://x.example"), 1).read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("start", "validator", "came"), [(0, None, 0), (SOME, None, SOME), (SOME, "other", 0), (len(CONTENT) + 1, None, 0)]
)
def test_a_file_is_gone_on_with_where_it_is_the_same(
    tmp_path: Path, start: int, validator: str | None, came: int
) -> None:
    (tmp_path / NAME).write_bytes(CONTENT)
    with mirrors.opened(str(tmp_path / NAME), start, validator) as stream:
        assert (stream.start, stream.length) == (came, len(CONTENT))
        assert b"".join(stream.pieces) == CONTENT[came:]
    with mirrors.opened(str(tmp_path / NAME), SOME, stream.validator) as again:
        assert again.start == SOME


@pytest.mark.parametrize("place", ["none", ".", "pipe"])
def test_what_is_no_file_is_not_opened(tmp_path: Path, place: str) -> None:
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe")
    with pytest.raises(DownloadError, match="there is no such file"), mirrors.opened(str(tmp_path / place)):
        pass
