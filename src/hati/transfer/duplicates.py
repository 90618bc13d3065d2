"""Photos that lie in two sets at once, or all but: encoded again, smaller, brighter, mirrored, or cut at the edges.

A model that is judged on photos that it has learnt from looks better than it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from PIL import Image

from ..errors import ImageError
from ..photos import Photo, describe, read
from ..photos.sets import PhotoSet
from ..tools.arrays import Array
from ..tools.machine import cores
from ..tools.pipeline import batches, in_order
from .alignment import SIDE, likeness
from .heads import unit

# Measured with EfficientNetLite0 on 100 of 896 photos of ants, bees and flowers: as JPEG of quality 50, at half the
# size, cut by 5 % at each edge or at one corner, brightened by 10 %, mirrored, all of it at once, and cut at random by
# up to 10 %. All of these were 0.975 alike or more, and 699 of the first 700 were found; of the 3,075 pairs of distinct
# photos that are nearest by their vectors, none was more than 0.952 alike.
SAME = 0.965
NEAR = 0.5  # cosine of vectors, below which no pair is looked at; of such copies the least had 0.545
NEAREST = 5  # photos of the one set that each of the other is compared with
BLOCK = 1024  # rows of cosines that are held at once
PAIRS = 64  # of photos that are compared at once: few calls, and still in the processor's cache


@dataclass(frozen=True)
class Pair:
    """A photo that lies in both sets."""

    train: str
    validation: str
    likeness: float  # correlation of their grey pixels, brought to cover each other; 1 is the same


def near_duplicates(
    train: PhotoSet, train_vectors: Array, validation: PhotoSet, validation_vectors: Array
) -> tuple[Pair, ...]:
    """The validation photos that are in the training set too, each with its likest there; the most alike first.

    The vectors, (photos, numbers), are a body's; they find the pairs that are worth comparing.
    """
    pairs = list(_candidates(train_vectors, validation_vectors))
    ours = _thumbnails(train, {one for one, _ in pairs})
    theirs = _thumbnails(validation, {other for _, other in pairs})
    seen = [(one, other) for one, other in pairs if one in ours and other in theirs]
    found: dict[int, Pair] = {}
    for block in batches(seen, PAIRS):
        for (one, other), alike in zip(block, _likeness(block, ours, theirs), strict=True):
            if alike >= SAME and (other not in found or alike > found[other].likeness):
                names = describe(train.photos[one]), describe(validation.photos[other])
                found[other] = Pair(*names, float(alike))
    return tuple(sorted(found.values(), key=lambda pair: -pair.likeness))


def _likeness(pairs: list[tuple[int, int]], ours: dict[int, Array], theirs: dict[int, Array]) -> Array:
    return likeness(np.stack([ours[one] for one, _ in pairs]), np.stack([theirs[other] for _, other in pairs]))


def _candidates(train: Array, validation: Array) -> Iterator[tuple[int, int]]:
    """The numbers of two photos each whose vectors point the same way."""
    train, validation = unit(train), unit(validation)
    for start in range(0, len(validation) if len(train) else 0, BLOCK):
        cosines = validation[start : start + BLOCK] @ train.T
        nearest = np.argpartition(-cosines, min(NEAREST, len(train)) - 1, 1)[:, :NEAREST]
        for row, column in np.argwhere(np.take_along_axis(cosines, nearest, 1) >= NEAR):
            yield int(nearest[row, column]), start + int(row)


def _thumbnails(found: PhotoSet, numbers: Iterable[int]) -> dict[int, Array]:
    """Of the photos that can still be read."""
    chosen = sorted(numbers)
    made = in_order(_thumbnail, (found.photos[number] for number in chosen), cores())
    return {number: grey for number, grey in zip(chosen, made, strict=True) if grey is not None}


def _thumbnail(photo: Photo) -> Array | None:
    """(SIDE, SIDE) uint8, grey, whatever the photo's own shape."""
    try:
        picture = read(photo, needed=SIDE)
    except ImageError:
        return None
    return np.asarray(picture.convert("L").resize((SIDE, SIDE), Image.Resampling.BILINEAR))
