"""LiteRT on the .tflite that TensorFlow's converter writes; its XNNPACK kernels are on by default."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from ai_edge_litert.interpreter import Interpreter

from . import THREADS, pictures


def prepare(folder: Path, way: str, batch: int = 1) -> Callable[[], Any]:
    interpreter, x = Interpreter(str(folder / "model.tflite"), num_threads=THREADS), pictures(folder, batch)
    [taken], [given] = interpreter.get_input_details(), interpreter.get_output_details()
    interpreter.resize_tensor_input(taken["index"], x.shape)
    interpreter.allocate_tensors()

    def call() -> Any:
        interpreter.set_tensor(taken["index"], x)
        interpreter.invoke()
        return interpreter.get_tensor(given["index"])

    return call
