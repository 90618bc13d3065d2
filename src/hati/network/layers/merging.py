"""Several inputs to one."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf

from ...errors import GraphError
from ..graph import Layer, Shape
from .shapes import channels


@dataclass(frozen=True, repr=False)
class Add(Layer):
    """The sum of its inputs, the last one times `scale`."""

    arity = (2, inf)

    scale: float = 1.0

    def shape(self, x: Sequence[Shape]) -> Shape:
        if len(set(x)) > 1:
            raise GraphError("Add needs inputs of one shape")
        return x[0]


@dataclass(frozen=True, repr=False)
class Multiply(Layer):
    """A map times another one, or times one number for each channel, (1, 1, C)."""

    arity = (2, 2)

    def shape(self, x: Sequence[Shape]) -> Shape:
        if x[1] not in (x[0], (1, 1, *x[0][2:])):
            raise GraphError(f"Multiply needs a second input of the first one's shape, or (1, 1, {x[0][-1]})")
        return x[0]


@dataclass(frozen=True, repr=False)
class Concatenate(Layer):
    """Joins maps along their channels: (H, W, C_i) -> (H, W, sum of C_i)."""

    arity = (1, inf)

    def shape(self, x: Sequence[Shape]) -> Shape:
        if len({shape[:-1] for shape in x}) > 1:
            raise GraphError("Concatenate needs inputs of one height and width")
        return (*x[0][:-1], sum(channels(shape) for shape in x))
