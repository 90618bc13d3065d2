"""A TFLite file, run by LiteRT, the runtime of phones and small boards."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
from ai_edge_litert.interpreter import Interpreter

from ...tools import quiet
from ...tools.arrays import Array

NOISE = "INFO: "  # begins what LiteRT tells of its doings


class TFLiteSession:
    """A file that is ready to run, one picture at a time. Calls from several threads wait for each other."""

    def __init__(self, model: bytes | Path, *, threads: int = 1):
        source = {"model_path": str(model)} if isinstance(model, Path) else {"model_content": model}
        with quiet.native(NOISE):  # what fails is raised as well
            self._interpreter = Interpreter(num_threads=threads, **source)
            self._interpreter.allocate_tensors()
        self._input, self._output = self._interpreter.get_input_details()[0], self._interpreter.get_output_details()[0]
        self._lock = threading.Lock()

    @property
    def numbers(self) -> str:
        """What goes in: "float32", "int8" or "uint8"."""
        return np.dtype(self._input["dtype"]).name

    def __call__(self, x: Array) -> Array:
        """x: (pictures, height, width, channels), in the numbers that go in -> float32, whatever comes out."""
        return np.stack([self._one(picture) for picture in x])

    def _one(self, picture: Array) -> Array:
        with self._lock:
            self._interpreter.set_tensor(self._input["index"], picture[np.newaxis])
            self._interpreter.invoke()
            y = self._interpreter.get_tensor(self._output["index"])[0]
        if y.dtype == np.float32:
            return y
        step, zero = self._output["quantization"]
        return (y.astype(np.float32) - np.float32(zero)) * np.float32(step)
