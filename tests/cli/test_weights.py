"""`hati weights`: what it prints, where, and the exit status of each command."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from faulty_server import File, Server, serving, status
from sample_weights import CONTENT, FILE, LENGTH, NAME, OTHER, PAGE, PART, PATH, SOME, WHOLE, file_at, left_in

from hati import catalog
from hati.cli import main
from hati.tools import download

REAL = "mobilenet_2_5_224_tf.h5"


def weights(*arguments: str | Path) -> Result:
    result = CliRunner().invoke(main, ["weights", *map(str, arguments)])
    assert isinstance(result.exception, SystemExit | None), result.exc_info
    return result


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setattr(download, "FIRST_WAIT_SECONDS", 0.01)
    with serving({PATH: FILE}) as server:
        file = file_at(server.address)
        entry = replace(catalog.find("MobileNet_0.25_224"), name="Loopback", top_file=file, notop_file=None)
        monkeypatch.setitem(catalog.entries(), "Loopback", entry)
        yield server


@pytest.fixture
def place(empty_cache: Path) -> Path:
    return empty_cache / "weights" / NAME


def test_weights_come_are_found_checked_and_go(server: Server, place: Path) -> None:
    fetched = weights("fetch", "loopback", "EfficientNetLite0")
    assert fetched.exit_code == 0
    package = weights("where", "EfficientNetLite0").stdout.strip()
    assert fetched.stdout == f"Loopback: {place}\nEfficientNetLite0: {package}\n"
    assert NAME in fetched.stderr
    assert weights("where", "Loopback").stdout == f"{place}\n"
    assert weights("verify", "Loopback").stdout == f"{place}: good\n"
    assert f"{place}: good\n" in weights("verify").stdout
    removed = weights("remove", "Loopback")
    assert (removed.exit_code, removed.stdout, removed.stderr) == (0, "0.3 MB freed\n", "")
    assert left_in(place.parent) == set()
    assert weights("remove", "--all").stdout == "there was nothing to remove\n"


def test_what_is_here_is_listed(server: Server, place: Path) -> None:
    weights("fetch", "Loopback")
    cards = {card["file"]: card for card in json.loads(weights("list", "--json").stdout)}
    assert cards[NAME]["models"] == ["Loopback"]
    assert (cards[NAME]["bytes"], cards[NAME]["whole"], cards[NAME]["path"]) == (LENGTH, True, str(place))
    headers, _, *rows = weights("list").stdout.splitlines()
    assert headers.split() == ["Model", "MB", "Licence", "File"]
    assert ["Loopback", "0.3", "MIT", str(place)] in [row.split() for row in rows]
    place.rename(place.with_name(f".{NAME}.part"))
    assert "only a part" in weights("list").stdout


def test_one_that_fails_is_told_of_and_the_others_come(server: Server, place: Path) -> None:
    server.answers[PATH] = status(403)
    result = weights("fetch", "Loopback", "EfficientNetLite0")
    assert result.exit_code == 1
    assert result.stderr.startswith(f"hati: {NAME} could not be fetched: the server answered 403 Forbidden\n  tried:")
    assert result.stdout.startswith("EfficientNetLite0: ")
    assert left_in(place.parent) == set()


def test_what_is_wrong_is_one_line_each(server: Server, place: Path) -> None:
    weights("fetch", "Loopback")
    place.write_bytes(OTHER)
    result = weights("verify")
    assert (result.exit_code, result.stderr.count("\n")) == (1, 1)
    assert result.stderr.startswith(f"hati: {place}: its sha256 is ")
    assert ": good\n" in result.stdout
    place.unlink()
    result = weights("verify", "Loopback")
    said = f"Loopback: {NAME} is not on this machine; `hati weights fetch Loopback` brings it\n"
    assert (result.exit_code, result.stdout, result.stderr) == (1, "", f"hati: {said}")
    result = weights("where", "Loopback")
    assert (result.exit_code, result.stdout, result.stderr) == (1, "", f"hati: {said}")


def test_weights_travel_in_a_bundle(
    server: Server, place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = tmp_path / "weights.zip"
    assert weights("bundle", archive, "Loopback").stdout == f"{NAME}: {LENGTH:,} bytes, MIT\n"
    monkeypatch.setenv("HATI_CACHE", str(tmp_path / "there"))
    monkeypatch.setenv("HATI_OFFLINE", "1")
    arrived = tmp_path / "there" / "weights" / NAME
    assert weights("import", archive).stdout == f"{arrived}: taken\n"
    assert weights("import", archive).stdout == f"{arrived}: was here already\n"
    assert weights("fetch", "Loopback").exit_code == 0
    archive.write_bytes(PAGE)
    result = weights("import", archive)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == f"hati: {archive}: it is no bundle of weights, or a damaged one (File is not a zip file)\n"


def test_a_cut_download_goes_on_with_the_next_command(
    server: Server, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(download, "TRIES", 1)
    server.answers[PATH] = File(CONTENT, most=SOME)
    assert weights("fetch", "Loopback").exit_code == 1
    assert left_in(place.parent) == PART
    server.answers[PATH] = FILE
    assert weights("fetch", "Loopback").exit_code == 0
    assert left_in(place.parent) == WHOLE
    assert all(server.ranges[1:])


@pytest.mark.parametrize(
    ("arguments", "status", "fault"),
    [
        (["fetch"], 2, "give either names of models or --all"),
        (["fetch", "--all", "VGG16"], 2, "give either names of models or --all"),
        (["fetch", "VGG-16"], 2, "there is no model called 'VGG-16'; did you mean VGG16"),
        (["verify", "VGG-16"], 2, "did you mean VGG16"),
        (["where"], 2, "Missing argument 'NAME'"),
        (["where", "VGG-16"], 2, "did you mean VGG16"),
        (
            ["where", "VGG16", "--without-top"],
            1,
            "notop.h5 is not on this machine; `hati weights fetch VGG16 --without-top` brings it",
        ),
        (["remove"], 2, "give either names of models or --all"),
        (["remove", "VGG-16"], 2, "did you mean VGG16"),
        (["bundle", "out.zip"], 2, "Missing argument 'NAME...'"),
        (["bundle", "out.zip", "VGG-16"], 2, "did you mean VGG16"),
        (["import"], 2, "Missing argument 'FILE'"),
        (["import", "none.zip"], 1, "none.zip: it cannot be read (No such file or directory)"),
    ],
)
def test_wrong_use_is_one_message(empty_cache: Path, arguments: list[str], status: int, fault: str) -> None:
    result = weights(*arguments)
    assert (result.exit_code, result.stdout) == (status, "")
    assert fault in result.stderr
    assert not empty_cache.exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], ["fetch", "list", "verify", "where", "remove", "bundle", "import", "HATI_MIRROR", "HATI_OFFLINE"]),
        (["fetch"], ["[NAME...]", "--all", "--without-top", "verify"]),
        (["list"], ["--json"]),
        (["verify"], ["[NAME...]", "Exit status 1"]),
        (["where"], ["NAME", "--without-top"]),
        (["remove"], ["[NAME...]", "--all"]),
        (["bundle"], ["OUT", "NAME...", "--without-top"]),
        (["import"], ["FILE"]),
    ],
)
def test_help_tells_of_everything(arguments: list[str], words: list[str]) -> None:
    result = weights(*arguments, "--help")
    assert result.exit_code == 0
    assert [word for word in words if word not in result.stdout] == []


def test_a_published_file_comes_from_a_folder_as_from_the_network(
    shared: Path, empty_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HATI_MIRROR", str(shared))
    monkeypatch.setenv("HATI_OFFLINE", "1")
    assert weights("fetch", "MobileNet_0.25_224").stdout == f"MobileNet_0.25_224: {empty_cache / 'weights' / REAL}\n"
    assert weights("verify", "MobileNet_0.25_224").exit_code == 0
