"""What no kit is made of, where none is written, and what the command says of one that is."""

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner
from disks import on_a_disk
from kit_device import Device, kit_of, taught
from sorted_photos import sort_photos

import hati
from hati.cli import main
from hati.errors import ArgumentError
from hati.exporting import export
from hati.exporting import kit as kits
from hati.exporting.formats import Order, find
from hati.exporting.trial import gathered


def filled(folder: Path, *names: str) -> Path:
    folder.mkdir()
    for name in names:
        (folder / name).write_text("")
    return folder


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda folder: filled(folder, "letter.txt"), "is no kit, and not empty; give another folder"),
        (lambda folder: filled(folder, "kit.json", "taught.npz"), "has taught.npz, which hati did not put there"),
        (lambda folder: filled(folder, "kit.json", "b.jpg", "a.jpg"), "has a.jpg, b.jpg, which hati did not put there"),
        (lambda folder: folder.write_text(""), "is a file; a kit is a folder"),
    ],
    ids=["another's folder", "lessons", "photos", "a file"],
)
def test_a_folder_that_is_no_kit_is_left_alone(make: Callable[[Path], object], message: str, tmp_path: Path) -> None:
    make(tmp_path / "kit")
    before = sorted(tmp_path.rglob("*"))
    model, out = taught(tmp_path / "school"), tmp_path / "m.tflite"
    with pytest.raises(ArgumentError, match=message):
        export(model, out, kit=tmp_path / "kit")
    assert sorted(path for path in tmp_path.rglob("*") if "school" not in path.parts) == before


def test_a_kit_is_replaced_whole(tmp_path: Path) -> None:
    folder = kit_of(taught(tmp_path / "school"), tmp_path)
    kit_of(taught(tmp_path / "school"), tmp_path, "onnx")
    assert (folder / "model.onnx").is_file()
    assert not (folder / "model.tflite").exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["gated.onnx", "gated.tflite", "kit", "school"]


def test_what_can_be_no_kit_is_refused_before_any_work(tmp_path: Path) -> None:
    model, kit = taught(tmp_path / "school"), tmp_path / "kit"
    with pytest.raises(ArgumentError, match=r"a kit is made of tflite or onnx, .*; not of openvino"):
        export(model, tmp_path / "m.xml", kit=kit)
    with pytest.raises(ArgumentError, match="its folder is not there; make it first"):
        export(model, tmp_path / "m.tflite", kit=tmp_path / "none" / "kit")
    kit.mkdir()
    with pytest.raises(ArgumentError, match="lies in the kit, which is replaced as a whole"):
        export(model, kit / "m.tflite", kit=kit)
    features = hati.load("MobileNet", weights=None, alpha=0.25, include_top=False, pooling="avg")
    with pytest.raises(ArgumentError, match="has no classifier, and a kit names what is in photos"):
        export(features, tmp_path / "m.tflite", kit=kit)
    assert not list(kit.iterdir())


def test_features_that_are_too_far_off_make_no_kit(tmp_path: Path) -> None:
    shown, model = sort_photos(tmp_path / "photos", {"dots": 10, "waves": 10}), taught(tmp_path / "school")
    order, found, trial = Order(model, "int8", "uint8", pixels=True), find("tflite"), gathered(model, shown, None, 0)
    (tmp_path / "gated.tflite").write_bytes(b"")
    refused = kits.write(tmp_path / "kit", found, order, tmp_path / "gated.tflite", trial, 1.0)
    assert not refused.written
    assert refused.features.least < 1
    assert refused.reason.startswith(f"{tmp_path / 'kit'} is not written: the features' mean cosine")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["gated.tflite", "photos", "school"]


def test_a_full_disk_leaves_no_half_of_a_kit(tmp_path: Path) -> None:
    taught(tmp_path / "school").save(tmp_path / "own.safetensors")
    model, out, kit = tmp_path / "own.safetensors", tmp_path / "m.tflite", tmp_path / "disk" / "kit"
    run = [sys.executable, "-m", "hati", "export", str(model), "--out", str(out), "--kit", str(kit)]
    said, left = on_a_disk(kit.parent, "size=64k", "true", run)
    assert f"{kit} cannot be written: No space left on device" in said
    assert [name for name in left if not name.startswith("graph.")] == [], "there is nothing but compiled graphs"


def test_the_command_tells_of_the_kit(tmp_path: Path) -> None:
    taught(tmp_path / "school").save(tmp_path / "own.safetensors")
    model, out, kit = tmp_path / "own.safetensors", tmp_path / "m.tflite", tmp_path / "kit"
    done = CliRunner().invoke(main, ["export", str(model), "--out", str(out), "--kit", str(kit)])
    assert done.exit_code == 0, done.output
    assert f"{kit} is a kit: copy it to the device." in done.output
    assert "features' cosine with the model's own: 1.0000 at the least" in done.output
    assert "model.h is not there: microcontrollers take and give integers: --precision int8 --io int8" in done.output
    as_json = CliRunner().invoke(main, ["export", str(model), "--out", str(out), "--kit", str(kit), "--json"])
    assert json.loads(as_json.stdout)["kit"]["features"]["numbers"] == 12


def test_a_small_kit_in_integers_has_a_header(tmp_path: Path) -> None:
    shown = sort_photos(tmp_path / "photos", {"dots": 10, "waves": 10})
    settings = {"precision": "int8", "io": "int8", "calibrate": shown, "agreement": 0.0, "kit": tmp_path / "kit"}
    found = export(taught(tmp_path / "school"), tmp_path / "m.tflite", **settings)  # type: ignore[arg-type]
    assert found.kit is not None
    assert found.kit.arena is not None
    text = (tmp_path / "kit" / "model.h").read_text()
    assert f"#define MODEL_ARENA_BYTES {found.kit.arena.total}\n" in text
    assert '"blue",' in text
    assert found.kit.reason in repr(found)
    assert len(repr(found.kit)) < 200
    Device(Path(sys.executable), tmp_path / "kit").run("--check")
