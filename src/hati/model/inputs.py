"""What `predict` accepts, and what it warns of."""

import warnings
from typing import Any

import numpy as np

from ..errors import InputError, InputWarning
from ..network.graph import Shape
from ..preprocessing import UNCHANGED, Normalisation
from ..tools.arrays import Array, as_array

EDGE = 1e-3  # how far past black or white a value may lie, as a part of the way between them
NARROW = 0.02  # values that all lie within this part of the way are no photo's: 5 of 255 grey levels


def batch(x: Any, shape: Shape) -> Array:
    """x as a batch of pictures of a shape. Raises InputError with what came and what was expected."""
    expected = f"(batch, {', '.join('any' if size is None else str(size) for size in shape)})"
    if isinstance(x, list | tuple):
        x = [as_array(picture) for picture in x]
        if len({picture.shape for picture in x}) > 1:
            raise InputError(f"pictures of several shapes came; one array of shape {expected} was expected")
    x = as_array(x)
    if x.dtype.kind not in "fiu":
        raise InputError(f"an array of type {x.dtype} came; numbers of shape {expected} were expected")
    if x.ndim == len(shape) + 1 and _fits(x.shape[1:], shape):
        return x
    raise InputError(f"an array of shape {x.shape} came; {expected} was expected{_advice(x, shape)}")


def check_values(x: Array, normalisation: Normalisation, stacklevel: int) -> None:
    """Warn of values that this preprocessing never gives. Raises InputError for NaN and infinity."""
    if not x.size:
        return
    low, high = float(x.min()), float(x.max())
    if not np.isfinite(low + high):
        raise InputError("the array holds NaN or infinity: a division by zero in its preprocessing, perhaps")
    black, white = normalisation.lowest, normalisation.highest
    way = white - black
    if normalisation != UNCHANGED and low >= 0 and high > 1 and (high > white + EDGE * way or _whole_numbers(x)):
        fault = "as if 0–255 pixels had never been preprocessed"
    elif 0 < high - low < NARROW * way or low < black - EDGE * way:
        fault = "as if they had been preprocessed twice, or for another model"
    elif high > white + EDGE * way:
        fault = "as if they had been preprocessed for another model"
    else:
        return
    warnings.warn(
        f"the values go from {low:.4g} to {high:.4g}, {fault}; "
        f"this model's preprocess_input gives {black:.4g} to {white:.4g}",
        InputWarning,
        stacklevel=stacklevel + 1,
    )


def _fits(found: tuple[int, ...], shape: Shape) -> bool:
    return all(size in (None, n) for n, size in zip(found, shape, strict=True))


def _advice(x: Array, shape: Shape) -> str:
    if x.ndim == len(shape) and _fits(x.shape, shape):
        return ": give the single picture a batch axis with np.expand_dims(x, axis=0)"
    if x.ndim == 4 and len(shape) == 3 and _fits((*x.shape[2:], x.shape[1]), shape):
        return ": move the channels to the end with x.transpose(0, 2, 3, 1)"
    if x.ndim == 4 and len(shape) == 3 and x.shape[3] == shape[2]:
        return ": resize the pictures, or build the model with include_top=False and another input_shape"
    return ""


def _whole_numbers(x: Array) -> bool:
    return x.dtype.kind in "iu" or bool((x == np.rint(x)).all())
