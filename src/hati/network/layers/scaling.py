"""What multiplies numbers and adds to them, by channel or all alike."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from ...errors import GraphError
from ..graph import Layer, Shape, WeightShape
from ..settings import NotNegative, Share
from .shapes import channels

SMALLEST_DEVIATION = 1e-7  # that Normalization divides by, as in Keras
PerChannel = float | tuple[float, ...]  # one number for all channels, or one for each


@dataclass(frozen=True, repr=False)
class BatchNormalization(Layer):
    """(x - moving_mean) / sqrt(moving_variance + epsilon) · gamma + beta, per channel; Ioffe and Szegedy 2015."""

    running = ("moving_mean", "moving_variance")
    initial: ClassVar = {"gamma": 1.0, "moving_variance": 1.0}

    epsilon: NotNegative = 1e-3
    scale: bool = True
    momentum: Share = 0.99  # of the running statistics, in training

    def weights(self, x: Sequence[Shape]) -> dict[str, WeightShape]:
        names = (*(("gamma",) if self.scale else ()), "beta", *self.running)
        return dict.fromkeys(names, (channels(x[0]),))


@dataclass(frozen=True, repr=False)
class LayerNormalization(Layer):
    """(x - mean) / sqrt(variance + epsilon) · gamma + beta, over the channels at each place; Ba et al. 2016."""

    initial: ClassVar = {"gamma": 1.0}

    epsilon: NotNegative = 1e-3

    def weights(self, x: Sequence[Shape]) -> dict[str, WeightShape]:
        return dict.fromkeys(("gamma", "beta"), (channels(x[0]),))


@dataclass(frozen=True, repr=False)
class Rescaling(Layer):
    """x · scale + offset."""

    scale: PerChannel = 1.0
    offset: PerChannel = 0.0

    def shape(self, x: Sequence[Shape]) -> Shape:
        _check_per_channel(x[0], self.scale, self.offset)
        return x[0]


@dataclass(frozen=True, repr=False)
class Normalization(Layer):
    """(x - mean) / sqrt(variance), per channel; where these are not given they are weights, that Keras' `adapt` finds.

    Weights: mean (C,), variance (C,), count (); no network reads the count.
    """

    running = ("mean", "variance", "count")
    initial: ClassVar = {"variance": 1.0}

    mean: tuple[float, ...] | None = None
    variance: tuple[NotNegative, ...] | None = None

    def shape(self, x: Sequence[Shape]) -> Shape:
        if (self.mean is None) != (self.variance is None):
            raise GraphError("Normalization needs both a mean and a variance, or neither")
        _check_per_channel(x[0], self.mean or 0.0, self.variance or 0.0)
        return x[0]

    def weights(self, x: Sequence[Shape]) -> dict[str, WeightShape]:
        return {} if self.mean is not None else {"mean": (channels(x[0]),), "variance": (channels(x[0]),), "count": ()}


@dataclass(frozen=True, repr=False)
class LayerScale(Layer):
    """x · gamma, per channel; Touvron et al. 2021."""

    initial: ClassVar = {"gamma": 1e-6}

    def weights(self, x: Sequence[Shape]) -> dict[str, WeightShape]:
        return {"gamma": (channels(x[0]),)}


def _check_per_channel(shape: Shape, *values: PerChannel) -> None:
    for value in values:
        if isinstance(value, tuple) and len(value) != channels(shape):
            raise GraphError(f"{len(value)} numbers came for {channels(shape)} channels")
