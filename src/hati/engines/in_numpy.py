"""The meaning of every layer, in NumPy: plain, slow, and what the other engines are tested against.

Maps are (batch, height, width, channels), weights lie as Keras lays them.
"""

import math
from collections.abc import Callable, Mapping
from functools import singledispatch

import numpy as np

from ..network import layers
from ..network.graph import Graph, Layer, Node, weights_of
from ..network.layers import pair
from ..tools.arrays import Array

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
def _(layer: layers.Cropping2D, x: list[Array], w: Weights) -> Array:
    ((top, bottom), (left, right)) = layer.cropping
    height, width = x[0].shape[1:3]
    return x[0][:, top : height - bottom, left : width - right]


@apply.register
def _(layer: layers.Conv2D, x: list[Array], w: Weights) -> Array:
    patches = _windows(x[0], layer.kernel_size, layer.strides, layer.padding)
    parts = zip(np.split(patches, layer.groups, 3), np.split(w["kernel"], layer.groups, 3), strict=True)
    y = np.concatenate([np.tensordot(part, kernel, axes=((4, 5, 3), (0, 1, 2))) for part, kernel in parts], axis=-1)
    return FUNCTIONS[layer.activation](y + w["bias"] if layer.use_bias else y)


@apply.register
def _(layer: layers.DepthwiseConv2D, x: list[Array], w: Weights) -> Array:
    patches = _windows(x[0], layer.kernel_size, layer.strides, layer.padding)
    y = np.einsum("bhwcij,ijcm->bhwcm", patches, w["kernel"], optimize=True)
    y = y.reshape(*y.shape[:3], -1)
    return y + w["bias"] if layer.use_bias else y


@apply.register
def _(layer: layers.SeparableConv2D, x: list[Array], w: Weights) -> Array:
    depthwise, pointwise = layer.parts
    between = apply(depthwise, x, {"kernel": w["depthwise_kernel"]})
    return apply(pointwise, [between], {**w, "kernel": w["pointwise_kernel"]})


@apply.register
def _(layer: layers.BatchNormalization, x: list[Array], w: Weights) -> Array:
    gain = w.get("gamma", 1) / np.sqrt(w["moving_variance"] + layer.epsilon)
    return (x[0] - w["moving_mean"]) * gain + w["beta"]


@apply.register
def _(layer: layers.LayerNormalization, x: list[Array], w: Weights) -> Array:
    deviation = np.sqrt(x[0].var(-1, keepdims=True) + layer.epsilon)
    return (x[0] - x[0].mean(-1, keepdims=True)) / deviation * w["gamma"] + w["beta"]


@apply.register
def _(layer: layers.Rescaling, x: list[Array], w: Weights) -> Array:
    return x[0] * np.asarray(layer.scale, x[0].dtype) + np.asarray(layer.offset, x[0].dtype)


@apply.register
def _(layer: layers.Normalization, x: list[Array], w: Weights) -> Array:
    mean, variance = (w["mean"], w["variance"]) if layer.mean is None else (layer.mean, layer.variance)
    deviation = np.maximum(np.sqrt(np.asarray(variance, x[0].dtype)), layers.SMALLEST_DEVIATION)
    return (x[0] - np.asarray(mean, x[0].dtype)) / deviation


@apply.register
def _(layer: layers.LayerScale, x: list[Array], w: Weights) -> Array:
    return x[0] * w["gamma"]


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
    return sum(x[1:-1], x[0]) + x[-1] * np.asarray(layer.scale, x[0].dtype)


@apply.register
def _(layer: layers.Multiply, x: list[Array], w: Weights) -> Array:
    return x[0] * x[1]


@apply.register
def _(layer: layers.Concatenate, x: list[Array], w: Weights) -> Array:
    return np.concatenate(x, axis=-1)


def _softmax(x: Array) -> Array:
    powers = np.exp(x - x.max(-1, keepdims=True))
    return powers / powers.sum(-1, keepdims=True)


def _sigmoid(x: Array) -> Array:
    return 0.5 * (1 + np.tanh(x / 2))  # equal to 1 / (1 + exp(-x)), and never overflows


_erf = np.vectorize(math.erf, otypes=[float])


def _gelu(x: Array) -> Array:
    """x times the normal distribution's share below x; Hendrycks and Gimpel 2016."""
    return x * (0.5 * (1 + _erf(x / math.sqrt(2)))).astype(x.dtype)


FUNCTIONS: dict[str, Callable[[Array], Array]] = {
    "linear": lambda x: x,
    "relu": lambda x: np.maximum(x, 0),
    "relu6": lambda x: np.clip(x, 0, 6),
    "sigmoid": _sigmoid,
    "softmax": _softmax,
    "tanh": np.tanh,
    "silu": lambda x: x * _sigmoid(x),
    "hard_silu": lambda x: x * np.clip(x + 3, 0, 6) / 6,
    "gelu": _gelu,
}


def _windows(x: Array, window: layers.Pair, strides: layers.Pair, padding: layers.Padding, fill: float = 0) -> Array:
    """Every place of a sliding window: (batch, height', width', channels, window height, window width)."""
    pads = layers.padding_pixels(x.shape[1:], window, strides, padding)
    assert pads is not None, "an array has no open size"
    x = np.pad(x, ((0, 0), *pads, (0, 0)), constant_values=fill)
    down, right = pair(strides)
    return np.lib.stride_tricks.sliding_window_view(x, pair(window), (1, 2))[:, ::down, ::right]
