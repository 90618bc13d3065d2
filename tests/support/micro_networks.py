"""Networks in integers for microcontrollers, and the arena that TFLite Micro was found to need for each.

Measured with tflite_micro 0.dev20261023182759 on a processor of 64 bits, by bisection to 16 bytes.
"""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
from oracle import lively
from tiny_body import few_layers

import hati
from hati.exporting import formats
from hati.exporting.formats import Numbers, Order
from hati.model import Model
from hati.network import layers
from hati.network.graph import Graph
from hati.weights import from_arrays

SEED = 0


class Needing(NamedTuple):
    build: Callable[[], Graph]
    numbers: Numbers
    bytes: int  # of the smallest arena that works


def catalog(name: str, alpha: float, side: int, classes: int = 1000) -> Callable[[], Graph]:
    shape = (side, side, 3)
    return lambda: hati.load(name, weights=None, alpha=alpha, input_shape=shape, classes=classes).graph


def tiny() -> Graph:
    return Graph(layers.Dense(3, "softmax")(few_layers().output, name="classes"), "tiny")


NETWORKS = {
    "tiny": Needing(tiny, "int8", 7_116),
    "MobileNet 0.25 at 96": Needing(catalog("MobileNet", 0.25, 96), "int8", 111_689),
    "MobileNet 0.25 at 128, bytes": Needing(catalog("MobileNet", 0.25, 128), "uint8", 169_275),
    "MobileNet 0.25 at 224": Needing(catalog("MobileNet", 0.25, 224), "int8", 439_381),
    "MobileNetV2 0.35 at 96": Needing(catalog("MobileNetV2", 0.35, 96), "int8", 210_204),
    "MobileNetV3Small 0.75 at 96": Needing(catalog("MobileNetV3Small", 0.75, 96, 10), "uint8", 259_136),
}


def written(network: Needing, path: Path) -> Path:
    """The network as a file, calibrated on noise."""
    graph = network.build()
    size = graph.input.shape[:2]
    pixels = np.random.default_rng(SEED).integers(0, 256, (2, *map(int, size), 3), np.uint8)  # type: ignore[arg-type]
    model = Model(
        graph,
        from_arrays(lively(graph, SEED), graph),
        hati.preprocessing.Preprocessing("tf", 0.875, "bilinear"),
        labels=None,
        size=pixels.shape[1:3],
    )
    found = formats.find("tflite")
    order = Order(model, "int8", network.numbers, pixels=True)
    order = Order(model, "int8", network.numbers, pixels=True, quantisation=found.calibrated(order, pixels))
    found.write(order, path)
    return path
