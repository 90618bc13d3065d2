"""Convolutions."""

from collections.abc import Sequence
from dataclasses import dataclass

from ...errors import GraphError
from ..graph import Layer, Shape, WeightShape
from ..settings import Count
from .core import Function
from .shapes import channels
from .windows import Padding, Pair, pair, slide


@dataclass(frozen=True, repr=False)
class Conv2D(Layer):
    """2-D convolution: (H, W, C) -> (H', W', filters); each of its groups sees its own part of the channels.

    Weights: kernel (height, width, C / groups, filters), bias (filters,).
    """

    filters: Count
    kernel_size: Pair
    strides: Pair = 1
    padding: Padding = "valid"
    activation: Function = "linear"
    use_bias: bool = True
    groups: Count = 1

    def shape(self, x: Sequence[Shape]) -> Shape:
        return (*slide(x[0], self.kernel_size, self.strides, self.padding), self.filters)

    def weights(self, x: Sequence[Shape]) -> dict[str, WeightShape]:
        if channels(x[0]) % self.groups or self.filters % self.groups:
            sizes = f"{channels(x[0])} channels and {self.filters} filters"
            raise GraphError(f"{sizes} cannot go into {self.groups} groups")
        kernel = (*pair(self.kernel_size), channels(x[0]) // self.groups, self.filters)
        return {"kernel": kernel} | ({"bias": (self.filters,)} if self.use_bias else {})


@dataclass(frozen=True, repr=False)
class DepthwiseConv2D(Layer):
    """One convolution per channel: (H, W, C) -> (H', W', C · depth_multiplier).

    Weights: kernel (height, width, C, depth_multiplier), bias (C · depth_multiplier,).
    """

    kernel_size: Pair
    strides: Pair = 1
    padding: Padding = "valid"
    depth_multiplier: Count = 1
    use_bias: bool = True

    def shape(self, x: Sequence[Shape]) -> Shape:
        return (*slide(x[0], self.kernel_size, self.strides, self.padding), channels(x[0]) * self.depth_multiplier)

    def weights(self, x: Sequence[Shape]) -> dict[str, WeightShape]:
        kernel = (*pair(self.kernel_size), channels(x[0]), self.depth_multiplier)
        bias = (channels(x[0]) * self.depth_multiplier,)
        return {"kernel": kernel} | ({"bias": bias} if self.use_bias else {})


@dataclass(frozen=True, repr=False)
class SeparableConv2D(Layer):
    """A convolution per channel, then a 1×1 across them: (H, W, C) -> (H', W', filters).

    Weights: depthwise_kernel (height, width, C, 1), pointwise_kernel (1, 1, C, filters), bias (filters,).
    """

    filters: Count
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
