"""`hati export`: what it prints, and how it ends."""

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from export_cases import linked

from hati.cli import main


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, ["export", *map(str, arguments)])


@pytest.fixture(scope="module")
def few(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return linked(shared / "imagenet_ccby", tmp_path_factory.mktemp("few"), 60)


def test_the_report_is_for_people(shared: Path, few: Path, tmp_path: Path) -> None:
    weights, out = shared / "mobilenet_2_5_224_tf.h5", tmp_path / "m.tflite"
    ways = ("--precision", "int8", "--calibrate", few, "--agreement", "0.7")
    done = run("MobileNet_0.25_224", "--weights", weights, "--out", out, *ways)
    assert done.exit_code == 0, done.output
    assert out.is_file()
    for told in (
        "mobilenet_0.25_224 as tflite in int8, calibrated on 20 photos",
        "of 40 photos",
        "one picture, 2 threads",
        "memory of a process that runs it",
        "uint8, RGB from 0 to 255",
        "15 CONV_2D, 13 DEPTHWISE_CONV_2D",
        "33 of 33 operators",
        "m.tflite is written: it names",
    ):
        assert told in done.output


def test_what_is_not_good_enough_ends_in_1_and_says_what_to_do(shared: Path, few: Path, tmp_path: Path) -> None:
    weights, out = shared / "mobilenet_2_5_224_tf.h5", tmp_path / "m.tflite"
    ways = ("--precision", "int8", "--calibrate", few, "--agreement", "1")
    done = run("MobileNet_0.25_224", "--weights", weights, "--out", out, *ways)
    assert done.exit_code == 1
    assert list(tmp_path.iterdir()) == []
    assert "Nothing is written" in done.output
    assert "hurts most" in done.output
    assert "would let this one pass" in done.output


def test_json_is_for_programs(tmp_path: Path) -> None:
    done = run("--out", tmp_path / "lite.tflite", "--precision", "float16", "--json")
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert (found["written"], found["precision"], found["takes"]) == (True, "float16", "float32")
    assert found["measured"]["operators"]["CONV_2D"] == 33
    assert found["measured"]["agreement"] >= 0.9


def test_json_names_the_photos_that_could_not_be_read(tmp_path: Path, cat: Path) -> None:
    (tmp_path / "photos").mkdir()
    shutil.copy(cat, tmp_path / "photos")
    (tmp_path / "photos" / "cut.jpg").write_bytes(b"\xff\xd8\xff")
    done = run("--out", tmp_path / "lite.onnx", "--check", tmp_path / "photos", "--json")
    assert done.exit_code == 0, done.output
    (reason,) = json.loads(done.stdout)["unreadable"]
    assert reason.startswith(str(tmp_path / "photos" / "cut.jpg"))


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--out", "lite.tflite", "--precision", "int8"), "give a folder of them to calibrate on"),
        (("--out", "lite.txt"), "what is it to be"),
        (("--out", "lite.tflite", "--precision", "int4"), "Invalid value for '--precision'"),
        (("Lite9", "--out", "lite.tflite"), "Lite9"),
    ],
)
def test_wrong_use_ends_in_2(tmp_path: Path, arguments: tuple[str, ...], told: str) -> None:
    done = run(*arguments)
    assert done.exit_code == 2
    assert told in done.output
