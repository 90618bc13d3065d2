"""Photos to calibrate on, and others to measure with."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from .. import photos
from ..errors import ArgumentError, ImageError, light
from ..model import Model
from ..photos import Photo
from ..photos.finding import find
from ..tools.arrays import Array
from ..tools.progress import Verbose, track

FEWEST, ENOUGH, MOST = 20, 100, 500  # photos: without which nothing is said, with which more is; all that are looked at
CALIBRATING = 128  # photos at most; a third of them all where that is less


@dataclass(frozen=True)
class CalibrationPhotos:
    """Photos as the network's size of pixels, one byte each; the order is the same every time, and mixed."""

    pixels: Array
    unreadable: tuple[ImageError, ...]
    model: Model

    @classmethod
    def read(
        cls, model: Model, places: str | os.PathLike[str] | Iterable[Photo], verbose: Verbose
    ) -> CalibrationPhotos:
        pixels, unreadable = seen(model, places, verbose)
        if len(pixels) < FEWEST:
            fault = f"; {len(unreadable)} more cannot be read" if unreadable else ""
            raise ArgumentError(
                f"{len(pixels)} photos came to calibrate on and to measure with{fault}; "
                f"at least {FEWEST} are needed, {ENOUGH} or more tell more"
            )
        return cls(np.stack(pixels), unreadable, model)

    @property
    def notes(self) -> tuple[str, ...]:
        count = len(self.pixels)
        few = f"{count} photos are few: with {ENOUGH} or more the agreement is surer"
        return (few,) if count < ENOUGH else ()

    @property
    def calibrating(self) -> int:
        return min(len(self.pixels) // 3, CALIBRATING)

    def batches(self, start: int, end: int | None, size: int) -> Iterator[Array]:
        for first in range(start, len(self.pixels) if end is None else end, size):
            last = first + size if end is None else min(first + size, end)
            yield np.ascontiguousarray(self.model.normalisation(self.pixels[first:last]), np.float32)


def seen(
    model: Model, places: str | os.PathLike[str] | Iterable[Photo], verbose: Verbose
) -> tuple[list[Array], tuple[ImageError, ...]]:
    """Photos (height, width, 3) uint8 as the network sees them, mixed, and why others could not be read."""
    found = list(find([places]) if isinstance(places, str | os.PathLike) else places)
    mixed = [found[number] for number in np.random.default_rng(0).permutation(len(found))[:MOST]]
    pixels: list[Array] = []
    unreadable: list[ImageError] = []
    for photo in track(mixed, len(mixed), "reading photos", verbose):
        try:
            pixels.append(model.preprocessing.resize(photos.read(photo), model.size))
        except ImageError as error:
            unreadable.append(light(error))
    return pixels, tuple(unreadable)
