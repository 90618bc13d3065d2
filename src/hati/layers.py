"""The layer vocabulary, in Keras' words. Standard library only: no engine is known here.

Maps are (height, width, channels); a `Pair` is one number for both directions or (vertical, horizontal).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Literal

from .errors import GraphError
from .graph import Layer, Shape, Size, WeightShape

Pair = int | tuple[int, int]
Pads = tuple[tuple[int, int], tuple[int, int]]  # ((top, bottom), (left, right)), in pixels
Padding = Literal["valid", "same"] | Pads
Function = Literal["linear", "relu", "relu6", "sigmoid", "softmax", "tanh"]


@dataclass(frozen=True)
class InputLayer(Layer):
    size: Shape

    def shape(self, x: Sequence[Shape]) -> Shape:
        return self.size


@dataclass(frozen=True)
class ZeroPadding2D(Layer):
    padding: Pads

    def shape(self, x: Sequence[Shape]) -> Shape:
        (height, width, channels), pads = x[0], self.padding
        return (_plus(height, sum(pads[0])), _plus(width, sum(pads[1])), channels)


@dataclass(frozen=True)
class Conv2D(Layer):
    """2-D convolution: (H, W, C) -> (H', W', filters).

    Weights: kernel (height, width, C, filters), bias (filters,).
    """

    filters: int
    kernel_size: Pair
    strides: Pair = 1
    padding: Padding = "valid"
    activation: Function = "linear"
    use_bias: bool = True

    def shape(self, x: Sequence[Shape]) -> Shape:
        return (*slide(x[0], self.kernel_size, self.strides, self.padding), self.filters)

    def weights(self, x: Sequence[Shape]) -> dict[str, WeightShape]:
        kernel = (*pair(self.kernel_size), channels(x[0]), self.filters)
        return {"kernel": kernel} | ({"bias": (self.filters,)} if self.use_bias else {})


@dataclass(frozen=True)
class DepthwiseConv2D(Layer):
    """One convolution per channel: (H, W, C) -> (H', W', C · depth_multiplier).

    Weights: kernel (height, width, C, depth_multiplier), bias (C · depth_multiplier,).
    """

    kernel_size: Pair
    strides: Pair = 1
    padding: Padding = "valid"
    depth_multiplier: int = 1
    use_bias: bool = True

    def shape(self, x: Sequence[Shape]) -> Shape:
        return (*slide(x[0], self.kernel_size, self.strides, self.padding), channels(x[0]) * self.depth_multiplier)

    def weights(self, x: Sequence[Shape]) -> dict[str, WeightShape]:
        kernel = (*pair(self.kernel_size), channels(x[0]), self.depth_multiplier)
        bias = (channels(x[0]) * self.depth_multiplier,)
        return {"kernel": kernel} | ({"bias": bias} if self.use_bias else {})


@dataclass(frozen=True)
class BatchNormalization(Layer):
    """(x - moving_mean) / sqrt(moving_variance + epsilon) · gamma + beta, per channel; Ioffe and Szegedy 2015."""

    running = ("moving_mean", "moving_variance")

    epsilon: float = 1e-3
    scale: bool = True

    def weights(self, x: Sequence[Shape]) -> dict[str, WeightShape]:
        names = (*(("gamma",) if self.scale else ()), "beta", *self.running)
        return dict.fromkeys(names, (channels(x[0]),))


@dataclass(frozen=True)
class Activation(Layer):
    function: Function


@dataclass(frozen=True)
class ReLU(Layer):
    max_value: float | None = None


@dataclass(frozen=True)
class Pooling2D(Layer):
    """One number for each window of each channel: (H, W, C) -> (H', W', C)."""

    pool_size: Pair
    strides: Pair
    padding: Padding = "valid"

    def shape(self, x: Sequence[Shape]) -> Shape:
        return (*slide(x[0], self.pool_size, self.strides, self.padding), x[0][2])


class MaxPooling2D(Pooling2D):
    pass


class AveragePooling2D(Pooling2D):
    """The mean of each window; pixels of the padding are not counted."""


@dataclass(frozen=True)
class GlobalPooling2D(Layer):
    """One number for each channel: (H, W, C) -> (C,), or (1, 1, C) with keepdims."""

    keepdims: bool = False

    def shape(self, x: Sequence[Shape]) -> Shape:
        return (1, 1, x[0][2]) if self.keepdims else x[0][2:]


class GlobalAveragePooling2D(GlobalPooling2D):
    pass


class GlobalMaxPooling2D(GlobalPooling2D):
    pass


@dataclass(frozen=True)
class Flatten(Layer):
    """(H, W, C) -> (H · W · C,), channels running fastest."""

    def shape(self, x: Sequence[Shape]) -> Shape:
        return (prod(known(x[0])),)


@dataclass(frozen=True)
class Reshape(Layer):
    target: WeightShape

    def shape(self, x: Sequence[Shape]) -> Shape:
        if prod(known(x[0])) != prod(self.target):
            raise GraphError(f"{x[0]} does not have the {prod(self.target)} values of {self.target}")
        return self.target


@dataclass(frozen=True)
class Dropout(Layer):
    """Drops values in training; in inference it lets everything through."""

    rate: float


@dataclass(frozen=True)
class Dense(Layer):
    """x · kernel + bias: (features,) -> (units,). Weights: kernel (features, units), bias (units,)."""

    units: int
    activation: Function = "linear"

    def shape(self, x: Sequence[Shape]) -> Shape:
        return (self.units,)

    def weights(self, x: Sequence[Shape]) -> dict[str, WeightShape]:
        if len(x[0]) != 1:
            raise GraphError("Dense takes a vector; put a pooling or a Flatten before it")
        return {"kernel": (channels(x[0]), self.units), "bias": (self.units,)}


@dataclass(frozen=True)
class Add(Layer):
    def shape(self, x: Sequence[Shape]) -> Shape:
        if len(set(x)) > 1:
            raise GraphError("Add needs inputs of one shape")
        return x[0]


@dataclass(frozen=True)
class Concatenate(Layer):
    """Joins maps along their channels: (H, W, C_i) -> (H, W, sum of C_i)."""

    def shape(self, x: Sequence[Shape]) -> Shape:
        if len({shape[:-1] for shape in x}) > 1:
            raise GraphError("Concatenate needs inputs of one height and width")
        return (*x[0][:-1], sum(channels(shape) for shape in x))


def pair(value: Pair) -> tuple[int, int]:
    return (value, value) if isinstance(value, int) else value


def known(shape: Shape) -> WeightShape:
    """The shape itself, once it is sure that no size in it is open."""
    sizes = tuple(size for size in shape if size is not None)
    if len(sizes) < len(shape):
        raise GraphError(f"{shape} has an open size; give the network an input_shape with a height and a width")
    return sizes


def channels(shape: Shape) -> int:
    return known(shape[-1:])[0]


def slide(shape: Shape, window: Pair, strides: Pair, padding: Padding) -> tuple[Size, Size]:
    """The height and width that a window makes when it slides over a map."""
    height, width, _ = shape
    pads = padding_pixels(shape, window, strides, padding)
    ((tall, wide), (down, right)) = pair(window), pair(strides)
    if pads is None:  # "same" over an open size
        return (height and -(-height // down), width and -(-width // right))
    return (_steps(height, tall, down, sum(pads[0])), _steps(width, wide, right, sum(pads[1])))


def padding_pixels(shape: Shape, window: Pair, strides: Pair, padding: Padding) -> Pads | None:
    """What a window's padding adds to a map, in pixels; None where it depends on a size that is open.

    "same" makes ceil(size / stride) windows and puts an odd pixel at the end, as TensorFlow does.
    """
    if padding == "valid":
        return ((0, 0), (0, 0))
    if padding != "same":
        return padding
    if None in shape[:2]:
        return None
    height, width, _ = known(shape)
    ((tall, wide), (down, right)) = pair(window), pair(strides)
    return (_same(height, tall, down), _same(width, wide, right))


def _same(size: int, window: int, stride: int) -> tuple[int, int]:
    total = max((-(-size // stride) - 1) * stride + window - size, 0)
    return (total // 2, total - total // 2)


def _steps(size: Size, window: int, stride: int, pad: int) -> Size:
    if size is None:
        return None
    if size + pad < window:
        raise GraphError(f"a window of {window} does not fit in {size} + {pad} pixels")
    return (size + pad - window) // stride + 1


def _plus(size: Size, pad: int) -> Size:
    return None if size is None else size + pad
