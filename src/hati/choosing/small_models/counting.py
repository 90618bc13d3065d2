"""What a network takes in int8 and what it computes, counted from its graph; no weights are read or made."""

from __future__ import annotations

from math import prod
from typing import NamedTuple

import numpy as np

from ...engines.tflite.integers import WEIGHTED
from ...exporting.formats import Order
from ...loading import load
from ...model import Model
from ...network.graph import Graph, Node
from ...network.layers import Dense
from ...network.passes.small_devices import for_devices
from ...network.summary import multiply_adds
from ...weights import Weights

NUMBER = 4  # bytes of a bias, and of a scale


class Counted(NamedTuple):
    bytes: int  # of weights, biases and scales
    multiply_adds: int


def counted(name: str) -> Counted:
    """A model of the catalog, as an int8 TFLite file that takes pixels; beside its numbers such a file has its plan.

    The plan, which is operators, tensors and the names of classes, adds a tenth at the most.
    """
    drawn = load(name, None)
    weightless = Weights(lambda: _initial(drawn.graph))
    model = Model(drawn.graph, weightless, drawn.preprocessing, labels=drawn.labels, size=drawn.size)
    graph, arrays, _ = Order(model, "int8", "uint8", pixels=True).network
    nodes = for_devices(graph, arrays)[0].nodes
    return Counted(sum(_bytes(node) for node in nodes if isinstance(node.layer, WEIGHTED)), multiply_adds(graph))


def _bytes(node: Node) -> int:
    """A byte for each weight; each channel has a bias, the scale of that, and a scale of its kernel.

    A dense layer has one scale for all of its channels.
    """
    channels = node.shape[-1] or 0
    scales = 2 if isinstance(node.layer, Dense) else 2 * channels
    return prod(node.weights()["kernel"]) + NUMBER * (channels + scales)


def _initial(graph: Graph) -> dict[str, np.ndarray]:
    """Arrays of one number each, which take no memory."""
    return {
        f"{node.name}/{key}": np.broadcast_to(np.float32(node.layer.initial.get(key, 0)), shape)
        for node in graph.nodes
        for key, shape in node.weights().items()
    }
