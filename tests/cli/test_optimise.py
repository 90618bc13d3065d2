"""`hati optimise`: what it prints, and its exit statuses."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from PIL import Image

from hati.cli import main


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Less time for every latency: none is reported."""
    monkeypatch.setattr("hati.int8.comparison.SECONDS", 0.1)


@pytest.fixture(scope="module")
def crops(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twenty-four real photos: pieces of the cat."""
    from skimage import data

    folder = tmp_path_factory.mktemp("pieces")
    with Image.open(Path(data.__file__).with_name("chelsea.png")) as cat:
        for number in range(24):
            left, top = 8 * number, 4 * number
            cat.crop((left, top, left + 200, top + 200)).save(folder / f"{number}.png")
    return folder


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["optimise", *map(str, arguments)])


def test_a_person_reads_a_table_and_a_verdict(empty_cache: Path, crops: Path) -> None:
    found = run("--calibrate", crops, "--agreement", "0")
    assert found.exit_code in (0, 1)
    for word in (
        "efficientnet_lite0: 16 photos measured, 8 others",
        "one picture, ms",
        "weights, MB",
        "same first name",
    ):
        assert word in found.stdout
    verdict = "int8 replaces float" if found.exit_code == 0 else "int8 does not replace float"
    assert found.stdout.splitlines()[-1].startswith(verdict)
    assert "24 photos are few" in found.stderr


def test_a_program_reads_json(empty_cache: Path, crops: Path) -> None:
    found = run("--calibrate", crops, "--agreement", "0.5", "--json")
    told = json.loads(found.stdout)
    assert told["replaces_float"] == (found.exit_code == 0)
    assert told["held_out"] == 16
    assert 0 <= told["agreement"] <= 1


@pytest.mark.parametrize(
    ("arguments", "fault"),
    [
        ((), "--calibrate"),
        (("NoSuchNet", "--calibrate", "."), "NoSuchNet"),
        (("--calibrate", "nowhere"), "0 photos came"),
        (("--calibrate", ".", "--agreement", "2"), "agreement"),
    ],
)
def test_wrong_use_is_told_in_one_message(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], fault: str
) -> None:
    monkeypatch.chdir(tmp_path)
    found = run(*arguments)
    assert found.exit_code == 2
    assert fault in found.stderr
    assert "Traceback" not in found.output
