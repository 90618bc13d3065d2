"""A network in the few layers that small devices compute: one operator there for each node here."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import singledispatch

import numpy as np

from ...tools.arrays import Array
from ..graph import Graph, Layer, Node, weights_of
from ..layers import (
    Activation,
    Add,
    Conv2D,
    Dense,
    DepthwiseConv2D,
    Dropout,
    InputLayer,
    Multiply,
    ReLU,
    Rescaling,
    Reshape,
    SeparableConv2D,
    channels,
    known,
)
from . import Derived, fold_padding, folded_into, is_linear, user_counts
from .affine import AFFINE, gain_and_shift

Arrays = Mapping[str, Array]


def for_devices(graph: Graph, weights: Arrays) -> tuple[Graph, Arrays]:
    """The same answers from convolutions, dense layers, pools, sums, products, joins and plain activations.

    What multiplies channels and adds to them goes into the convolution before it, or becomes a depthwise one of 1×1;
    only what does one thing to all numbers of the picture stays a `Rescaling`, since integers need nothing done for it.
    """
    arrays = Derived(weights)
    spelled = _spelled_out(graph, arrays)
    folded = _with_scales_in_kernels(spelled, arrays)
    arrays.keep(folded.weights())
    return fold_padding(folded), arrays


def _spelled_out(graph: Graph, arrays: Derived) -> Graph:
    """Every layer that does several things, as several layers; the last one has its name."""

    def step(node: Node, x: list[Node]) -> Node:
        return parts(node.layer, node, x, arrays)

    return Graph(graph.fold(step)[graph.output.name], graph.name)


@singledispatch
def parts(layer: Layer, node: Node, x: list[Node], arrays: Derived) -> Node:
    return layer(*x, name=node.name)


@parts.register
def _(layer: Dropout, node: Node, x: list[Node], arrays: Derived) -> Node:
    return x[0]


@parts.register
def _(layer: SeparableConv2D, node: Node, x: list[Node], arrays: Derived) -> Node:
    depthwise, pointwise = layer.parts
    name = f"{node.name}/depthwise"
    arrays.rename(f"{node.name}/depthwise_kernel", f"{name}/kernel")
    arrays.rename(f"{node.name}/pointwise_kernel", f"{node.name}/kernel")
    return pointwise(depthwise(*x, name=name), name=node.name)


@parts.register(Conv2D)
@parts.register(Dense)
def _(layer: Conv2D | Dense, node: Node, x: list[Node], arrays: Derived) -> Node:
    """The activation behind its layer, whose weights get the name of what makes the sums."""
    if layer.activation == "linear":
        return layer(*x, name=node.name)
    sums = f"{node.name}/sums"
    for key in node.weights():
        arrays.rename(f"{node.name}/{key}", f"{sums}/{key}")
    linear = replace(layer, activation="linear")(*x, name=sums)
    return parts(Activation(layer.activation), node, [linear], arrays)


@parts.register
def _(layer: Activation, node: Node, x: list[Node], arrays: Derived) -> Node:
    match layer.function:
        case "linear":
            return x[0] if not isinstance(x[0].layer, InputLayer) else layer(*x, name=node.name)
        case "silu":
            return Multiply()(x[0], Activation("sigmoid")(*x, name=f"{node.name}/sigmoid"), name=node.name)
    return layer(*x, name=node.name)


@parts.register
def _(layer: ReLU, node: Node, x: list[Node], arrays: Derived) -> Node:
    match layer.max_value:
        case None:
            return Activation("relu")(*x, name=node.name)
        case 6:
            return Activation("relu6")(*x, name=node.name)
    return layer(*x, name=node.name)


@parts.register
def _(layer: Add, node: Node, x: list[Node], arrays: Derived) -> Node:
    """Two by two, and the last one scaled before."""
    last = x[-1] if layer.scale == 1 else Rescaling(layer.scale)(x[-1], name=f"{node.name}/scaled")
    total = x[0]
    for number, other in enumerate(x[1:-1]):
        total = Add()(total, other, name=f"{node.name}/{number}")
    return Add()(total, last, name=node.name)


def _with_scales_in_kernels(graph: Graph, arrays: Derived) -> Graph:
    users = user_counts(graph)

    def step(node: Node, x: list[Node]) -> Node:
        if not isinstance(node.layer, AFFINE):
            return node.layer(*x, name=node.name)
        gain, shift = (
            np.broadcast_to(value, channels(node.shape))
            for value in gain_and_shift(node.layer, weights_of(node, arrays))
        )
        if users[node.inputs[0].name] == 1 and is_linear(x[0].layer):
            return folded_into(x[0], gain, shift, arrays)
        if _stays(node, gain, shift, graph, users):
            return Rescaling(float(gain[0]), float(shift[0]))(*x, name=node.name)
        return _as_convolution(node, x, gain, shift, arrays)

    return Graph(graph.fold(step)[graph.output.name], graph.name)


def _stays(node: Node, gain: Array, shift: Array, graph: Graph, users: Mapping[str, int]) -> bool:
    """Whether it does one thing to all numbers of the picture, and no other scale follows that takes it in."""
    first = node.inputs[0] is graph.input and users[graph.input.name] == 1
    one = len(set(gain)) == len(set(shift)) == 1 and gain[0] > 0
    followed = users[node.name] == 1 and any(
        node in other.inputs and isinstance(other.layer, AFFINE) for other in graph.nodes
    )
    return first and one and not followed


def _as_convolution(node: Node, x: list[Node], gain: Array, shift: Array, arrays: Derived) -> Node:
    """x · gain + shift as a depthwise convolution of 1×1, whose integers have a scale for each channel."""
    shape = known(node.shape)
    is_map = len(shape) == 3
    name = node.name if is_map else f"{node.name}/map"
    place = x[0] if is_map else Reshape((1, shape[0] if len(shape) == 2 else 1, shape[-1]))(*x, name=f"{name}/in")
    arrays.derive(f"{name}/kernel", _always(np.asarray(gain, np.float32).reshape(1, 1, -1, 1)))
    arrays.derive(f"{name}/bias", _always(np.asarray(shift, np.float32)))
    y = DepthwiseConv2D(1)(place, name=name)
    return y if is_map else Reshape(shape)(y, name=node.name)


def _always(array: Array) -> Callable[[Array], Array]:
    return lambda _: array
