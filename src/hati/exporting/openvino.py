"""`--to openvino`: an .xml with its .bin beside it, for Intel's processors, their graphics and their NPUs.

The ONNX model of `onnx`, read by OpenVINO itself. What `described` says is in the file's rt_info under `framework`;
under `model_info` the same in the words of OpenVINO's Model API. float16 are halved weights: the device that runs them
decides what it computes in.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from ..engines.quantisation import Quantisation
from ..tools.arrays import Array
from ..tools.extras import brings
from . import onnx
from .formats import Numbers, Order, Precision, Run

name = "openvino"
ending = ".xml"
precisions: tuple[Precision, ...] = ("float32", "float16", "int8")
numbers: tuple[Numbers, ...] = ("float32",)
package, install = "openvino", brings("openvino")
TELEMETRY = "openvino_telemetry"  # by which OpenVINO tells its makers of every import, over the network
EXACT = {"INFERENCE_PRECISION_HINT": "f32"}  # its own choice is bfloat16 where the processor has it
ALONE = """
import sys
import numpy
sys.modules["openvino_telemetry"] = None
import openvino
settings = {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": 1}
network = openvino.compile_model(sys.argv[1], "CPU", settings)
picture = network.input(0)
height, width, channels = (size.get_length() for size in list(picture.partial_shape)[1:])
network(numpy.zeros((1, height, width, channels), picture.element_type.to_dtype()))
"""


def check(order: Order) -> None:
    """Raises ArgumentError for what the ONNX model on the way cannot be."""
    onnx.check(order)


def calibrated(order: Order, pixels: Array) -> Quantisation:
    return onnx.calibrated(order, pixels)


def taken(order: Order) -> Numbers:
    return onnx.taken(order)


def write(order: Order, path: Path) -> None:
    openvino = runtime()
    half = order.precision == "float16"
    model = openvino.Core().read_model(_onnx(order, "float32" if half else order.precision))
    model.input(0).node.set_layout(openvino.Layout("NHWC"))
    for key, value in _model_info(order).items():
        model.set_rt_info(value, ["model_info", key])
    openvino.save_model(model, path, compress_to_fp16=half)


def opened(path: Path, order: Order, threads: int) -> Run:
    openvino = runtime()
    settings = {**EXACT, "INFERENCE_NUM_THREADS": threads, "NUM_STREAMS": 1}
    network = openvino.compile_model(path, "CPU", settings)

    def run(pixels: Array) -> Array:
        return np.array(network(np.ascontiguousarray(pixels) if order.pixels else order.fed(pixels))[0])

    return run


def operators(path: Path) -> Counter[str]:
    return Counter(node.get_type_name() for node in runtime().Core().read_model(path).get_ops())


def runtime() -> Any:
    """OpenVINO. It is imported as where its telemetry is not installed: no export needs the network."""
    if "openvino" in sys.modules or TELEMETRY in sys.modules:
        import openvino

        return openvino
    sys.modules[TELEMETRY] = None  # type: ignore[assignment]  # an import of it fails
    try:
        import openvino
    finally:
        del sys.modules[TELEMETRY]
    return openvino


def _onnx(order: Order, precision: Precision) -> bytes:
    return onnx.built(order, precision).SerializeToString()


def _model_info(order: Order) -> dict[str, str]:
    """What the Model API reads: pictures are OpenCV's, in BGR from 0 to 255, and cut to their middle."""
    _, _, normalisation = order.network
    scale = normalisation.scale or 1.0
    means = [scale * mean for mean in normalisation.mean]
    deviations = [scale * deviation for deviation in normalisation.deviation or (1.0,) * 3]
    model = order.model
    found = {
        "model_type": "Classification",
        "resize_type": "crop",
        "reverse_input_channels": "True",
        "mean_values": " ".join(map(str, means)),
        "scale_values": " ".join(map(str, deviations)),
    }
    if model.labels is not None:
        found["labels"] = " ".join(re.sub(r"\s", "_", label.name) or "_" for label in model.labels)
    if model.taught is not None:
        found["multilabel"] = str(model.taught.provenance.multi_label)
    return found
