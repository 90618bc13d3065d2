"""Which values of a network for devices are integers there, and how they stand for real numbers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np

from ...network.graph import Graph, Node, weights_of
from ...network.layers import (
    Activation,
    Add,
    AveragePooling2D,
    Concatenate,
    Conv2D,
    Cropping2D,
    Dense,
    DepthwiseConv2D,
    Flatten,
    GlobalMaxPooling2D,
    InputLayer,
    MaxPooling2D,
    Multiply,
    ReLU,
    Rescaling,
    Reshape,
    ZeroPadding2D,
)
from ...network.passes import user_counts
from ...tools.arrays import Array
from ..quantisation import LEVELS, Quantisation, Range, Rounding, Scale, quantised_bias, quantised_weights, scale_of
from ..quantisation import with_shared_ranges as shared

WEIGHTED = (Conv2D, DepthwiseConv2D, Dense)
FUSING = (*WEIGHTED, Add, Multiply)  # operators that can do the work of a ReLU behind them
PASSING = (  # operators whose output has the scale of their input
    AveragePooling2D,
    Concatenate,
    Cropping2D,
    Flatten,
    GlobalMaxPooling2D,
    MaxPooling2D,
    Reshape,
    ZeroPadding2D,
)
FIXED: dict[str, Scale] = {  # of what these give, as every runtime demands it
    "softmax": Scale(np.float32(1 / 256), np.uint8(0)),
    "sigmoid": Scale(np.float32(1 / 256), np.uint8(0)),
    "tanh": Scale(np.float32(1 / 128), np.uint8(128)),
}
BITS = 8  # of a weight: devices add products in 32 bits
HALF = 128  # what turns the unsigned zero point of a scale into that of an int8


class Constants(NamedTuple):
    """A kernel and a bias as integers, and the size of a kernel's step, for all or for each output channel."""

    kernel: Array
    steps: Array
    bias: Array


def landing(graph: Graph) -> dict[str, Node]:
    """By an operator's name, the activation behind it whose work it does: a ReLU that alone reads it."""
    users = user_counts(graph)
    return {
        x.name: node
        for node in graph.nodes
        if isinstance(node.layer, Activation) and node.layer.function in ("relu", "relu6")
        for x in node.inputs
        if users[x.name] == 1 and isinstance(x.layer, FUSING)
    }


class Plan:
    """A network for devices in integers, but for the layers that its quantisation keeps in float.

    Where a picture comes in floats, what rescales it is computed in floats, too.
    """

    def __init__(self, graph: Graph, quantisation: Quantisation, *, floats_come: bool = False):
        self.quantisation = quantisation
        self._landing = landing(graph)
        self._real = set(quantisation.in_float)
        self._real |= {self._landing[name].name for name in quantisation.in_float if name in self._landing}
        self.scales = _scales(graph, quantisation.ranges)
        self.lost = {} if floats_come else self._reinterpreted(graph)
        if floats_come:
            self._real |= {node.name for node in graph.nodes if isinstance(node.layer, InputLayer | Rescaling)}

    def in_integers(self, node: Node) -> bool:
        return node.name not in self._real

    def constants(self, node: Node, kernel: Array, bias: Array) -> Constants:
        """kernel: output channels first. A dense layer has one step for its whole kernel, as every runtime reads it."""
        source = node.inputs[0].name
        step = float(self.scales[source].step)
        correction = np.asarray(self.quantisation.corrections.get(node.name, 0.0), np.float32)
        rows = kernel.reshape(len(kernel), -1)
        bias = bias + correction + np.float32(self.lost.get(source, 0.0)) * rows.sum(1)
        if isinstance(node.layer, Dense):
            integers, steps = quantised_weights(rows.reshape(1, -1), np.abs(bias).max(keepdims=True), step, BITS)
        else:
            integers, steps = quantised_weights(rows, bias, step, BITS)
        return Constants(integers.reshape(kernel.shape), steps, quantised_bias(bias, step, steps))

    def _reinterpreted(self, graph: Graph) -> dict[str, float]:
        """A rescaling of the picture is no work for integers: the same ones stand for other numbers.

        Returns what the new zero point, which is a whole number, loses: add it to get the exact value.
        """
        lost = {}
        for node in graph.nodes:
            if isinstance(node.layer, Rescaling):
                picture = self.scales[node.inputs[0].name]
                exact = zero_behind(node.layer, picture)
                zero = np.clip(np.rint(exact), 0, LEVELS)
                step = picture.step * np.float32(uniform(node.layer)[0])
                self.scales[node.name] = self.scales[graph.input.name] = Scale(step, np.uint8(zero))
                lost[node.name] = float(step) * float(zero - exact)
        return lost


def roundings(graph: Graph, arrays: Mapping[str, Array], quantisation: Quantisation) -> Iterator[Rounding]:
    """What a quantisation does to the weights of a network for devices."""
    plan = Plan(graph, quantisation)
    for node in graph.nodes:
        if isinstance(node.layer, WEIGHTED) and plan.in_integers(node):
            w = weights_of(node, arrays)
            kernel, groups = channels_out_first(node.layer, w["kernel"])
            bias = w.get("bias", np.zeros(len(kernel), np.float32))
            integers, steps, _ = plan.constants(node, kernel, bias)
            rounded = integers * steps.reshape(-1, *(1,) * (kernel.ndim - 1))
            yield Rounding(node.name, node.inputs[0].name, kernel, rounded, groups)


def channels_out_first(layer: Conv2D | DepthwiseConv2D | Dense, kernel: Array) -> tuple[Array, int]:
    """A kernel as (out, in / groups, …), and into how many groups its channels go."""
    match layer:
        case DepthwiseConv2D():
            height, width, channels, _ = kernel.shape
            return kernel.transpose(2, 3, 0, 1).reshape(-1, 1, height, width), channels
        case Conv2D():
            return kernel.transpose(3, 2, 0, 1), layer.groups
    return kernel.T, 1


def without_rule(graph: Graph, ranges: Mapping[str, Range]) -> list[Node]:
    """Rescalings whose numbers no integers of the picture can stand for."""
    picture = scale_of(*ranges[graph.input.name])
    return [
        node
        for node in graph.nodes
        if isinstance(node.layer, Rescaling) and not -0.5 <= zero_behind(node.layer, picture) <= LEVELS + 0.5
    ]


def uniform(layer: Rescaling) -> tuple[float, float]:
    """The scale and the offset of a rescaling that does the same to all channels, as `for_devices` leaves no other."""
    assert not isinstance(layer.scale, tuple)
    assert not isinstance(layer.offset, tuple)
    return layer.scale, layer.offset


def zero_behind(layer: Rescaling, picture: Scale) -> float:
    """Which of the picture's integers stands for zero behind a rescaling, were it no whole number."""
    scale, offset = uniform(layer)
    return float(picture.zero_point) - offset / (scale * float(picture.step))


def _scales(graph: Graph, ranges: Mapping[str, Range]) -> dict[str, Scale]:
    """Of every value: fixed, or of a range that all values share between which numbers are only passed on."""
    own = {node.name: _own_range(node, ranges[node.name]) for node in graph.nodes}
    scales = {name: scale_of(*ends) for name, ends in shared(graph, own, PASSING).items()}
    for node in graph.nodes:
        if isinstance(node.layer, Activation) and node.layer.function in FIXED:
            scales[node.name] = FIXED[node.layer.function]
        elif isinstance(node.layer, PASSING) and len(node.inputs) == 1:
            scales[node.name] = scales[node.inputs[0].name]
    return scales


def _own_range(node: Node, seen: Range) -> Range:
    """What was seen, but not past the ends of an activation."""
    low, high = seen
    match node.layer:
        case Activation("relu6"):
            return 0.0, min(high, 6.0)
        case ReLU(max_value=float(most)):
            return 0.0, min(high, most)
        case Activation("relu") | ReLU():
            return 0.0, max(high, 0.0)
    return low, high
