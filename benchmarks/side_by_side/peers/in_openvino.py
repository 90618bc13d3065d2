"""OpenVINO on the same ONNX graph: in float32, and in whatever it takes by itself on this processor."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import openvino

from . import THREADS, pictures

PRECISION = {"f32": {"INFERENCE_PRECISION_HINT": "f32"}, "default": {}}


def prepare(folder: Path, way: str, batch: int = 1) -> Callable[[], Any]:
    core = openvino.Core()
    network, x = core.read_model(folder / "model.onnx"), pictures(folder, batch)
    network.reshape(list(x.shape))
    settings = {"INFERENCE_NUM_THREADS": THREADS, "PERFORMANCE_HINT": "LATENCY", **PRECISION[way]}
    request = core.compile_model(network, "CPU", settings).create_infer_request()
    return lambda: request.infer({0: x}, share_inputs=True)[0]
