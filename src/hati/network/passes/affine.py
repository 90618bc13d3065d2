"""Layers that multiply each channel by a number and add another one: x · gain + shift."""

from collections.abc import Mapping
from functools import singledispatch

import numpy as np

from ...tools.arrays import Array
from ..graph import Layer
from ..layers import SMALLEST_DEVIATION, BatchNormalization, LayerScale, Normalization, Rescaling

AFFINE = (BatchNormalization, LayerScale, Normalization, Rescaling)


@singledispatch
def gain_and_shift(layer: Layer, w: Mapping[str, Array]) -> tuple[Array, Array]:
    """Both in float64, (channels,), or () where one number stands for all channels."""
    raise NotImplementedError(layer.kind)


@gain_and_shift.register
def _(layer: BatchNormalization, w: Mapping[str, Array]) -> tuple[Array, Array]:
    gain = np.float64(w.get("gamma", 1)) / np.sqrt(np.float64(w["moving_variance"]) + layer.epsilon)
    return gain, w["beta"] - w["moving_mean"] * gain


@gain_and_shift.register
def _(layer: Rescaling, w: Mapping[str, Array]) -> tuple[Array, Array]:
    return np.asarray(layer.scale, np.float64), np.asarray(layer.offset, np.float64)


@gain_and_shift.register
def _(layer: Normalization, w: Mapping[str, Array]) -> tuple[Array, Array]:
    stored = vars(layer) if layer.mean is not None else w
    mean, variance = (np.asarray(stored[key], np.float64) for key in ("mean", "variance"))
    gain = 1 / np.maximum(np.sqrt(variance), SMALLEST_DEVIATION)
    return gain, -mean * gain


@gain_and_shift.register
def _(layer: LayerScale, w: Mapping[str, Array]) -> tuple[Array, Array]:
    return w["gamma"].astype(np.float64), np.zeros(())
