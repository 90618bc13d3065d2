"""What only moves numbers, puts zeros round them, or cuts some off."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

from ...errors import GraphError
from ..graph import Layer, Shape, Size
from ..settings import Count
from .shapes import known
from .windows import Pads


@dataclass(frozen=True, repr=False)
class ZeroPadding2D(Layer):
    padding: Pads

    def shape(self, x: Sequence[Shape]) -> Shape:
        (height, width, channels), pads = x[0], self.padding
        return (_plus(height, sum(pads[0])), _plus(width, sum(pads[1])), channels)


@dataclass(frozen=True, repr=False)
class Cropping2D(Layer):
    cropping: Pads

    def shape(self, x: Sequence[Shape]) -> Shape:
        (height, width, channels), crops = x[0], self.cropping
        return (_minus(height, sum(crops[0])), _minus(width, sum(crops[1])), channels)


@dataclass(frozen=True, repr=False)
class Flatten(Layer):
    """(H, W, C) -> (H · W · C,), channels running fastest."""

    def shape(self, x: Sequence[Shape]) -> Shape:
        return (prod(known(x[0])),)


@dataclass(frozen=True, repr=False)
class Reshape(Layer):
    target: tuple[Count, ...]

    def shape(self, x: Sequence[Shape]) -> Shape:
        if prod(known(x[0])) != prod(self.target):
            raise GraphError(f"{x[0]} does not have the {prod(self.target)} values of {self.target}")
        return self.target


def _plus(size: Size, pad: int) -> Size:
    return None if size is None else size + pad


def _minus(size: Size, crop: int) -> Size:
    if size is not None and size <= crop:
        raise GraphError(f"{crop} pixels cannot be cut from {size}")
    return None if size is None else size - crop
