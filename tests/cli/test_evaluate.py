"""`hati evaluate`: what it prints, and its exit statuses."""

import json
import shutil
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from hati.cli import main


@pytest.fixture
def cats(tmp_path: Path, cat: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Photos of cats, in a folder that the model has a class for, here."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "cats"
    (folder / "Egyptian_cat").mkdir(parents=True)
    shutil.copy(cat, folder / "Egyptian_cat" / "chelsea.png")
    return folder


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["evaluate", *map(str, arguments)])


def test_a_person_reads_a_report(cats: Path) -> None:
    found = run("EfficientNetLite0", cats)
    assert found.exit_code == 0
    assert "efficientnet_lite0: accuracy " in found.stdout
    assert "on 1 photo of 1 class" in found.stdout
    assert "Egyptian_cat" in found.stdout


def test_a_program_reads_json_of_photos_that_could_be_read_and_of_the_others(cats: Path) -> None:
    (cats / "Egyptian_cat" / "cut.jpg").write_bytes(b"\xff\xd8\xff")
    found = run("EfficientNetLite0", cats, "--json")
    assert found.exit_code == 1
    told = json.loads(found.stdout)
    assert told["photos"] == 1
    assert "cut.jpg" in told["unreadable"][0]


def test_a_table_can_give_a_photo_several_classes(cats: Path) -> None:
    Path("labels.csv").write_text("path,label\ncats/Egyptian_cat/chelsea.png,Egyptian cat|tabby\n")
    refused, found = run("EfficientNetLite0", "labels.csv"), run("EfficientNetLite0", "labels.csv", "--multi-label")
    assert (refused.exit_code, found.exit_code) == (2, 0)
    assert "say --multi-label" in refused.stderr
    assert "mean average precision" in found.stdout


def test_a_picture_is_drawn_on_request(cats: Path) -> None:
    pytest.importorskip("matplotlib", reason="pictures are drawn with matplotlib, the extra plots")
    assert run("EfficientNetLite0", cats, "--picture", "cats.svg").exit_code == 0
    assert "Egyptian_cat" in Path("cats.svg").read_text()


def test_without_matplotlib_nothing_is_judged_in_vain(cats: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)  # Python's own way to say that it is not installed
    found = run("EfficientNetLite0", cats, "--picture", "cats.svg")
    assert found.exit_code == 2
    assert 'pip install ".[plots]"' in found.stderr
    assert found.stdout == ""


@pytest.mark.parametrize(
    ("arguments", "fault"),
    [
        (("EfficientNetLite0",), "Missing argument 'FOLDER'"),
        (("NoSuchNet", "cats"), "NoSuchNet"),
        (("EfficientNetLite0", "nowhere"), "nowhere: there is no such folder or file"),
        (("EfficientNetLite0", "."), "does not know cats (did you mean "),
        (("EfficientNetLite0", "cats", "--multi-label"), "give a CSV of path,label"),
        (("EfficientNetLite0", "cats", "--picture", "cats.gif"), ".png, .svg or .pdf"),
    ],
)
@pytest.mark.usefixtures("cats")
def test_wrong_use_is_told_in_one_message(arguments: tuple[str, ...], fault: str) -> None:
    found = run(*arguments)
    assert found.exit_code == 2
    assert fault in found.stderr
    assert "Traceback" not in found.output
