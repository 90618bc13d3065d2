"""OpenVINO's files in OpenVINO, where it is installed."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import export_cases
import numpy as np
import pytest
from export_cases import expected, layered, noise, renamed, small, taught
from tiny_body import few_layers

from hati.exporting import openvino as to_openvino
from hati.exporting.formats import Order

if find_spec("openvino") is None:
    pytest.skip("openvino is not installed: pip install '.[openvino]'", allow_module_level=True)
openvino = to_openvino.runtime()

Array = np.ndarray
written, answers = partial(export_cases.written, to_openvino), partial(export_cases.answers, to_openvino)


def test_integers_are_computed_with(tmp_path: Path) -> None:
    order = Order(small("EfficientNetLite0"), "int8", pixels=True)
    order = replace(order, quantisation=to_openvino.calibrated(order, noise(order.model)))
    network = openvino.compile_model(written(order, tmp_path), "CPU")
    told = [node.get_rt_info() for node in network.get_runtime_model().get_ops()]
    kinds = [one["runtimePrecision"].astype(str) for one in told if one["layerType"].astype(str) == "Convolution"]
    assert len(kinds) == 49
    assert kinds.count("u8") + kinds.count("i8") >= 48


def test_a_file_tells_labels_and_preprocessing_in_openvino_s_own_words(tmp_path: Path) -> None:
    model = taught(tmp_path / "photos")
    read = openvino.Core().read_model(written(Order(model), tmp_path))

    def told(*place: str) -> str:
        return str(read.get_rt_info(list(place)).astype(str))

    assert told("model_info", "labels") == "blue green red"
    assert told("model_info", "model_type") == "Classification"
    assert told("model_info", "mean_values") == "127.5 127.5 127.5"
    assert told("model_info", "scale_values") == "127.5 127.5 127.5"
    assert (told("model_info", "reverse_input_channels"), told("model_info", "multilabel")) == ("True", "False")
    assert json.loads(told("framework", "labels")) == ["blue", "green", "red"]
    assert json.loads(told("framework", "preprocessing"))["size"] == list(model.size)
    assert json.loads(told("framework", "provenance"))["taught"]["method"] == "imprint"


def test_labels_that_spaces_part_have_none(tmp_path: Path) -> None:
    model = taught(tmp_path / "photos")
    names = ("red panda", "a\u2003cat\xa0", "\r\n")
    read = openvino.Core().read_model(written(Order(renamed(model, names)), tmp_path))
    assert read.get_rt_info(["model_info", "labels"]).astype(str).split() == ["red_panda", "a_cat_", "__"]
    assert json.loads(read.get_rt_info(["framework", "labels"]).astype(str)) == list(names)


def test_a_taught_model_names_its_own_classes(tmp_path: Path) -> None:
    model = taught(tmp_path / "photos")
    x = noise(model, 5)
    np.testing.assert_allclose(answers(Order(model, pixels=True), tmp_path, x), expected(model, x), rtol=0, atol=1e-5)


@pytest.mark.parametrize("pixels", [True, False])
def test_a_file_runs_with_nothing_but_the_runtime(pixels: bool, tmp_path: Path) -> None:
    path = written(Order(layered(few_layers()), pixels=pixels), tmp_path)
    subprocess.run([sys.executable, "-c", to_openvino.ALONE, path], check=True)


def test_writing_calls_nobody(tmp_path: Path) -> None:
    """By itself OpenVINO tells its makers of every import."""
    script = """
import sys
from pathlib import Path
from hati.keras import applications
from hati.exporting import openvino
from hati.exporting.formats import Order
from hati.preprocessing import NORMALISATIONS
sys.addaudithook(lambda event, _: print(event) if event.startswith(("socket", "subprocess", "os.fork")) else None)
model = applications.MobileNet(weights=None, input_shape=(32, 32, 3), classes=2)
openvino.write(Order(model), Path(sys.argv[1]))
openvino.opened(Path(sys.argv[1]), Order(model), 1)
"""
    without_ci = {name: value for name, value in os.environ.items() if name != "CI"}  # where it is silent as well
    command = [sys.executable, "-c", script, str(tmp_path / "model.xml")]
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=without_ci)
    assert done.stdout == ""


def test_operators_are_counted_by_openvino_s_names(tmp_path: Path) -> None:
    found = to_openvino.operators(written(Order(small("MobileNet")), tmp_path))
    assert found["GroupConvolution"] == 13
    assert found["Convolution"] == 15
    assert found["SoftMax"] + found["Softmax"] == 1
