"""`hati train` and `hati teach`: what they print and write, and their exit statuses."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sorted_photos import sort_photos, texture

import hati
from hati.cli import main


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return sort_photos(tmp_path_factory.mktemp("own") / "photos", {"dots": 8, "waves": 8})


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, [*map(str, arguments)])


def test_a_person_reads_a_report_and_gets_a_model_and_a_picture(folder: Path, tmp_path: Path) -> None:
    found = run("train", folder, "--out", tmp_path / "own.safetensors")
    assert found.exit_code == 0, found.stderr
    for word in ("Learnt from 12 photos of 2 classes", "imprint", "taken", "accuracy 100.0%", "Precision", "flatters"):
        assert word in found.stdout
    assert found.stdout.splitlines()[-1].endswith("own.safetensors: efficientnet_lite0, 2 classes, by imprint, 13.7 MB")
    assert (tmp_path / "own.png").stat().st_size > 1000
    assert hati.load(tmp_path / "own.safetensors").classify(texture("dots", 40))[0].name == "dots"


def test_a_program_reads_json(folder: Path, tmp_path: Path) -> None:
    found = run("train", folder, "--out", tmp_path / "own.safetensors", "--method", "probe", "--json")
    told = json.loads(found.stdout)
    assert (told["method"], told["photos"]) == ("probe", {"dots": 6, "waves": 6})
    assert told["evaluation"]["accuracy"] == 1.0


def test_a_photo_of_two_classes_is_one_photo(folder: Path, tmp_path: Path) -> None:
    table = tmp_path / "labels.csv"
    rows = [f"{photo},{photo.parent.name}|any" for photo in sorted(folder.rglob("*.png"))]
    table.write_text("\n".join(["path,label", *rows]))
    arguments = ("--multi-label", "--validate", table, "--method", "imprint", "--out", tmp_path / "own.safetensors")
    found = run("train", table, *arguments)
    assert "Learnt from 16 photos of 3 classes" in found.stdout
    assert "own.png: each class' average precision" in found.stdout


def test_the_file_is_a_model_like_any_other(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "own.safetensors"
    assert run("train", folder, "--out", out, "--light", "--method", "imprint").exit_code == 0
    assert out.stat().st_size < 100_000
    photo = tmp_path / "photo.png"
    texture("waves", 33).save(photo)
    classified = run("classify", "--model", out, photo)
    assert "waves" in classified.stdout
    assert "Synset" not in classified.stdout
    assert "classes (Dense)" in run("summary", out).stdout
    assert "accuracy 100.0%" in run("evaluate", out, folder).stdout


def test_a_body_that_cannot_be_left_out_is_saved_with_what_was_learnt(folder: Path, tmp_path: Path) -> None:
    hati.load("MobileNet", None, alpha=0.25).save(tmp_path / "mine.safetensors")
    out = tmp_path / "own.safetensors"
    found = run(
        "train", folder, "--out", out, "--light", "--method", "imprint", "--model", tmp_path / "mine.safetensors"
    )
    assert found.exit_code == 0, found.stderr
    assert "mine is not in the catalog; save the whole model instead. So it was saved" in found.stderr
    assert hati.load(out).classify(texture("dots", 40))


def test_a_class_is_added_to_the_file(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "own.safetensors"
    run("train", folder, "--out", out, "--light", "--method", "imprint")
    found = run("teach", out, "checks", sort_photos(tmp_path / "new", {"checks": 4}))
    assert found.exit_code == 0, found.stderr
    assert "3 classes; checks from 4 photos" in found.stdout
    assert out.stat().st_size < 100_000
    assert hati.load(out).classify(texture("checks", 7))[0].name == "checks"


@pytest.mark.parametrize(
    ("arguments", "fault", "status"),
    [
        (("{folder}", "--out", "own.h5"), "ends in .safetensors", 2),
        (("{folder}", "--out", "no/such/folder/own.safetensors"), "its folder is not there", 2),
        (("{folder}", "--out", "{out}", "--picture", "own.txt"), "own.txt", 2),
        (("{folder}/dots", "--out", "{out}"), "no class and 0 photos", 2),
        (("nowhere", "--out", "{out}"), "there is no such folder or file", 2),
        (("{folder}", "--out", "{out}", "--validate", "nowhere"), "nowhere: there is no such folder", 2),
        (("{folder}", "--out", "{out}", "--model", "Nothing"), "Nothing", 2),
        (("{folder}",), "--out", 2),
        (("{folder}", "--out", "{out}", "--recipe", "mixup"), "write it as mixup=0.2", 2),
        (("{folder}", "--out", "{out}", "--recipe", "speed=3"), "a recipe has no setting 'speed'; it has epochs", 2),
        (("{folder}", "--out", "{out}", "--recipe", "mixup=much"), "mixup is 'much'; it can be a number", 2),
        (("{folder}", "--out", "{out}", "--light", "--method", "finetune"), "which fine-tuning changes", 2),
        (("{folder}", "--out", "{out}", "--seed", "-1"), "-1 is not in the range", 2),
    ],
    ids=[
        "ending", "folder", "picture", "no classes", "missing", "validation", "model", "no place", "no value",
        "no such setting", "no number", "light", "seed",
    ],
)  # fmt: skip
def test_wrong_use_is_one_sentence_and_writes_nothing(
    folder: Path, tmp_path: Path, arguments: tuple[str, ...], fault: str, status: int
) -> None:
    out = tmp_path / "own.safetensors"
    found = run("train", *(argument.format(folder=folder, out=out) for argument in arguments))
    assert found.exit_code == status
    assert fault in found.stderr
    assert "Traceback" not in found.stderr
    assert not out.exists()


def test_teaching_what_is_no_taught_model_is_refused(tmp_path: Path) -> None:
    hati.load().save(tmp_path / "plain.safetensors")
    texture("dots", 1).save(tmp_path / "photo.png")
    found = run("teach", tmp_path / "plain.safetensors", "dots", tmp_path / "photo.png")
    assert found.exit_code == 2
    assert "no model that hati has taught" in found.stderr
