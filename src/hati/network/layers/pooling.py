"""One number for each window of a map, or for all of it."""

from collections.abc import Sequence
from dataclasses import dataclass

from ..graph import Layer, Shape
from .windows import Padding, Pair, slide


@dataclass(frozen=True, repr=False)
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


@dataclass(frozen=True, repr=False)
class GlobalPooling2D(Layer):
    """One number for each channel: (H, W, C) -> (C,), or (1, 1, C) with keepdims."""

    keepdims: bool = False

    def shape(self, x: Sequence[Shape]) -> Shape:
        _, _, channels = x[0]
        return (1, 1, channels) if self.keepdims else (channels,)


class GlobalAveragePooling2D(GlobalPooling2D):
    pass


class GlobalMaxPooling2D(GlobalPooling2D):
    pass
