"""MobileNet as `keras.applications.mobilenet` has it, in every width and at every input size of its weights."""

from functools import partial
from os import PathLike
from typing import Any

from ..architectures.blocks import Pooling
from ..architectures.mobilenet import mobilenet
from ..catalog import Entry, entries
from ..errors import ArgumentError
from ..labels import decode_predictions
from ..layers import Function
from ..model import Model
from ..preprocessing import preprocess_input as by_mode
from .building import Request, build

__all__ = ["MobileNet", "decode_predictions", "preprocess_input"]

SIZES = (128, 160, 192, 224)  # of the square pictures that the published weights were trained on
ALPHAS = (0.25, 0.5, 0.75, 1.0)

preprocess_input = partial(by_mode, mode="tf")


def MobileNet(
    input_shape: tuple[int | None, ...] | None = None,
    alpha: float = 1.0,
    depth_multiplier: int = 1,
    dropout: float = 1e-3,
    include_top: bool = True,
    weights: str | PathLike[str] | None = "imagenet",
    input_tensor: Any = None,
    pooling: Pooling | None = None,
    classes: int = 1000,
    classifier_activation: Function | None = "softmax",
    name: str | None = None,
) -> Model:
    """MobileNet with every width times `alpha`; the other arguments are those of each application.

    Raises ArgumentError for a combination that means nothing, WeightsError for a file that does not fit, and
    WeightsUnavailable where the file cannot be had.
    """
    if weights == "imagenet" and depth_multiplier != 1:
        raise ArgumentError(f"depth_multiplier is {depth_multiplier}; weights='imagenet' needs 1")
    if weights == "imagenet" and alpha not in ALPHAS:
        raise ArgumentError(f"alpha is {alpha}; weights='imagenet' has {', '.join(map(str, ALPHAS))}")
    if int(32 * alpha) < 1:
        raise ArgumentError(f"alpha is {alpha}; it can be 0.03125 or more, so that the narrowest layer keeps a channel")
    request = Request(include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation)
    size = _trained_size(input_shape)
    height = input_shape[0] if input_shape else size if include_top else None
    architecture = partial(
        mobilenet,
        alpha=alpha,
        depth_multiplier=depth_multiplier,
        dropout=dropout,
        name=name or f"mobilenet_{alpha:0.2f}_{size if weights == 'imagenet' else height}",
    )
    return build(architecture, _entry(alpha, size), request, smallest=32)


def _trained_size(input_shape: tuple[int | None, ...] | None) -> int:
    """The input size whose weights serve a shape: its own where there are such, else 224, as in Keras."""
    if input_shape and input_shape[0] in SIZES and input_shape[:2] == (input_shape[0],) * 2:
        return input_shape[0]
    return SIZES[-1]


def _entry(alpha: float, size: int) -> Entry:
    """The catalog's entry; a width that has no published weights shares the preprocessing of the full one."""
    ours = [entry for entry in entries().values() if entry.module == "mobilenet" and entry.size == size]
    return next((entry for entry in ours if entry.alpha == alpha), ours[0])
