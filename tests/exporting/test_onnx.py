"""ONNX files in ONNX Runtime: the answers of the model that they come from, for whoever has nothing but the file."""

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import export_cases
import numpy as np
import onnx
import onnxruntime
import pytest
from export_cases import changed, expected, layered, noise, real, small, taught
from PIL import Image, ImageOps
from tiny_body import SIZE, every_layer, few_layers

import hati
from hati.engines.onnx import opsets
from hati.errors import ArgumentError
from hati.exporting import onnx as to_onnx
from hati.exporting.formats import Order
from hati.keras import applications
from hati.model import Model
from hati.network import layers
from hati.network.graph import Graph
from hati.network.layers import Dense, InputLayer
from hati.preprocessing import Preprocessing
from hati.weights import random

Array = np.ndarray
written, answers = partial(export_cases.written, to_onnx), partial(export_cases.answers, to_onnx)

OUTSIDE = ("ResNet50", "MobileNet", "DenseNet121", "EfficientNetLite0")  # networks of each normalisation


def calibrated(order: Order, pixels: Array) -> Order:
    return replace(order, precision="int8", quantisation=to_onnx.calibrated(order, pixels))


@pytest.mark.parametrize("function", ["DenseNet121", "MobileNetV3Small", "EfficientNetB0", "ConvNeXtTiny"])
def test_float16_computes_in_float16_and_gives_float32(function: str, tmp_path: Path) -> None:
    model = small(function)
    x = noise(model)
    path = written(Order(model, "float16"), tmp_path)
    found = to_onnx.opened(path, Order(model, "float16"), 1)(x)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected(model, x), rtol=0, atol=1e-3)
    kinds = {tensor.data_type for tensor in onnx.load(path).graph.initializer}
    assert onnx.TensorProto.FLOAT not in kinds
    assert path.stat().st_size == pytest.approx(2 * model.count_params(), rel=0.2)


def test_the_default_model_keeps_its_names_in_int8(shared: Path, tmp_path: Path) -> None:
    model = hati.load()
    x = real(model, shared / "imagenet_ccby", 60)
    order = calibrated(Order(model, pixels=True), x[:20])
    scores = answers(order, tmp_path, x[20:])
    assert (scores.argmax(1) == expected(model, x[20:]).argmax(1)).mean() >= 0.93
    assert (tmp_path / "model.onnx").stat().st_size < 0.28 * 4 * model.count_params()


def read_by_a_stranger(path: Path, photo: Path, top: int) -> list[tuple[str, float]]:
    """With ONNX Runtime, Pillow and NumPy alone, and what the file says."""
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    told = session.get_modelmeta().custom_metadata_map
    how, labels = json.loads(told["preprocessing"]), json.loads(told["labels"])
    image = ImageOps.exif_transpose(Image.open(photo)).convert("RGB")
    height, width = how["size"]
    scale = how["crop"] * min(image.width / width, image.height / height)
    left, upper = (image.width - scale * width) / 2, (image.height - scale * height) / 2
    box = (left, upper, image.width - left, image.height - upper)
    x = np.asarray(image.resize((width, height), Image.Resampling[how["interpolation"].upper()], box))
    if how["type"] == "float32":
        x = (x.astype(np.float32) / how["scale"] - how["mean"]) / how["deviation"]
    (scores,) = session.run(None, {"image": x[None].astype(how["type"])})
    best = np.argsort(-scores[0])[:top]
    return [(labels[i]["name"] if isinstance(labels[i], dict) else labels[i], float(scores[0][i])) for i in best]


@pytest.mark.parametrize("pixels", [True, False])
def test_a_stranger_answers_with_nothing_but_the_file(pixels: bool, cat: Path, tmp_path: Path) -> None:
    model = hati.load()
    found = read_by_a_stranger(written(Order(model, pixels=pixels), tmp_path), cat, top=5)
    right = model.classify(cat, top=5, every_pixel=True)
    assert [name for name, _ in found] == [one.name for one in right]
    np.testing.assert_allclose([score for _, score in found], [one.score for one in right], rtol=0, atol=1e-5)


def test_a_taught_model_brings_its_own_names(tmp_path: Path) -> None:
    model = taught(tmp_path / "photos")
    photo = next((tmp_path / "photos" / "validation").glob("*.png"))
    path = written(Order(model, pixels=True), tmp_path)
    found = read_by_a_stranger(path, photo, top=3)
    right = model.classify(photo, top=3)
    assert [name for name, _ in found] == [one.name for one in right]
    told = {entry.key: entry.value for entry in onnx.load(path).metadata_props}
    assert json.loads(told["labels"]) == ["blue", "green", "red"]
    provenance = json.loads(told["provenance"])
    assert (provenance["hati"], provenance["taught"]["method"]) == (hati.__version__, "imprint")
    assert provenance["taught"]["photos"] == [["blue", 4], ["green", 4], ["red", 4]]


def test_a_file_tells_the_licence_where_the_catalog_knows_it(shared: Path, tmp_path: Path) -> None:
    published = hati.load("MobileNet", weights=shared / "mobilenet_2_5_224_tf.h5", alpha=0.25)
    for model, licence in ((published, "Apache-2.0"), (small("MobileNet"), None)):
        [told] = [entry for entry in to_onnx.built(Order(model)).metadata_props if entry.key == "provenance"]
        assert json.loads(told.value)["licence"] == licence


@pytest.mark.parametrize("count", [1, 5])
def test_a_batch_is_as_long_as_it_comes(count: int, tmp_path: Path) -> None:
    model = small("MobileNetV3Small")
    x = noise(model, count)
    assert answers(Order(model, pixels=True), tmp_path, x).shape == (count, 10)


def test_threads_change_nothing_but_the_time(tmp_path: Path) -> None:
    order = Order(small("MobileNet"), pixels=True)
    path, x = written(order, tmp_path), noise(order.model)
    one, two = (to_onnx.opened(path, order, threads)(x) for threads in (1, 2))
    np.testing.assert_array_equal(one, two)


@pytest.mark.parametrize("pixels", [True, False])
def test_a_file_runs_with_nothing_but_the_runtime(pixels: bool, tmp_path: Path) -> None:
    path = written(Order(layered(few_layers()), pixels=pixels), tmp_path)
    subprocess.run([sys.executable, "-c", to_onnx.ALONE, path], check=True)


def ending_in_a_map() -> Graph:
    x = layers.Conv2D(4, 3, activation="softmax")(InputLayer((*SIZE, 3))(name="picture"), name="classes")
    return Graph(x)


NEWEST = opsets.newest()
LOWEST: list[tuple[str, Callable[[], Model], int, str]] = [
    ("a MobileNet", partial(small, "MobileNet"), 11, ""),
    ("hard sigmoids", partial(small, "MobileNetV3Small"), 14, "HardSwish"),
    ("every layer", lambda: layered(every_layer()), 17, "LayerNormalization"),
    ("a softmax for each pixel", lambda: layered(ending_in_a_map()), 13, "Softmax of a map"),
    (
        "the maximum of a map",
        lambda: applications.MobileNet(weights=None, input_shape=(64, 64, 3), include_top=False, pooling="max"),
        11,
        "",
    ),
]


@pytest.mark.parametrize(("make", "lowest"), [row[1:3] for row in LOWEST], ids=[row[0] for row in LOWEST])
def test_any_opset_that_the_operators_allow_answers_the_same(
    make: Callable[[], Model], lowest: int, tmp_path: Path
) -> None:
    model = make()
    x = noise(model)
    right = expected(model, x)
    for opset in sorted({lowest, 12, 13, 17, 18, NEWEST} - set(range(lowest))):
        path = written(Order(model, pixels=True, opset=opset), tmp_path)
        assert onnx.load(path).opset_import[0].version == opset
        np.testing.assert_allclose(to_onnx.opened(path, Order(model, pixels=True), 1)(x), right, rtol=0, atol=1e-5)


@pytest.mark.parametrize(("make", "lowest", "operator"), [row[1:] for row in LOWEST], ids=[row[0] for row in LOWEST])
def test_an_opset_that_is_too_low_is_refused_by_the_operator_that_needs_more(
    make: Callable[[], Model], lowest: int, operator: str
) -> None:
    with pytest.raises(ArgumentError, match=f"opset is {lowest - 1}; .* from {lowest} on, which .*{operator}"):
        to_onnx.check(Order(make(), opset=lowest - 1))


def test_int8_needs_an_opset_with_a_scale_for_each_channel(tmp_path: Path) -> None:
    model = small("MobileNet")
    order = calibrated(Order(model), noise(model))
    assert answers(replace(order, opset=13), tmp_path, noise(model)).shape == (3, 10)
    with pytest.raises(ArgumentError, match="from 13 on, which DequantizeLinear needs"):
        to_onnx.check(replace(order, opset=12))


def test_an_opset_that_onnx_does_not_know_is_refused() -> None:
    with pytest.raises(ArgumentError, match=f"opset is {NEWEST + 1}; onnx .* up to {NEWEST}: take"):
        to_onnx.check(Order(small("MobileNet"), opset=NEWEST + 1))


def test_weights_that_float16_cannot_hold_are_refused(tmp_path: Path) -> None:
    model = changed(small("MobileNet"), "conv_preds/bias", 1e6)
    with pytest.raises(ArgumentError, match=r"conv_preds/bias has weights up to 1e\+06; float16 ends at 65504"):
        to_onnx.write(Order(model, "float16"), tmp_path / "model.onnx")


def test_more_than_a_file_can_hold_is_refused_before_weights_are_made() -> None:
    x = InputLayer((4, 4, 3))(name="picture")
    graph = Graph(Dense(70_000)(Dense(8_000)(layers.Flatten()(x))), "wide")
    model = Model(graph, random(graph), Preprocessing("tf", 1.0, "bilinear"), labels=None, size=(4, 4))
    with pytest.raises(ArgumentError, match=r"wide has 2\.1 GiB of weights .* less than 2 GiB"):
        to_onnx.check(Order(model))


def test_int8_is_refused_without_photos_and_for_layers_that_are_not_there(tmp_path: Path) -> None:
    model = small("MobileNet")
    with pytest.raises(ArgumentError, match="calibrate"):
        to_onnx.write(Order(model, "int8"), tmp_path / "model.onnx")
    with pytest.raises(ArgumentError, match="has no layer elsewhere"):
        to_onnx.check(Order(model, "int8", keep=("conv1", "elsewhere")))


def test_layers_that_are_kept_stay_in_float(tmp_path: Path) -> None:
    model = small("MobileNet")
    order = calibrated(Order(model), noise(model))
    assert order.quantisation is not None
    names = order.quantisation.layers
    assert len(names) == 28
    counts = [to_onnx.operators(written(replace(order, keep=kept), tmp_path)) for kept in ((), names[:3])]
    assert counts[0]["DequantizeLinear"] > counts[1]["DequantizeLinear"]
    assert counts[0]["Conv"] == counts[1]["Conv"] == 28
    to_onnx.check(replace(order, keep=names))
