"""Core ML: converted where coremltools is installed, run on macOS, and refused elsewhere."""

import json
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from export_cases import FAMILIES, changed, expected, noise, small, taught

from hati.errors import ArgumentError
from hati.exporting import coreml as to_coreml
from hati.exporting import formats
from hati.exporting.formats import Order

mac = pytest.mark.skipif(sys.platform != "darwin", reason="Core ML runs on macOS alone")
converting = [
    pytest.mark.skipif(find_spec("coremltools") is None, reason="coremltools is not installed"),
    pytest.mark.filterwarnings("ignore"),  # coremltools warns of itself: temporary folders, deprecated functions
    pytest.mark.usefixtures("one_thread"),
]


@pytest.mark.skipif(sys.platform == "darwin", reason="Core ML runs here")
def test_elsewhere_it_is_refused_by_one_sentence_that_says_what_to_take() -> None:
    found = formats.find("coreml")  # no package is asked for that would not help
    with pytest.raises(ArgumentError, match=f"this is {sys.platform}: Core ML runs on macOS alone, .*take onnx or tf"):
        formats.check(found, Order(small("MobileNet")))


def test_integers_are_refused() -> None:
    model = small("MobileNet")
    with pytest.raises(ArgumentError, match="coreml cannot be written with precision 'int8'"):
        to_coreml.calibrated(Order(model, "int8"), noise(model))


@pytest.mark.parametrize("function", FAMILIES)
@pytest.mark.parametrize("pixels", [True, False])
class TestConversion:
    pytestmark = converting

    def test_every_family_is_converted(self, function: str, pixels: bool) -> None:
        model = to_coreml.converted(Order(small(function), pixels=pixels))
        described = model.get_spec().description
        assert ([x.name for x in described.input], [y.name for y in described.output]) == (["image"], ["output"])
        size, sides = described.input[0].type.imageType, list(described.input[0].type.multiArrayType.shape)
        side = FAMILIES[function]
        assert ((size.height, size.width), sides) == (((side, side), []) if pixels else ((0, 0), [1, side, side, 3]))


@pytest.mark.parametrize(("precision", "bytes_each"), [("float32", 4), ("float16", 2)])
class TestPackage:
    pytestmark = converting

    def test_a_package_holds_its_weights_and_says_what_they_are(
        self, precision: Any, bytes_each: int, tmp_path: Path
    ) -> None:
        model = taught(tmp_path / "photos")
        order, path = Order(model, precision, pixels=True), tmp_path / "model.mlpackage"
        to_coreml.write(order, path)
        assert to_coreml.operators(path)["conv"] == 2
        told = to_coreml.converted(order).user_defined_metadata
        assert json.loads(told["labels"]) == ["blue", "green", "red"]
        [weights] = path.rglob("weight.bin")
        assert weights.stat().st_size == pytest.approx(bytes_each * model.count_params(), rel=0.5)

    def test_weights_that_float16_cannot_hold_are_refused(
        self, precision: Any, bytes_each: int, tmp_path: Path
    ) -> None:
        model = changed(small("MobileNet"), "conv_preds/bias", 1e6)
        if precision == "float16":
            with pytest.raises(ArgumentError, match=r"conv_preds/bias has weights up to 1e\+06"):
                to_coreml.write(Order(model, precision), tmp_path / "model.mlpackage")


@mac
@pytest.mark.parametrize("pixels", [True, False])
@pytest.mark.parametrize("function", ["ResNet50", "MobileNetV2", "DenseNet121", "EfficientNetLite0"])
def test_networks_answer_as_their_models_do(function: str, pixels: bool, tmp_path: Path) -> None:
    order, path = Order(small(function), pixels=pixels), tmp_path / "model.mlpackage"
    to_coreml.check(order)
    to_coreml.write(order, path)
    x = noise(order.model)
    np.testing.assert_allclose(to_coreml.opened(path, order, 1)(x), expected(order.model, x), rtol=0, atol=1e-5)
