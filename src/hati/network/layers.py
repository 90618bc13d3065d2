"""The layer vocabulary, in Keras' words. Standard library only: no engine is known here.

Maps are (height, width, channels); a `Pair` is one number for both directions or (vertical, horizontal).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, prod
from typing import ClassVar, Literal

from ..errors import GraphError
from .graph import Layer, Shape, Size, WeightShape

Pair = int | tuple[int, int]
Pads = tuple[tuple[int, int], tuple[int, int]]  # ((top, bottom), (left, right)), in pixels
Padding = Literal["valid", "same"] | Pads
Function = Literal["linear", "relu", "relu6", "sigmoid", "softmax", "tanh", "silu", "hard_silu", "gelu"]
SMALLEST_DEVIATION = 1e-7  # that Normalization divides by, as in Keras
PerChannel = float | tuple[float, ...]  # one number for all channels, or one for each


@dataclass(frozen=True)
class InputLayer(Layer):
    arity = (0, 0)

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
class Cropping2D(Layer):
    cropping: Pads

    def shape(self, x: Sequence[Shape]) -> Shape:
        (height, width, channels), crops = x[0], self.cropping
        return (_minus(height, sum(crops[0])), _minus(width, sum(crops[1])), channels)


@dataclass(frozen=True)
class Conv2D(Layer):
    """2-D convolution: (H, W, C) -> (H', W', filters); each of its groups sees its own part of the channels.

    Weights: kernel (height, width, C / groups, filters), bias (filters,).
    """

    filters: int
    kernel_size: Pair
    strides: Pair = 1
    padding: Padding = "valid"
    activation: Function = "linear"
    use_bias: bool = True
    groups: int = 1

    def shape(self, x: Sequence[Shape]) -> Shape:
        return (*slide(x[0], self.kernel_size, self.strides, self.padding), self.filters)

    def weights(self, x: Sequence[Shape]) -> dict[str, WeightShape]:
        if channels(x[0]) % self.groups or self.filters % self.groups:
            sizes = f"{channels(x[0])} channels and {self.filters} filters"
            raise GraphError(f"{sizes} cannot go into {self.groups} groups")
        if self.filters < 1:
            raise GraphError("a convolution needs one filter or more")
        kernel = (*pair(self.kernel_size), channels(x[0]) // self.groups, self.filters)
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
class SeparableConv2D(Layer):
    """A convolution per channel, then a 1×1 across them: (H, W, C) -> (H', W', filters).

    Weights: depthwise_kernel (height, width, C, 1), pointwise_kernel (1, 1, C, filters), bias (filters,).
    """

    filters: int
    kernel_size: Pair
    strides: Pair = 1
    padding: Padding = "valid"
    use_bias: bool = True

    @property
    def parts(self) -> tuple[DepthwiseConv2D, Conv2D]:
        """The two layers that it stands for, the second with the bias."""
        depthwise = DepthwiseConv2D(self.kernel_size, self.strides, self.padding, use_bias=False)
        return depthwise, Conv2D(self.filters, 1, use_bias=self.use_bias)

    def shape(self, x: Sequence[Shape]) -> Shape:
        return (*slide(x[0], self.kernel_size, self.strides, self.padding), self.filters)

    def weights(self, x: Sequence[Shape]) -> dict[str, WeightShape]:
        kernels = {
            "depthwise_kernel": (*pair(self.kernel_size), channels(x[0]), 1),
            "pointwise_kernel": (1, 1, channels(x[0]), self.filters),
        }
        return kernels | ({"bias": (self.filters,)} if self.use_bias else {})


@dataclass(frozen=True)
class BatchNormalization(Layer):
    """(x - moving_mean) / sqrt(moving_variance + epsilon) · gamma + beta, per channel; Ioffe and Szegedy 2015."""

    running = ("moving_mean", "moving_variance")
    initial: ClassVar = {"gamma": 1.0, "moving_variance": 1.0}

    epsilon: float = 1e-3
    scale: bool = True
    momentum: float = 0.99  # of the running statistics, in training

    def weights(self, x: Sequence[Shape]) -> dict[str, WeightShape]:
        names = (*(("gamma",) if self.scale else ()), "beta", *self.running)
        return dict.fromkeys(names, (channels(x[0]),))


@dataclass(frozen=True)
class LayerNormalization(Layer):
    """(x - mean) / sqrt(variance + epsilon) · gamma + beta, over the channels at each place; Ba et al. 2016."""

    initial: ClassVar = {"gamma": 1.0}

    epsilon: float = 1e-3

    def weights(self, x: Sequence[Shape]) -> dict[str, WeightShape]:
        return dict.fromkeys(("gamma", "beta"), (channels(x[0]),))


@dataclass(frozen=True)
class Rescaling(Layer):
    """x · scale + offset."""

    scale: PerChannel = 1.0
    offset: PerChannel = 0.0

    def shape(self, x: Sequence[Shape]) -> Shape:
        _check_per_channel(x[0], self.scale, self.offset)
        return x[0]


@dataclass(frozen=True)
class Normalization(Layer):
    """(x - mean) / sqrt(variance), per channel; where these are not given they are weights, that Keras' `adapt` finds.

    Weights: mean (C,), variance (C,), count (); no network reads the count.
    """

    running = ("mean", "variance", "count")
    initial: ClassVar = {"variance": 1.0}

    mean: tuple[float, ...] | None = None
    variance: tuple[float, ...] | None = None

    def shape(self, x: Sequence[Shape]) -> Shape:
        if (self.mean is None) != (self.variance is None):
            raise GraphError("Normalization needs both a mean and a variance, or neither")
        _check_per_channel(x[0], self.mean or 0.0, self.variance or 0.0)
        return x[0]

    def weights(self, x: Sequence[Shape]) -> dict[str, WeightShape]:
        return {} if self.mean is not None else {"mean": (channels(x[0]),), "variance": (channels(x[0]),), "count": ()}


@dataclass(frozen=True)
class LayerScale(Layer):
    """x · gamma, per channel; Touvron et al. 2021."""

    initial: ClassVar = {"gamma": 1e-6}

    def weights(self, x: Sequence[Shape]) -> dict[str, WeightShape]:
        return {"gamma": (channels(x[0]),)}


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
    """Drops values in training, or with `whole` a picture's whole map; in inference it lets everything through."""

    rate: float
    whole: bool = False


@dataclass(frozen=True)
class Dense(Layer):
    """x · kernel + bias along the last axis: (features,) -> (units,), or (H, W, C) -> (H, W, units).

    Weights: kernel (features, units), bias (units,).
    """

    units: int
    activation: Function = "linear"

    def shape(self, x: Sequence[Shape]) -> Shape:
        return (*x[0][:-1], self.units)

    def weights(self, x: Sequence[Shape]) -> dict[str, WeightShape]:
        return {"kernel": (channels(x[0]), self.units), "bias": (self.units,)}


@dataclass(frozen=True)
class Add(Layer):
    """The sum of its inputs, the last one times `scale`."""

    arity = (2, inf)

    scale: float = 1.0

    def shape(self, x: Sequence[Shape]) -> Shape:
        if len(set(x)) > 1:
            raise GraphError("Add needs inputs of one shape")
        return x[0]


@dataclass(frozen=True)
class Multiply(Layer):
    """A map times another one, or times one number for each channel, (1, 1, C)."""

    arity = (2, 2)

    def shape(self, x: Sequence[Shape]) -> Shape:
        if x[1] not in (x[0], (1, 1, *x[0][2:])):
            raise GraphError(f"Multiply needs a second input of the first one's shape, or (1, 1, {x[0][-1]})")
        return x[0]


@dataclass(frozen=True)
class Concatenate(Layer):
    """Joins maps along their channels: (H, W, C_i) -> (H, W, sum of C_i)."""

    arity = (1, inf)

    def shape(self, x: Sequence[Shape]) -> Shape:
        if len({shape[:-1] for shape in x}) > 1:
            raise GraphError("Concatenate needs inputs of one height and width")
        return (*x[0][:-1], sum(channels(shape) for shape in x))


def _check_per_channel(shape: Shape, *values: PerChannel) -> None:
    for value in values:
        if isinstance(value, tuple) and len(value) != channels(shape):
            raise GraphError(f"{len(value)} numbers came for {channels(shape)} channels")


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


def _minus(size: Size, crop: int) -> Size:
    if size is not None and size <= crop:
        raise GraphError(f"{crop} pixels cannot be cut from {size}")
    return None if size is None else size - crop
