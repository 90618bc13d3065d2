"""The same photo, a little different each time: another part of it, mirrored, in another light."""

from __future__ import annotations

from math import ceil, exp, log, sqrt

import numpy as np
from PIL import Image

from ...preprocessing import INTERPOLATIONS, Preprocessing
from ...tools.arrays import Array
from .recipe import Recipe

STRETCH = 4 / 3  # of a part that is looked at, at most, wide or tall; Szegedy et al. 2015
GREY = np.array([0.299, 0.587, 0.114], np.float32)  # what red, green and blue are to the eye; ITU-R BT.601


def augmented(
    photo: Image.Image, preprocessing: Preprocessing, size: tuple[int, int], recipe: Recipe, chance: np.random.Generator
) -> Array:
    """An RGB photo -> (height, width, 3) float32, 0–255: not normalised yet."""
    box = _part(photo, size, recipe.crop, chance)
    mirrored = recipe.flip and chance.random() < 0.5
    if recipe.crop == 1:
        x = preprocessing.resize(photo, size)
    else:
        x = np.asarray(photo.resize(size[::-1], INTERPOLATIONS[preprocessing.interpolation], box))
    x = (x[:, ::-1] if mirrored else x).astype(np.float32)
    return _in_another_light(x, recipe.colour, chance) if recipe.colour else x


def needed(size: tuple[int, int], crop: float) -> int:
    """How many pixels a photo's shorter side should have, so that the smallest part of it is not made up."""
    return ceil(max(size) * sqrt(STRETCH / crop))


def mixed(x: Array, targets: Array, share: float) -> tuple[Array, Array]:
    """Neighbours in a batch laid over each other, and their targets; the last of an odd number stays itself.

    x: (batch, height, width, 3); targets: (batch, classes); `share` is the picture's own, the rest its neighbour's.
    """
    other = np.arange(len(x)) ^ 1
    other[other == len(x)] -= 1
    return share * x + (1 - share) * x[other], share * targets + (1 - share) * targets[other]


def _part(
    photo: Image.Image, size: tuple[int, int], crop: float, chance: np.random.Generator
) -> tuple[float, float, float, float]:
    """(left, top, right, bottom) in pixels of a part with a share of the photo's area, of about the model's shape."""
    height, width = size
    area = photo.width * photo.height * chance.uniform(crop, 1)
    shape = width / height * exp(chance.uniform(-log(STRETCH), log(STRETCH)))
    wide, tall = min(photo.width, sqrt(area * shape)), min(photo.height, sqrt(area / shape))
    left, top = chance.uniform(0, photo.width - wide), chance.uniform(0, photo.height - tall)
    return left, top, min(left + wide, photo.width), min(top + tall, photo.height)


def _in_another_light(x: Array, strength: float, chance: np.random.Generator) -> Array:
    brightness, contrast, saturation = chance.uniform(1 - strength, 1 + strength, 3).astype(np.float32)
    x = x * brightness
    middle = (x @ GREY).mean()
    x = (x - middle) * contrast + middle
    grey = (x @ GREY)[..., np.newaxis]
    return np.asarray(((x - grey) * saturation + grey).clip(0, 255), np.float32)
