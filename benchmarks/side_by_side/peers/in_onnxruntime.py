"""ONNX Runtime without anything around it, on the graph that hati writes; and the large matrix product."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

from . import THREADS, pictures

WORKS: dict[str, Callable[..., Any]] = {}


def prepare(folder: Path, way: str, batch: int = 1) -> Callable[[], Any]:
    if way == "NumPy product":
        a, b = matrices(folder)
        return lambda: a @ b
    if way == "product":
        a, b = matrices(folder)
        product = session(folder / "product.onnx")
        return lambda: product.run(None, {"a": a, "b": b})[0]
    x, network = pictures(folder, batch), session(folder / "model.onnx")
    return lambda: network.run(None, {"image": x})[0]


def session(path: Path) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = THREADS
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def matrices(folder: Path) -> np.ndarray:
    return np.load(folder / "matrices.npy")
