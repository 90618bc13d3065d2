"""How much a command says beside its answer, on standard error: -q less, -v more, wherever they stand."""

import logging
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from click import Group
from click.testing import CliRunner, Result
from faulty_server import serving
from sample_weights import FILE, NAME, PATH, command, file_at

from hati.cli import main
from hati.cli.loudness import listening
from hati.tools.log import log
from hati.tools.progress import bar

PATIENT = "from hati.tools import progress; progress.PATIENCE = -1; from hati.cli import main; main(prog_name='hati')"

BAR = b"it/s]"


def hati(*arguments: str | Path) -> Result:
    result = CliRunner().invoke(main, list(map(str, arguments)))
    assert isinstance(result.exception, SystemExit | None), result.exc_info
    return result


def commands(group: Group) -> Iterator[list[str]]:
    """The words that each command is called by."""
    yield []
    for name, one in group.commands.items():
        yield from ([name, *words] for words in (commands(one) if isinstance(one, Group) else [[]]))


@pytest.fixture
def photos(tmp_path: Path, cat: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two folders of photos, named as two classes of the default model are."""
    monkeypatch.chdir(tmp_path)
    for name, photo in (("Egyptian_cat", cat.name), ("espresso", "coffee.png")):
        Path("photos", name).mkdir(parents=True)
        for number in range(3):
            shutil.copy(cat.with_name(photo), Path("photos", name, f"{number}.png"))
    return Path("photos")


@pytest.mark.parametrize("place", ["before", "after"])
@pytest.mark.parametrize(
    ("options", "said"),
    [([], False), (["-q"], False), (["--quiet"], False), (["-v"], True), (["--verbose"], True), (["-v", "-q"], False)],
)
def test_options_may_stand_before_a_command_and_after_it(
    empty_cache: Path, cat: Path, place: str, options: list[str], said: bool
) -> None:
    arguments = [*options, "classify"] if place == "before" else ["classify", *options]
    result = hati(*arguments, cat)
    assert "Egyptian_cat" in result.stdout
    told = ["hati: efficientnet_lite0: by ONNX Runtime in float32 on cpu, compiled now"] if said else []
    assert result.stderr.splitlines() == told


@pytest.mark.parametrize("words", list(commands(main)), ids=" ".join)
def test_every_command_has_them(words: list[str]) -> None:
    told = hati(*words, "--help").stdout
    assert all(told.count(option) == 1 for option in ("-q, --quiet", "-v, --verbose"))


@pytest.mark.parametrize(("option", "noted"), [([], True), (["-q"], False)], ids=["usually", "quiet"])
def test_notes_and_warnings_are_left_out_and_errors_are_not(
    photos: Path, option: list[str], noted: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "ai_edge_litert", None)  # Python's own way to say that it is not installed
    result = hati("models", "--small", *option)
    assert ("hati: latency is not measured: LiteRT" in result.stderr) == bool(result.stderr) == noted
    result = hati("classify", *option, "none.jpg", photos)
    assert (result.exit_code, result.stderr) == (1, "hati: none.jpg: there is no such file\n")
    result = hati("summary", "ResNet", *option)
    assert result.stderr.startswith("hati: there is no model called 'ResNet'")


def test_a_download_is_told_of_as_it_is_asked_for(empty_cache: Path) -> None:
    place = empty_cache / "weights" / NAME
    with serving({PATH: FILE}) as server:
        file = file_at(server.address)
        for options, told in {
            ("-q",): [],
            (): [NAME],
            ("-v",): [
                f"hati: {NAME}: fetching {file.address}",
                NAME,
                f"hati: {NAME}: whole and as it should be: {place}",
            ],
        }.items():
            done = subprocess.run(
                command(file, *options, "weights", "fetch", "Loopback"), capture_output=True, text=True, timeout=600
            )
            assert (done.returncode, done.stdout) == (0, f"Loopback: {place}\n")
            said = [line.partition(":  ")[0].partition(": 100%")[0] for line in done.stderr.splitlines() if line]
            assert list(dict.fromkeys(said)) == told
            place.unlink()


@pytest.mark.parametrize(
    "arguments",
    [
        ("evaluate", "EfficientNetLite0", "photos"),
        ("train", "photos", "--out", "own.safetensors", "--method", "imprint"),
        ("choose", "--top1", "75", "--size", "20MB"),
        ("export", "--out", "lite.onnx", "--precision", "int8", "--calibrate", "photos", "--agreement", "0"),
        ("optimise", "--calibrate", "photos"),
    ],
    ids=lambda arguments: arguments[0],
)
@pytest.mark.usefixtures("photos")
def test_bars_are_shown_in_a_terminal_unless_it_is_to_be_quiet(arguments: tuple[str, ...]) -> None:
    assert BAR in in_a_terminal(*arguments)
    assert BAR not in in_a_terminal("-q", *arguments)


def in_a_terminal(*arguments: str) -> bytes:
    """What a command writes to a terminal as its standard error, where no work is too short for a bar."""
    pty = pytest.importorskip("pty", reason="a terminal is made with Python's pty, which Windows lacks")
    ours, theirs = pty.openpty()
    told = [sys.executable, "-c", PATIENT, *arguments]
    running = subprocess.Popen(told, stdout=subprocess.DEVNULL, stderr=theirs, env=os.environ | {"TERM": "xterm"})
    os.close(theirs)
    with running, suppress(OSError), open(ours, "rb", buffering=0) as terminal:  # an OSError is how Linux says its end
        shown = b""
        while piece := terminal.read(4096):
            shown += piece
    return shown


def test_a_line_beside_a_bar_is_a_line_of_its_own(capfd: pytest.CaptureFixture[str]) -> None:
    with listening(), bar("measure", 2) as advance:
        advance(1)
        log.warning("heard")
        advance(1)
    assert "hati: heard" in capfd.readouterr().err.replace("\r", "\n").splitlines()


def test_what_listened_is_gone_after_the_command(photos: Path) -> None:
    before = log.level, list(log.handlers)
    for option in ("-q", "-v"):
        hati(option, "classify", photos)
        hati("classify", option, "none.jpg")
    assert (log.level, log.handlers) == before
    assert before[0] == logging.NOTSET
