"""What every format of an export must keep: answers, preprocessing inside or outside, every kind of layer."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from export_cases import answers, expected, layered, noise, real, small
from tiny_body import SIZE, every_layer, few_layers

import hati
from hati.errors import ArgumentError
from hati.exporting import formats
from hati.exporting.formats import Order, Precision
from hati.network.graph import Graph
from hati.network.layers import Activation, Conv2D, Dense, GlobalAveragePooling2D, InputLayer, LayerNormalization
from hati.preprocessing import NORMALISATIONS

NAMES = ("tflite", "onnx", "openvino", "torch")
FAMILIES_OF = {
    "tflite": (
        "VGG16", "ResNet50", "ResNet50V2", "Xception", "InceptionV3", "MobileNetV2", "MobileNetV3Small", "DenseNet121",
        "NASNetMobile", "EfficientNetB0", "EfficientNetV2B0", "ConvNeXtTiny", "EfficientNetLite0",
    ),
    "onnx": (
        "VGG16", "ResNet50", "ResNet50V2", "Xception", "InceptionV3", "InceptionResNetV2", "MobileNet", "MobileNetV2",
        "MobileNetV3Small", "DenseNet121", "NASNetMobile", "EfficientNetB0", "EfficientNetV2B0", "ConvNeXtTiny",
        "EfficientNetLite0",
    ),
    "openvino": ("ResNet50", "MobileNetV3Small", "EfficientNetLite0"),
    "torch": ("VGG16", "MobileNetV3Small"),
}  # fmt: skip
OUTSIDE = ("ResNet50", "MobileNet", "DenseNet121", "EfficientNetLite0")  # networks of each normalisation

pytestmark = pytest.mark.usefixtures("one_thread")


def format_of(name: str) -> formats.Format:
    try:
        return formats.find(name)
    except ArgumentError as error:
        pytest.skip(str(error))


@pytest.mark.parametrize(
    ("name", "function", "pixels"),
    [
        *((name, function, True) for name in NAMES for function in FAMILIES_OF[name]),
        *((name, function, False) for name in ("tflite", "onnx") for function in OUTSIDE),
        ("openvino", "DenseNet121", False),
        ("torch", "EfficientNetLite0", False),
    ],
)
def test_every_family_answers_as_its_model_does(name: str, function: str, pixels: bool, tmp_path: Path) -> None:
    model = small(function)
    x = noise(model)
    found = answers(format_of(name), Order(model, pixels=pixels), tmp_path, x)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected(model, x), rtol=0, atol=1e-5)


@pytest.mark.parametrize(
    ("precision", "pixels", "least", "bytes_each"),
    [("float32", True, 1, 4), ("float32", False, 1, 4), ("float16", True, 0.985, 2), ("int8", False, 0.85, 1)],
)
@pytest.mark.parametrize(("name", "holder", "besides"), [("onnx", "model.onnx", 0.3), ("openvino", "model.bin", 0.15)])
def test_real_weights_keep_their_names_on_real_photos(
    name: str,
    holder: str,
    besides: float,
    precision: Precision,
    pixels: bool,
    least: float,
    bytes_each: int,
    shared: Path,
    tmp_path: Path,
) -> None:
    found = format_of(name)
    model = hati.load("MobileNet", weights=shared / "mobilenet_2_5_224_tf.h5", alpha=0.25)
    x = real(model, shared / "imagenet_ccby", 150)
    order = Order(model, precision, pixels=pixels)
    if precision == "int8":
        order = replace(order, quantisation=found.calibrated(order, x[:30]))
    scores, right = answers(found, order, tmp_path, x[30:]), expected(model, x[30:])
    assert (scores.argmax(1) == right.argmax(1)).mean() >= least
    written = (tmp_path / holder).stat().st_size
    assert written == pytest.approx(bytes_each * model.count_params(), rel=besides)
    if precision == "float32":
        np.testing.assert_allclose(scores, right, rtol=0, atol=1e-5)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("pixels", [True, False])
@pytest.mark.parametrize("normalisation", NORMALISATIONS)
def test_every_normalisation_goes_inside_or_stays_outside(
    normalisation: str, pixels: bool, name: str, tmp_path: Path
) -> None:
    model = layered(few_layers(), normalisation)
    x = noise(model)
    right = expected(model, x)
    found = answers(format_of(name), Order(model, pixels=pixels), tmp_path, x)
    np.testing.assert_allclose(found, right, rtol=0, atol=1e-5 * np.abs(right).max())


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("normalisation", ["tf", "caffe"])
def test_every_kind_of_layer_is_there_afterwards(normalisation: str, name: str, tmp_path: Path) -> None:
    model = layered(every_layer(), normalisation)
    x = noise(model, 4)
    right = expected(model, x)
    found = answers(format_of(name), Order(model, pixels=True), tmp_path, x)
    np.testing.assert_allclose(found, right, rtol=0, atol=1e-5 * np.abs(right).max())


def called_as_the_ends_are() -> Graph:
    """A small network whose layers have the names that formats call a model's ends by."""
    x = InputLayer((*SIZE, 3))(name="image")
    x = Conv2D(8, 3, 2, activation="relu6")(x, name="output")
    x = Activation("silu")(Conv2D(8, 3)(x, name="input"), name="x")
    return Graph(Dense(4)(GlobalAveragePooling2D()(x, name="y"), name="picture"), "ends")


@pytest.mark.parametrize("precision", ["float32", "float16", "int8"])
@pytest.mark.parametrize("name", NAMES)
def test_layers_may_be_called_as_a_models_ends_are(name: str, precision: Precision, tmp_path: Path) -> None:
    found, model = format_of(name), layered(called_as_the_ends_are())
    if precision not in found.precisions:
        pytest.skip(f"{name} has no {precision}")
    x = noise(model, 8)
    order = Order(model, precision, pixels=True, keep=("output",) if precision == "int8" else ())
    if precision == "int8":
        order = replace(order, quantisation=found.calibrated(order, x))
    right = expected(model, x)
    tolerance = {"float32": 1e-5, "float16": 1e-2, "int8": 5e-2}[precision]
    np.testing.assert_allclose(answers(found, order, tmp_path, x), right, rtol=0, atol=tolerance * np.abs(right).max())


@pytest.mark.parametrize("name", formats.FORMATS)
def test_every_format_is_what_the_protocol_says(name: str) -> None:
    found = __import__(f"hati.exporting.{name}", fromlist=[name])
    assert all(hasattr(found, one) for one in (*formats.Format.__annotations__, *vars(formats.Format)) if one[0] != "_")


def test_a_layer_without_a_rule_is_named_before_anything_is_written() -> None:
    graph = Graph(LayerNormalization()(InputLayer((8, 8, 3))(), name="odd"))
    order = Order(layered(graph, "tf"), "int8", "uint8", pixels=True)
    with pytest.raises(ArgumentError, match=r"odd \(LayerNormalization\)"):
        formats.check(formats.find("tflite"), order)
