"""Graph and arrays in, graph and arrays out, with the same answers."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial

import numpy as np

from ...tools.arrays import Array
from ..graph import Graph, Layer, Node, Shape, weights_of
from ..layers import (
    Activation,
    BatchNormalization,
    Conv2D,
    DepthwiseConv2D,
    InputLayer,
    MaxPooling2D,
    ReLU,
    SeparableConv2D,
    ZeroPadding2D,
    pair,
)
from .affine import gain_and_shift

Arrays = Mapping[str, Array]
Convolution = Conv2D | DepthwiseConv2D | SeparableConv2D

NEVER_NEGATIVE = {"relu", "relu6", "sigmoid", "softmax"}


class Derived(Arrays):
    """Arrays of which some are made from others each time they are asked for, so that none is held twice."""

    def __init__(self, arrays: Arrays):
        self._made: dict[str, Callable[[], Array]] = {name: partial(arrays.__getitem__, name) for name in arrays}

    def __getitem__(self, name: str) -> Array:
        return self._made[name]()

    def __iter__(self) -> Iterator[str]:
        return iter(self._made)

    def __len__(self) -> int:
        return len(self._made)

    def derive(self, name: str, make: Callable[[Array], Array]) -> None:
        """From now on, what `make` gives for the array that had this name; for 0 where there was none."""
        before = self._made.get(name, partial(np.zeros, ()))
        self._made[name] = lambda: make(before())

    def rename(self, before: str, after: str) -> None:
        self._made[after] = self._made.pop(before)

    def keep(self, names: Mapping[str, object]) -> None:
        """These names alone, in their order."""
        self._made = {name: self._made[name] for name in names}


def for_inference(graph: Graph, weights: Arrays) -> tuple[Graph, Arrays]:
    """The graph as engines like it: no batch norm behind a convolution, no padding before one or before a maximum."""
    graph, arrays = fold_batch_norm(graph, weights)
    return fold_padding(graph), arrays


def with_input(graph: Graph, shape: Shape) -> Graph:
    """The same network for pictures of another size. Raises GraphError at the first layer that they do not fit."""

    def step(node: Node, x: list[Node]) -> Node:
        return node.layer(*x, name=node.name) if x else InputLayer(shape)(name=node.name)

    return Graph(graph.fold(step)[graph.output.name], graph.name)


def fold_batch_norm(graph: Graph, weights: Arrays) -> tuple[Graph, Arrays]:
    """Batch norm goes into the convolution before it, where nothing else looks at that convolution."""
    arrays = Derived(weights)
    users = user_counts(graph)

    def step(node: Node, x: list[Node]) -> Node:
        foldable = isinstance(node.layer, BatchNormalization) and users[node.inputs[0].name] == 1
        if not (foldable and is_linear(x[0].layer)):
            return node.layer(*x, name=node.name)
        return folded_into(x[0], *gain_and_shift(node.layer, weights_of(node, weights)), arrays)

    folded = Graph(graph.fold(step)[graph.output.name], graph.name)
    arrays.keep(folded.weights())
    return folded, arrays


def folded_into(conv: Node, gain: Array, shift: Array, arrays: Derived) -> Node:
    """The convolution that gives y · gain + shift where this one gives y; gain and shift: (channels,).

    kernel' = kernel · gain and bias' = bias · gain + shift, in float64, so that one rounding is all that is lost.
    """
    last = "pointwise_kernel" if isinstance(conv.layer, SeparableConv2D) else "kernel"
    by_output = gain.reshape(*conv.weights()[last][2:]) if isinstance(conv.layer, DepthwiseConv2D) else gain
    arrays.derive(f"{conv.name}/{last}", lambda kernel: _rounded(kernel, by_output, 0))
    arrays.derive(f"{conv.name}/bias", lambda bias: _rounded(bias, gain, shift))
    return _with_bias(conv.layer)(*conv.inputs, name=conv.name)


def fold_padding(graph: Graph) -> Graph:
    """Zero padding becomes the padding of the layers behind it, which cost nothing to pad.

    A maximum ignores its own padding: that is the same where no value is below zero and every window sees one.
    """

    def step(node: Node, x: list[Node]) -> Node:
        layer = node.layer
        if isinstance(layer, Convolution | MaxPooling2D) and _pads_as_well(layer, x[0]):
            assert isinstance(x[0].layer, ZeroPadding2D)
            return replace(layer, padding=x[0].layer.padding)(*x[0].inputs, name=node.name)
        return layer(*x, name=node.name)

    return Graph(graph.fold(step)[graph.output.name], graph.name)


def _pads_as_well(layer: Convolution | MaxPooling2D, before: Node) -> bool:
    """Whether a layer can do by itself what the one before it does."""
    if layer.padding != "valid" or not isinstance(before.layer, ZeroPadding2D):
        return False
    if not isinstance(layer, MaxPooling2D):
        return True
    pads = zip(before.layer.padding, pair(layer.pool_size), strict=True)
    return all(max(edges) < size for edges, size in pads) and is_never_negative(before.inputs[0].layer)


def is_never_negative(layer: Layer) -> bool:
    if isinstance(layer, Activation):
        return layer.function in NEVER_NEGATIVE
    return isinstance(layer, ReLU) or (isinstance(layer, Conv2D) and layer.activation in NEVER_NEGATIVE)


def _rounded(x: Array, gain: Array, shift: Array | float) -> Array:
    """x · gain + shift, computed in float64 and rounded once."""
    return np.asarray(x * gain + shift, np.float32)


def is_linear(layer: Layer) -> bool:
    return isinstance(layer, Convolution) and not (isinstance(layer, Conv2D) and layer.activation != "linear")


def _with_bias(layer: Layer) -> Layer:
    assert isinstance(layer, Convolution)
    return replace(layer, use_bias=True)


def user_counts(graph: Graph) -> Counter[str]:
    return Counter(x.name for node in graph.nodes for x in node.inputs)
