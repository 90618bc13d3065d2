"""A model becomes a file once the file's runtime has answered as the model does; else nothing is left."""

import sys
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tflite_files
from disks import on_a_disk
from export_cases import linked, renamed, taught
from sorted_photos import TEXTURES, sort_photos

import hati
from hati import photos
from hati.errors import ArgumentError
from hati.exporting import Exported, export
from hati.exporting.edge_tpu import edge_tpu
from hati.exporting.trial import samples
from hati.model import Model


@pytest.fixture(scope="module")
def real(shared: Path) -> Model:
    """MobileNet a quarter as wide, with Keras' weights."""
    return hati.load("MobileNet", weights=shared / "mobilenet_2_5_224_tf.h5", alpha=0.25)


@pytest.fixture(scope="module")
def few(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return linked(shared / "imagenet_ccby", tmp_path_factory.mktemp("few"), 90)


@pytest.fixture(scope="module")
def in_bytes(real: Model, shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Exported:
    out = tmp_path_factory.mktemp("int8") / "mobilenet.tflite"
    return export(real, out, precision="int8", calibrate=shared / "imagenet_ccby", agreement=0.85)


def test_int8_names_what_the_model_names(in_bytes: Exported) -> None:
    assert in_bytes.written
    assert in_bytes.path.is_file()
    assert (in_bytes.calibrated_on, in_bytes.measured.photos) == (128, 272)
    assert in_bytes.measured.agreement >= 0.85
    low, high = in_bytes.measured.interval
    assert low < in_bytes.measured.agreement < high
    assert in_bytes.measured.bytes == in_bytes.path.stat().st_size < 620_000
    assert in_bytes.measured.latency.keys() == {1, 2}
    assert in_bytes.measured.memory is not None
    assert 20e6 < in_bytes.measured.memory < 200e6
    assert in_bytes.edge_tpu is not None
    assert not in_bytes.edge_tpu.left


def test_the_operators_told_are_those_of_the_file(in_bytes: Exported) -> None:
    found = tflite_files.read(in_bytes.path.read_bytes())
    assert in_bytes.measured.operators == Counter(one.kind for one in found.operators)
    assert found.metadata.keys() == {"min_runtime_version", "TFLITE_METADATA"}
    assert b"Apache-2.0" in found.metadata["TFLITE_METADATA"]


def test_the_file_alone_names_a_photo(in_bytes: Exported, real: Model, shared: Path) -> None:
    """As whoever has nothing but the file and its runtime: bytes in, the labels out of the archive behind it."""
    import zipfile

    from ai_edge_litert.interpreter import Interpreter

    photo = shared / "elephant-224.png"
    network = Interpreter(str(in_bytes.path))
    network.allocate_tensors()
    network.set_tensor(network.get_input_details()[0]["index"], np.asarray(photos.read(photo))[np.newaxis])
    network.invoke()
    [scores] = network.get_tensor(network.get_output_details()[0]["index"])
    with zipfile.ZipFile(in_bytes.path) as archive:
        names = archive.read("labels.txt").decode().splitlines()
    assert scores.dtype == np.uint8
    assert {names[place] for place in np.argsort(scores)[-2:]} == {one.name for one in real.classify(photo, top=2)}


@pytest.mark.parametrize(("precision", "shift", "ratio"), [("float32", 1e-5, 1.02), ("float16", 0.05, 0.53)])
def test_floats_answer_as_the_model_does(
    real: Model, shared: Path, tmp_path: Path, precision: Any, shift: float, ratio: float
) -> None:
    out = tmp_path / "mobilenet.tflite"
    found = export(real, out, precision=precision, check=shared / "imagenet_ccby")
    assert found.written
    assert found.measured.photos == 400
    assert found.measured.agreement >= (1.0 if precision == "float32" else 0.985)
    assert found.measured.shift <= shift
    assert out.stat().st_size <= ratio * 4 * real.count_params() + 25_000


def test_without_photos_hatis_own_are_taken(real: Model, tmp_path: Path) -> None:
    assert len(list(samples())) == 16
    found = export(real, tmp_path / "mobilenet.tflite", pixels=True)
    assert (found.written, found.samples, found.measured.photos, found.takes_pixels) == (True, True, 16, True)
    assert found.measured.shift <= 1e-5


def test_a_file_that_is_not_good_enough_leaves_nothing_but_the_one_of_before(
    real: Model, few: Path, tmp_path: Path
) -> None:
    out = tmp_path / "mobilenet.tflite"
    out.write_bytes(b"before")
    found = export(real, out, precision="int8", calibrate=few, agreement=0.99)
    assert not found.written
    assert list(tmp_path.iterdir()) == [out]
    assert out.read_bytes() == b"before"
    assert "99.0% were asked for" in found.reason
    assert found.reason in repr(found)
    assert f"{found.measured.bytes / 1e6:.2f} MB" in repr(found)
    assert len(repr(found)) < 300
    names = {node.name for node in real.graph.nodes}
    assert {name for name, _ in found.hurts} <= names
    assert [hurt for _, hurt in found.hurts] == sorted((hurt for _, hurt in found.hurts), reverse=True)
    assert found.hurts[0][0] in found.advice[0]
    assert any("EfficientNetLite0" in line for line in found.advice)


def test_layers_stay_in_float_where_they_are_asked_to(real: Model, few: Path, tmp_path: Path) -> None:
    out = tmp_path / "mobilenet.tflite"
    kept = ("conv1", "conv_dw_1")
    found = export(real, out, precision="int8", calibrate=few, agreement=0.8, keep=kept, rank=True)
    assert found.written
    assert found.kept == kept
    assert {"conv1", "conv_dw_1"} <= {name for name, _ in found.hurts}
    types = {tensor.name: tensor.type for tensor in tflite_files.read(out.read_bytes()).tensors}
    assert types["conv1/kernel"] == types["conv_dw_1/kernel"] == "FLOAT32"
    assert types["conv_pw_1/kernel"] == "INT8"
    assert found.edge_tpu is not None
    assert not found.edge_tpu.taken


def test_a_taught_model_keeps_its_own_classes(tmp_path: Path) -> None:
    import zipfile

    folder = sort_photos(tmp_path / "textures", dict.fromkeys(TEXTURES, 12))
    trained = hati.train(folder, method="imprint", verbose=0)
    out = tmp_path / "textures.tflite"
    found = export(trained.model, out, precision="int8", calibrate=folder)
    assert found.written
    assert found.measured.agreement >= 0.9
    with zipfile.ZipFile(out) as archive:
        assert archive.read("labels.txt").decode().split() == list(trained.photos)


REFUSED: list[tuple[str, dict[str, Any], str]] = [
    ("lite.tflite", {"precision": "int8"}, "give a folder of them to calibrate on"),
    ("lite.tflite", {"io": "uint8"}, "for precision 'int8'"),
    ("lite.tflite", {"precision": "int4"}, "it can be float32, float16, int8"),
    ("lite.tflite", {"agreement": 1.5}, "it can be 0 to 1"),
    ("lite.tflite", {"keep": ("stem_conv",)}, "precision is 'float32'"),
    ("lite.tflite", {"opset": 17}, "which is for ONNX; leave it out"),
    ("lite.tflite", {"to": "paper"}, "there is no format 'paper'"),
    ("lite.onnx", {"to": "tflite"}, "a file for tflite ends in .tflite"),
    ("lite", {}, "what is it to be"),
    ("nowhere/lite.tflite", {}, "its folder is not there"),
]


@pytest.mark.parametrize(("name", "options", "told"), REFUSED, ids=[told for *_, told in REFUSED])
def test_what_cannot_be_is_refused_in_one_sentence(
    tmp_path: Path, name: str, options: dict[str, Any], told: str
) -> None:
    with pytest.raises(ArgumentError, match=told):
        export(hati.load(), tmp_path / name, **options)
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_layer_is_refused_before_any_photo_is_read(tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match="has no layer nose, tail"):
        export(hati.load(), tmp_path / "a.tflite", precision="int8", calibrate=tmp_path, keep=("tail", "nose"))


@pytest.mark.parametrize("end", ["\n", "\r", "\x0b", "\x85", "\u2028"])
@pytest.mark.parametrize("name", ["a.tflite", "a.onnx"])
def test_a_label_of_two_lines_is_refused_before_any_photo_is_read(end: str, name: str, tmp_path: Path) -> None:
    """A TFLite file and a kit list one class a line; ONNX alone has its labels as JSON."""
    model = renamed(taught(tmp_path / "photos"), ("red", f"gre{end}en", "blue"))
    kit = None if name == "a.tflite" else tmp_path / "kit"
    with pytest.raises(ArgumentError, match=r"the class 'gre.*en' has a line's end in its name"):
        export(model, tmp_path / name, check=tmp_path / "no photos", kit=kit)
    assert [path.name for path in tmp_path.iterdir()] == ["photos"]


def test_too_few_photos_are_told_of(tmp_path: Path, cat: Path) -> None:
    with pytest.raises(ArgumentError, match="at least 20 are needed"):
        export(hati.load(), tmp_path / "a.tflite", precision="int8", calibrate=[cat] * 5)
    with pytest.raises(ArgumentError, match="no photo to check with"):
        export(hati.load(), tmp_path / "a.tflite", check=[b"no photo"])


def test_every_layer_without_a_rule_is_named_before_anything_is_written(tmp_path: Path, cat: Path) -> None:
    model = hati.load("ConvNeXtTiny", weights=None)
    with pytest.raises(ArgumentError, match="23 layers without a rule for TFLite in int8") as told:
        export(model, tmp_path / "a.tflite", precision="int8", calibrate=[cat] * 30)
    normalisations = [node.name for node in model.graph.nodes if node.layer.kind == "LayerNormalization"]
    assert len(normalisations) == 23
    assert all(name in str(told.value) for name in normalisations)
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_one_sentence(shared: Path, tmp_path: Path) -> None:
    weights = str(shared / "mobilenet_2_5_224_tf.h5")
    out = tmp_path / "disk" / "mobilenet.tflite"
    run = [sys.executable, "-m", "hati", "export", "MobileNet_0.25_224", "--weights", weights, "--out", str(out)]
    said, left = on_a_disk(out.parent, "size=1m", "true", run)
    assert f"{out} cannot be written: No space left on device" in said
    assert left == []


@pytest.mark.parametrize(
    ("operators", "precision", "numbers", "taken", "told"),
    [
        ({"CONV_2D": 3, "SOFTMAX": 1}, "int8", "uint8", 4, ""),
        ({"CONV_2D": 3, "HARD_SWISH": 2}, "int8", "int8", 3, "it has no HARD_SWISH"),
        ({"CONV_2D": 3}, "float16", "float32", 0, "this is float16"),
        ({"CONV_2D": 3}, "int8", "float32", 0, "--io uint8 or int8"),
        ({"CONV_2D": 3, "DEQUANTIZE": 1}, "int8", "uint8", 0, "kept in float"),
    ],
)
def test_what_an_edge_tpu_takes(operators: dict[str, int], precision: str, numbers: str, taken: int, told: str) -> None:
    found = edge_tpu(operators, precision, numbers)
    assert sum(found.taken.values()) == taken
    assert found.taken | found.left == operators
    assert told in found.reason
