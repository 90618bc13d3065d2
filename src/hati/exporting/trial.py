"""Photos that a file is tried with, and others that int8 is calibrated on."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib.resources import as_file, files

import numpy as np
from PIL import Image, ImageOps

from .. import photos
from ..errors import ArgumentError, ImageError
from ..int8.calibration_photos import CALIBRATING, CalibrationPhotos, seen
from ..model import Model
from ..photos import Photo
from ..tools.arrays import Array
from ..tools.progress import Verbose

Photos = str | os.PathLike[str] | Iterable[Photo]

SAMPLES = ("astronaut", "cat", "coffee", "rocket")
NEARER = 0.7  # the part of a sample's sides that its nearer views show


@dataclass(frozen=True)
class Trial:
    """Photos as the network's size of pixels, (photos, height, width, 3) uint8."""

    calibrating: Array
    checking: Array  # none of which is calibrated on
    unreadable: tuple[ImageError, ...]
    samples: bool  # whether they are hati's own


def gathered(model: Model, calibrate: Photos | None, check: Photos | None, verbose: Verbose) -> Trial:
    """Photos to calibrate on from one folder, and to check with from the other; a part of the first where that is all.

    Raises ArgumentError for a folder with too few photos.
    """
    learnt = CalibrationPhotos.read(model, calibrate, verbose) if calibrate is not None else None
    unreadable = learnt.unreadable if learnt else ()
    pixels = learnt.pixels if learnt else np.empty((0, *model.size, 3), np.uint8)
    if check is not None:
        shown, bad = seen(model, check, verbose)
        if not shown:
            raise ArgumentError(f"no photo to check with could be read of the {len(bad)} that came")
        return Trial(pixels[:CALIBRATING], np.stack(shown), unreadable + bad, False)
    if learnt is not None:
        edge = learnt.calibrating
        return Trial(pixels[:edge], pixels[edge:], unreadable, False)
    return Trial(pixels, np.stack([model.preprocessing.resize(view, model.size) for view in samples()]), (), True)


def samples() -> Iterator[Image.Image]:
    """hati's own photos: each as it is, mirrored, and two nearer views of it."""
    for name in SAMPLES:
        with as_file(files("hati") / "data" / "samples" / f"{name}.jpg") as path:
            photo = photos.read(path)
        width, height = (round(NEARER * side) for side in photo.size)
        yield photo
        yield ImageOps.mirror(photo)
        yield photo.crop((0, 0, width, height))
        yield photo.crop((photo.width - width, photo.height - height, photo.width, photo.height))
