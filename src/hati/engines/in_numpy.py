"""The meaning of every layer, in NumPy: plain, slow, and what the other engines are tested against.

Maps are (batch, height, width, channels), weights lie as Keras lays them.
"""

from collections.abc import Callable, Mapping
from functools import singledispatch

import numpy as np

from .. import layers
from ..graph import Graph, Layer, Node, weights_of
from ..layers import pair

Array = np.ndarray
Weights = Mapping[str, Array]


def run(graph: Graph, weights: Weights, x: Array) -> Array:
    """The graph's output for a batch x, in x's own precision."""

    def step(node: Node, inputs: list[Array]) -> Array:
        return x if node is graph.input else apply(node.layer, inputs, weights_of(node, weights))

    return graph.fold(step)[graph.output.name]


@singledispatch
def apply(layer: Layer, x: list[Array], w: Weights) -> Array:
    raise NotImplementedError(layer.kind)


@apply.register
def _(layer: layers.ZeroPadding2D, x: list[Array], w: Weights) -> Array:
    return np.pad(x[0], ((0, 0), *layer.padding, (0, 0)))


@apply.register
def _(layer: layers.Conv2D, x: list[Array], w: Weights) -> Array:
    patches = _windows(x[0], layer.kernel_size, layer.strides, layer.padding)
    y = np.tensordot(patches, w["kernel"], axes=((4, 5, 3), (0, 1, 2)))
    return FUNCTIONS[layer.activation](y + w["bias"] if layer.use_bias else y)


@apply.register
def _(layer: layers.DepthwiseConv2D, x: list[Array], w: Weights) -> Array:
    patches = _windows(x[0], layer.kernel_size, layer.strides, layer.padding)
    y = np.einsum("bhwcij,ijcm->bhwcm", patches, w["kernel"], optimize=True)
    y = y.reshape(*y.shape[:3], -1)
    return y + w["bias"] if layer.use_bias else y


@apply.register
def _(layer: layers.BatchNormalization, x: list[Array], w: Weights) -> Array:
    gain = w.get("gamma", 1) / np.sqrt(w["moving_variance"] + layer.epsilon)
    return (x[0] - w["moving_mean"]) * gain + w["beta"]


@apply.register
def _(layer: layers.Activation, x: list[Array], w: Weights) -> Array:
    return FUNCTIONS[layer.function](x[0])


@apply.register
def _(layer: layers.ReLU, x: list[Array], w: Weights) -> Array:
    return np.clip(x[0], 0, layer.max_value)


@apply.register
def _(layer: layers.MaxPooling2D, x: list[Array], w: Weights) -> Array:
    return _windows(x[0], layer.pool_size, layer.strides, layer.padding, fill=-np.inf).max((4, 5))


@apply.register
def _(layer: layers.AveragePooling2D, x: list[Array], w: Weights) -> Array:
    total = _windows(x[0], layer.pool_size, layer.strides, layer.padding).sum((4, 5))
    count = _windows(np.ones_like(x[0]), layer.pool_size, layer.strides, layer.padding).sum((4, 5))
    return total / count


@apply.register
def _(layer: layers.GlobalAveragePooling2D, x: list[Array], w: Weights) -> Array:
    return x[0].mean((1, 2), keepdims=layer.keepdims)


@apply.register
def _(layer: layers.GlobalMaxPooling2D, x: list[Array], w: Weights) -> Array:
    return x[0].max((1, 2), keepdims=layer.keepdims)


@apply.register
def _(layer: layers.Flatten, x: list[Array], w: Weights) -> Array:
    return x[0].reshape(len(x[0]), -1)


@apply.register
def _(layer: layers.Reshape, x: list[Array], w: Weights) -> Array:
    return x[0].reshape(len(x[0]), *layer.target)


@apply.register
def _(layer: layers.Dropout, x: list[Array], w: Weights) -> Array:
    return x[0]


@apply.register
def _(layer: layers.Dense, x: list[Array], w: Weights) -> Array:
    return FUNCTIONS[layer.activation](x[0] @ w["kernel"] + w["bias"])


@apply.register
def _(layer: layers.Add, x: list[Array], w: Weights) -> Array:
    return sum(x[1:], x[0])


@apply.register
def _(layer: layers.Concatenate, x: list[Array], w: Weights) -> Array:
    return np.concatenate(x, axis=-1)


def _softmax(x: Array) -> Array:
    powers = np.exp(x - x.max(-1, keepdims=True))
    return powers / powers.sum(-1, keepdims=True)


def _sigmoid(x: Array) -> Array:
    return 0.5 * (1 + np.tanh(x / 2))  # equal to 1 / (1 + exp(-x)), and never overflows


FUNCTIONS: dict[str, Callable[[Array], Array]] = {
    "linear": lambda x: x,
    "relu": lambda x: np.maximum(x, 0),
    "relu6": lambda x: np.clip(x, 0, 6),
    "sigmoid": _sigmoid,
    "softmax": _softmax,
    "tanh": np.tanh,
}


def _windows(x: Array, window: layers.Pair, strides: layers.Pair, padding: layers.Padding, fill: float = 0) -> Array:
    """Every place of a sliding window: (batch, height', width', channels, window height, window width)."""
    pads = layers.padding_pixels(x.shape[1:], window, strides, padding)
    assert pads is not None, "an array has no open size"
    x = np.pad(x, ((0, 0), *pads, (0, 0)), constant_values=fill)
    down, right = pair(strides)
    return np.lib.stride_tricks.sliding_window_view(x, pair(window), (1, 2))[:, ::down, ::right]
