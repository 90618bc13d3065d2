"""How a photo becomes the array that a network's weights were trained on.

A Preprocessing belongs to weights, not to an architecture, and travels with them.
"""

from dataclasses import dataclass
from functools import cached_property
from math import ceil
from typing import Literal

import numpy as np
from PIL import Image

from ..errors import ArgumentError
from ..tools.arrays import Array

DataFormat = Literal["channels_last", "channels_first"]


@dataclass(frozen=True)
class Normalisation:
    """(x / scale - mean) / deviation on 0–255 RGB pixels, channel by channel, after a turn to BGR where asked."""

    scale: float | None = None
    mean: tuple[float, float, float] = (0.0, 0.0, 0.0)
    deviation: tuple[float, float, float] | None = None
    bgr: bool = False

    def __call__(self, x: Array, data_format: DataFormat = "channels_last", *, in_place: bool = False) -> Array:
        """x: (…, height, width, 3), 0–255 RGB; integers come back as float32, floats keep their type."""
        axis = channel_axis(x, data_format)
        if not np.issubdtype(x.dtype, np.floating):
            x = x.astype(np.float32)
        elif not in_place:
            x = x.copy()
        if self.scale is not None:
            x /= self.scale
        if self.bgr:
            x = np.flip(x, axis)
        by_channel = np.moveaxis(x, axis, 0)
        for channel, mean in zip(by_channel, self.mean, strict=True):
            channel -= mean
        for channel, deviation in zip(by_channel, self.deviation or (), strict=self.deviation is not None):
            channel /= deviation
        return x

    @cached_property
    def lowest(self) -> float:
        """What black becomes, in the channel where it is lowest."""
        return float(self(np.zeros((1, 1, 3))).min())

    @cached_property
    def highest(self) -> float:
        """What white becomes, in the channel where it is highest."""
        return float(self(np.full((1, 1, 3), 255.0)).max())


UNCHANGED = Normalisation()  # for a network that takes 0–255 RGB and begins with its own
NORMALISATIONS: dict[str, Normalisation] = {
    "caffe": Normalisation(mean=(103.939, 116.779, 123.68), bgr=True),
    "tf": Normalisation(scale=127.5, mean=(1.0, 1.0, 1.0)),
    "torch": Normalisation(scale=255.0, mean=(0.485, 0.456, 0.406), deviation=(0.229, 0.224, 0.225)),
    "lite": Normalisation(mean=(127.0, 127.0, 127.0), deviation=(128.0, 128.0, 128.0)),
    "tf128": Normalisation(scale=128.0, mean=(1.0, 1.0, 1.0)),  # of the larger EfficientNetV2, where not in the graph
    "none": UNCHANGED,
}
INTERPOLATIONS = {
    "nearest": Image.Resampling.NEAREST,
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
    "hamming": Image.Resampling.HAMMING,
    "box": Image.Resampling.BOX,
    "lanczos": Image.Resampling.LANCZOS,
}


@dataclass(frozen=True)
class Preprocessing:
    """What a set of weights expects: the middle of the photo, resized, then normalised.

    `crop` is the part of the shorter side that is looked at, 1.0 all of it; the photo's own proportions stay.
    """

    normalisation: str
    crop: float
    interpolation: str

    def needed(self, size: tuple[int, int]) -> int:
        """How many pixels a photo's shorter side has, of which none is made up."""
        return ceil(max(size) / self.crop)

    def resize(self, photo: Image.Image, size: tuple[int, int]) -> Array:
        """The middle of an RGB photo -> (height, width, 3) uint8."""
        height, width = size
        scale = self.crop * min(photo.width / width, photo.height / height)
        left = max(0.0, (photo.width - scale * width) / 2)  # -1e-14 comes of rounding, and Pillow refuses it
        top = max(0.0, (photo.height - scale * height) / 2)
        box = (left, top, photo.width - left, photo.height - top)
        return np.asarray(photo.resize((width, height), INTERPOLATIONS[self.interpolation], box))

    def __call__(self, photo: Image.Image, size: tuple[int, int]) -> Array:
        """An RGB photo -> (height, width, 3) float32, ready for the network."""
        return NORMALISATIONS[self.normalisation](self.resize(photo, size))


def check_data_format(data_format: str | None) -> DataFormat:
    match data_format:
        case None | "channels_last":
            return "channels_last"
        case "channels_first":
            return "channels_first"
    raise ArgumentError(f"data_format is {data_format!r}; it can be 'channels_last' or 'channels_first'")


def channel_axis(x: Array, data_format: DataFormat) -> int:
    axis = -1 if data_format == "channels_last" else -3
    if x.ndim not in (3, 4) or x.shape[axis] != 3:
        raise ArgumentError(
            f"pixels of shape {x.shape} came; (height, width, 3) or a batch of them was expected, {data_format}"
        )
    return axis
