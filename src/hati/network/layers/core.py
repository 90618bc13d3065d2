"""The picture that comes in, sums over all channels, and plain functions."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from ..graph import Layer, Shape, WeightShape
from ..settings import Count, NotNegative, Share
from .shapes import channels

Function = Literal["linear", "relu", "relu6", "sigmoid", "softmax", "tanh", "silu", "hard_silu", "gelu"]


@dataclass(frozen=True, repr=False)
class InputLayer(Layer):
    arity = (0, 0)

    size: Shape

    def shape(self, x: Sequence[Shape]) -> Shape:
        return self.size


@dataclass(frozen=True, repr=False)
class Dense(Layer):
    """x · kernel + bias along the last axis: (features,) -> (units,), or (H, W, C) -> (H, W, units).

    Weights: kernel (features, units), bias (units,).
    """

    units: Count
    activation: Function = "linear"

    def shape(self, x: Sequence[Shape]) -> Shape:
        return (*x[0][:-1], self.units)

    def weights(self, x: Sequence[Shape]) -> dict[str, WeightShape]:
        return {"kernel": (channels(x[0]), self.units), "bias": (self.units,)}


@dataclass(frozen=True, repr=False)
class Activation(Layer):
    function: Function


@dataclass(frozen=True, repr=False)
class ReLU(Layer):
    max_value: NotNegative | None = None


@dataclass(frozen=True, repr=False)
class Dropout(Layer):
    """Drops values in training, or with `whole` a picture's whole map; in inference it lets everything through."""

    rate: Share
    whole: bool = False
