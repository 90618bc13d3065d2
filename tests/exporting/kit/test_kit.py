"""A kit: what lies in it, what its program answers on a device that has nothing else, and what is refused."""

import json
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import kit_device
import numpy as np
import pytest
from export_cases import small
from kit_device import Device, kit_of, pictures, taught
from sorted_photos import sort_photos, texture

import hati
from hati import photos
from hati.exporting import Exported, export
from hati.exporting.formats import Order, find
from hati.exporting.kit.contents import Contents
from hati.model import Model
from hati.transfer.imprinting import imprint

Array = np.ndarray

LIKE_FLOATS = 1e-4  # by which scores of floats may differ between runtimes
EVERY_KIT = {"README.md", "classify.py", "features.tflite", "golden", "golden.json", "kit.json", "labels.txt"}
EVERY_KIT |= {"model.tflite", "requirements.txt", "teaching.py"}


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory, own: Path) -> Path:
    """The device's own, without hati; made once, also where several processes test."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if base.name.startswith("popen") else base
    return kit_device.environment(shared / "device", own / "requirements.txt")


@pytest.fixture(scope="module")
def lite(tmp_path_factory: pytest.TempPathFactory) -> Exported:
    """EfficientNet-Lite0 in integers, calibrated on textures."""
    folder = tmp_path_factory.mktemp("lite")
    shown = sort_photos(folder / "photos", {"dots": 10, "waves": 10, "checks": 10})
    settings = {"precision": "int8", "calibrate": shown, "agreement": 0.0}
    return export(hati.load(), folder / "lite.tflite", kit=folder / "kit", **settings)  # type: ignore[arg-type]


# ---------------------------------------------------------------------------------------------- integers, a catalog's


def test_a_kit_holds_the_gated_file_and_what_belongs_to_it(lite: Exported) -> None:
    assert lite.kit is not None
    folder = lite.kit.path
    assert {path.name for path in folder.iterdir()} == EVERY_KIT
    assert (folder / "model.tflite").read_bytes() == lite.path.read_bytes()
    assert (folder / "labels.txt").read_text().splitlines()[:2] == ["tench", "goldfish"]
    assert (folder / "requirements.txt").read_text().split() == ["numpy>=1.24", "pillow>=10.3", "ai-edge-litert>=1.0"]
    assert lite.kit.bytes == sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    assert lite.kit.features.numbers == 1280
    assert lite.kit.features.cosine >= lite.kit.features.least > 0.9
    assert lite.kit.not_micro.endswith("more than the 1 MB that fit a microcontroller")


def test_the_device_has_no_hati(python: Path, tmp_path: Path) -> None:
    done = subprocess.run([python, "-c", "import hati"], cwd=tmp_path, capture_output=True, text=True)
    assert "No module named 'hati'" in done.stderr


def test_a_device_checks_itself(python: Path, lite: Exported, tmp_path: Path) -> None:
    assert lite.kit is not None
    shutil.copytree(lite.kit.path, tmp_path / "kit")
    device = Device(python, tmp_path / "kit")
    assert len(device.run("--check").stdout.splitlines()) == 4
    golden = json.loads((device.kit / "golden.json").read_text())
    golden["pictures"]["cat.png"]["scores"][281] += 0.5
    golden["pictures"]["coffee.png"]["features"] = [1.0] * 1280
    (device.kit / "golden.json").write_text(json.dumps(golden))
    done = device.run("--check", status=1)
    assert [line.split()[0] for line in done.stdout.splitlines()] == ["astronaut.png", "rocket.png"]
    assert re.search(r"cat\.png differs: tabby scores 0\.\d+, 0\.\d+ was expected ± 0\.1", done.stderr)
    assert re.search(r"coffee\.png differs: .* its features' cosine is 0\.\d+, 0\.95 or more was expected", done.stderr)


def test_a_device_answers_as_the_file_did_here(python: Path, lite: Exported, cat: Path) -> None:
    assert lite.kit is not None
    device, model = Device(python, lite.kit.path), hati.load()
    [found] = device.scores(cat)
    shown = device.run(cat).stdout.splitlines()
    best = sorted(found, key=found.__getitem__, reverse=True)[:3]
    assert shown[0] == str(cat)
    assert [line.split() for line in shown[1:4]] == [[f"{found[name]:.4f}", name] for name in best]
    from hati.engines.tflite.running import TFLiteSession

    pixels = model.preprocessing.resize(photos.read(cat, needed=model.preprocessing.needed(model.size)), model.size)
    [expected] = TFLiteSession(lite.path)(pixels[np.newaxis])
    assert model.labels is not None
    named = {label.name: float(score) for label, score in zip(model.labels, expected, strict=True)}
    assert {name: found[name] for name in named} == named


def test_classes_that_a_device_was_taught_replace_the_catalogs(python: Path, lite: Exported, tmp_path: Path) -> None:
    assert lite.kit is not None
    shutil.copytree(lite.kit.path, tmp_path / "kit")
    device = Device(python, tmp_path / "kit")
    shown = {kind: sort_photos(tmp_path / kind, {kind: 3}, start=20) for kind in ("stripes", "waves")}
    told = device.run("--teach", "stripes", shown["stripes"]).stdout
    assert "taught here: stripes (3 photos)\nteach a second class" in told
    asked = texture("waves", 40)
    asked.save(tmp_path / "asked.png")
    assert len(device.scores(tmp_path / "asked.png")[0]) > 900, "one class is no classifier"
    device.run("--teach", "waves", shown["waves"])
    [found] = device.scores(tmp_path / "asked.png")
    assert max(found, key=found.__getitem__) == "waves"
    assert len(device.scores(tmp_path / "asked.png", original=True)[0]) > 900

    x = np.stack([vector_of(lite, path) for kind in shown.values() for path in sorted(kind.rglob("*.png"))])
    head = imprint(x, np.repeat(np.eye(2, dtype=bool), 3, axis=0))
    expected = head.scores(vector_of(lite, tmp_path / "asked.png")[np.newaxis])[0]
    assert [found["stripes"], found["waves"]] == pytest.approx(expected, abs=LIKE_FLOATS)
    assert device.run("--forget", "waves").stdout.startswith("taught here: stripes (3 photos)")
    assert len(device.scores(tmp_path / "asked.png")[0]) > 900


def vector_of(exported: Exported, path: Path) -> Array:
    from hati.engines.tflite.running import TFLiteSession

    assert exported.kit is not None
    model = hati.load()
    return TFLiteSession(exported.kit.path / "features.tflite")(
        model.preprocessing.resize(photos.read(path), model.size)[None]
    )[0]


# --------------------------------------------------------------------------------------------- floats, a person's own


@pytest.mark.parametrize(
    ("method", "several"),
    [("imprint", False), ("probe", False), ("imprint", True)],
    ids=["imprint", "probe", "several"],
)
def test_a_device_learns_a_class_as_hati_teach_does(method: str, several: bool, python: Path, tmp_path: Path) -> None:
    model = taught(tmp_path / "school", method, several)
    device = Device(python, kit_of(model, tmp_path))
    device.run("--check")
    shown, asked = pictures(tmp_path / "shown", 3), sorted((tmp_path / "school" / "validation").iterdir())
    before = [same_as(model, path) for path in asked]
    assert [
        scores == pytest.approx(wanted, abs=LIKE_FLOATS)
        for scores, wanted in zip(device.scores(*asked), before, strict=True)
    ]
    told = device.run("--teach", "dots", *shown)
    assert told.stdout == "taught here: dots (3 photos)\n"
    more = hati.teach(model, "dots", shown)
    for path, found in zip(asked, device.scores(*asked), strict=True):
        assert found == pytest.approx(same_as(more, path), abs=LIKE_FLOATS)
    for found, wanted in zip(device.scores(*asked, original=True), before, strict=True):
        assert found == pytest.approx(wanted, abs=LIKE_FLOATS)


def same_as(model: Model, path: Path) -> dict[str, float]:
    return {found.name: found.score for found in model.classify(path, top=9)}


def test_photos_at_several_times_count_as_photos_at_once(python: Path, tmp_path: Path) -> None:
    model = taught(tmp_path / "school")
    device, shown = Device(python, kit_of(model, tmp_path)), pictures(tmp_path / "shown", 4)
    device.run("--teach", "dots", shown[0])
    told = device.run("--teach", "dots", tmp_path / "nothing.png", *shown[1:], status=1)
    assert told.stderr.endswith("nothing.png: there is no such file\n")
    assert told.stdout == "taught here: dots (4 photos)\n"
    asked = sorted((tmp_path / "school" / "validation").iterdir())[:3]
    more = hati.teach(model, "dots", shown)
    for path, found in zip(asked, device.scores(*asked), strict=True):
        assert found == pytest.approx(same_as(more, path), abs=LIKE_FLOATS)


def test_two_that_teach_at_once_both_count(python: Path, tmp_path: Path) -> None:
    device = Device(python, kit_of(taught(tmp_path / "school"), tmp_path))
    shown = pictures(tmp_path / "shown", 4)
    ways = [[str(python), "classify.py", "--teach", f"dots {number}", str(path)] for number, path in enumerate(shown)]
    for teacher in [subprocess.Popen(way, cwd=device.kit, stdout=subprocess.DEVNULL) for way in ways]:
        assert teacher.wait() == 0
    assert {f"dots {number}" for number in range(4)} < device.scores(shown[0])[0].keys()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "give photos"),
        (["--top", "0", "x.png"], "'0' is no number from 1 on"),
        (["--check", "x.png"], "--forget and --check take no photos"),
        (["--check", "--forget", "dots"], "one of --teach, --forget and --check at a time"),
        (["--teach", "RED", "x.png"], "'red' is known; write it so"),
        (["--teach", "dots", "x.png"], "no photo of dots could be read; nothing was learnt"),
        (["--forget", "dots"], "'dots' was not taught here; taught here: nothing"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_wrong_use_ends_in_a_sentence(arguments: list[str], message: str, own: Path) -> None:
    assert message in Device(Path(sys.executable), own).run(*arguments, status=2).stderr


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("own")
    return kit_of(taught(folder / "school"), folder)


@pytest.mark.parametrize(
    "name", ["kit.json", "labels.txt", "head.npz", "model.tflite", "features.tflite", "golden.json"]
)
@pytest.mark.parametrize("fault", ["missing", "damaged"])
def test_a_kit_that_lost_a_part_says_which(name: str, fault: str, own: Path, tmp_path: Path) -> None:
    kit, [photo] = tmp_path / "kit", pictures(tmp_path / "shown", 1)
    shutil.copytree(own, kit)
    device = Device(Path(sys.executable), kit)
    device.run("--teach", "dots", photo)
    (kit / name).unlink() if fault == "missing" else (kit / name).write_bytes(b"\xff\x00")
    asked = ["--check"] if name in ("golden.json", "model.tflite") else [photo]
    done = device.run(*asked, status=2)
    assert name in done.stderr
    assert "copy the kit again" in done.stderr


@pytest.mark.parametrize("odd", ["gre\ren", "gre\x85en", "gre\u2028en"])
def test_a_device_parts_labels_at_the_ends_of_lines_and_nowhere_else(odd: str, own: Path, tmp_path: Path) -> None:
    shutil.copytree(own, tmp_path / "kit")
    device, [photo] = Device(Path(sys.executable), tmp_path / "kit"), pictures(tmp_path / "shown", 1)
    labels = device.kit / "labels.txt"
    before = device.scores(photo)[0]
    labels.write_bytes(labels.read_bytes().replace(b"green", odd.encode()))
    assert device.scores(photo)[0] == {name.replace("green", odd): score for name, score in before.items()}


def test_whoever_reads_may_stop_reading(own: Path) -> None:
    photos = [str(path) for path in (own / "golden").iterdir()] * 5
    command = f"{shlex.join([sys.executable, 'classify.py', '--top', '1', *photos])} | head -n 1"
    done = subprocess.run(["bash", "-c", command], cwd=own, capture_output=True, text=True)
    assert (done.stdout, done.stderr) == (f"{photos[0]}\n", "")


def test_an_onnx_kit_is_run_by_onnx_runtime(tmp_path: Path) -> None:
    model = taught(tmp_path / "school")
    device = Device(Path(sys.executable), kit_of(model, tmp_path, "onnx"))
    assert (device.kit / "requirements.txt").read_text().split()[-1] == "onnxruntime>=1.16"
    device.run("--check")
    shown, asked = pictures(tmp_path / "shown", 3), tmp_path / "school" / "validation" / "red_0.png"
    device.run("--teach", "dots", *shown)
    assert device.scores(asked)[0] == pytest.approx(same_as(hati.teach(model, "dots", shown), asked), abs=LIKE_FLOATS)


@pytest.mark.parametrize("name", ["tflite", "onnx"])
@pytest.mark.parametrize("options", [{"pixels": True}, {"precision": "float16"}], ids=["pixels", "float16"])
def test_kits_of_every_kind_check_themselves(name: str, options: dict[str, Any], tmp_path: Path) -> None:
    Device(Path(sys.executable), kit_of(taught(tmp_path / "school"), tmp_path, name, **options)).run("--check")


@pytest.mark.parametrize("family", ["ConvNeXtTiny", "MobileNet", "MobileNetV3Small", "NASNetMobile", "VGG16"])
def test_features_of_every_kind_of_end_are_a_vector(family: str, tmp_path: Path) -> None:
    """A classifier is a dense layer or a convolution, behind a mean, a map of one pixel, or another dense layer."""
    model, picture = small(family), texture("dots", 1)
    body = Contents(tmp_path, find("tflite"), Order(model)).body
    [found] = body.predict(model.preprocessing(picture, model.size)[np.newaxis])
    np.testing.assert_allclose(found, model.features(picture), rtol=1e-3, atol=1e-5)


def test_the_readmes_commands_do_what_they_say(python: Path, own: Path, tmp_path: Path) -> None:
    kit = tmp_path / "kit"
    shutil.copytree(own, kit)
    (kit / "holiday").mkdir()
    for name in ("photo.jpg", "holiday/1.jpg", "a.jpg", "b.jpg"):
        texture("dots", len(name)).save(kit / name)
    commands = re.findall(r"^\$ env/bin/python classify\.py ([^#\n]*)", (kit / "README.md").read_text(), re.MULTILINE)
    assert len(commands) == 4
    for command in commands:
        Device(python, kit).run(*command.split())
