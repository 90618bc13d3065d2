"""What a command line that is not understood is told: one form of message, and an exit status."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from hati.cli import main


def hati(*arguments: str | Path) -> Result:
    result = CliRunner().invoke(main, list(map(str, arguments)), prog_name="hati")
    assert isinstance(result.exception, SystemExit | None), result.exc_info
    return result


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "holiday").mkdir()
    (tmp_path / "no suffix").touch()
    monkeypatch.chdir(tmp_path)
    return tmp_path


PHOTO = "names what is in a photo"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["photo.jpg"], f"there is no command 'photo.jpg'; `hati classify photo.jpg` {PHOTO}"),
        (["PHOTO.JPG", "--top", "1"], f"there is no command 'PHOTO.JPG'; `hati classify PHOTO.JPG` {PHOTO}"),
        (["holiday"], f"there is no command 'holiday'; `hati classify holiday` {PHOTO}"),
        (["no suffix"], f"there is no command 'no suffix'; `hati classify 'no suffix'` {PHOTO}"),
        (["*.png"], f"there is no command '*.png'; `hati classify '*.png'` {PHOTO}"),
        (["https://e.org/a"], f"there is no command 'https://e.org/a'; `hati classify https://e.org/a` {PHOTO}"),
        (["-"], f"there is no command '-'; `hati classify -` {PHOTO}"),
        (["clasify", "photo.jpg"], "there is no command 'clasify'; did you mean classify?"),
        (["optimize"], "there is no command 'optimize'; did you mean optimise?"),
        (["Model"], "there is no command 'Model'; did you mean models?"),
        (["weights", "fech"], "there is no command 'fech'; did you mean fetch?"),
        (["weights", "photo.jpg"], "there is no command 'photo.jpg'; `hati weights --help` lists them all"),
        (["elephant"], "there is no command 'elephant'; `hati --help` lists them all"),
        (["weights", "-q"], "Missing command. See `hati weights --help`"),
        (["--top"], "No such option"),
        (["classify"], "Missing argument 'PHOTO...'. See `hati classify --help`"),
        (["choose", "--size", "20"], "GiB. See `hati choose --help`"),
        (["weights", "fetch"], "give either names of models or --all. See `hati weights fetch --help`"),
        (["summary", "ResNet"], "there is no model called 'ResNet'; did you mean ResNet50"),
    ],
)
@pytest.mark.usefixtures("folder")
def test_what_is_not_understood_is_one_line_with_a_way_out(arguments: list[str], said: str) -> None:
    result = hati(*arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert said in result.stderr
    assert (result.stderr.startswith("hati: "), result.stderr.count("\n")) == (True, 1)


@pytest.mark.parametrize("arguments", [[], ["weights"]], ids=len)
def test_nothing_at_all_is_answered_with_help(arguments: list[str]) -> None:
    result = hati(*arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == hati(*arguments, "--help").stdout


def test_whoever_stops_a_command_is_told_so(tmp_path: Path) -> None:
    """It waits for a photo from a pipe that nobody writes to."""
    os.mkfifo(tmp_path / "photo.jpg")
    ready = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); from hati.cli import main; main()"
    command = [sys.executable, "-c", ready, "-v", "classify", str(tmp_path / "photo.jpg")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        assert process.stderr.readline()  # the network is ready
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=600)
    assert (process.returncode, out, err.strip()) == (1, "", "hati: stopped")


@pytest.mark.parametrize(("words", "completed"), [("hati clas", "plain,classify\n"), ("hati nothing cat", "")])
def test_a_shell_completes_commands_and_is_told_nothing(words: str, completed: str) -> None:
    asked = {"_HATI_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": str(words.count(" "))}
    result = CliRunner().invoke(main, env=asked, prog_name="hati")
    assert (result.stdout.removesuffix("\n"), result.stderr) == (completed.removesuffix("\n"), "")
