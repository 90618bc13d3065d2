"""Keras' `applications.imagenet_utils`: preprocessing by mode, and class names."""

from typing import Any, Literal, get_args

from ...errors import ArgumentError, LabelsError
from ...labels import imagenet, ranked
from ...preprocessing import NORMALISATIONS, DataFormat, check_data_format
from ...tools.arrays import Array, as_array

Mode = Literal["caffe", "tf", "torch", "lite"]

__all__ = ["decode_predictions", "preprocess_input"]


def preprocess_input(
    x: Any, data_format: DataFormat | None = None, mode: Mode = "caffe", *, in_place: bool = False
) -> Array:
    """0–255 RGB pixels as weights expect them; in Keras' three styles the same numbers as Keras, bit for bit.

    x: (height, width, 3) or (batch, height, width, 3), or channels first where `data_format` says so. 'caffe' gives BGR
    less the ImageNet mean, 'tf' -1 to 1, 'torch' ImageNet's mean 0 and deviation 1, 'lite' EfficientNet-Lite's
    (x - 127) / 128. x stays as it is, unless `in_place` lets a float x be written over, as Keras always does.

    Raises ArgumentError for an unknown mode or data format, or an x that has no three channels.
    """
    if mode not in get_args(Mode):
        raise ArgumentError(f"mode is {mode!r}; it can be {', '.join(get_args(Mode))}")
    return NORMALISATIONS[mode](as_array(x), check_data_format(data_format), in_place=in_place)


def decode_predictions(preds: Any, top: int = 5) -> list[list[tuple[str, str, float]]]:
    """ImageNet scores (batch, 1000) -> for each picture its `top` (synset, name, score), best first.

    Raises LabelsError for scores of any other shape: features and a model's own classes have no ImageNet names.
    """
    scores = as_array(preds)
    if scores.ndim != 2 or scores.shape[1] != 1000:
        raise LabelsError(
            f"scores of shape {scores.shape} came; (batch, 1000) was expected, as models with include_top=True give"
        )
    return [[(found.synset, found.name, found.score) for found in ranked(row, imagenet(), top)] for row in scores]
