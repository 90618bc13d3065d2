"""Pictures by which a device can tell whether it computes what was computed where its kit was made."""

from __future__ import annotations

import json
from itertools import islice
from pathlib import Path

import numpy as np
from PIL import ExifTags, Image

from ... import photos
from ...tools.arrays import Array
from ..formats import Precision
from ..trial import SAMPLES, samples
from .contents import Contents
from .features import order_of

VIEWS = 4  # of each sample, of which the first is the photo as it is
LYING = "cat"  # is stored as a camera stores what it took upright
DIGITS = 6

# How far a score may be off, and the least cosine of features. In integers kernels round each in its own way: LiteRT's
# by XNNPACK and its plain ones differ by up to 0.066 on MobileNet 0.25 and photos of ImageNet's classes.
TOLERANCES: dict[Precision, tuple[float, float]] = {
    "float32": (0.001, 0.9999),
    "float16": (0.01, 0.999),
    "int8": (0.1, 0.95),
}


def write(contents: Contents) -> None:
    """hati's own photos, small and without loss, and what the written files make of them."""
    model = contents.order.model
    for name, photo in zip(SAMPLES, islice(samples(), 0, None, VIEWS), strict=True):
        _save(photo, contents.golden / f"{name}.png", model.preprocessing.needed(model.size))
    paths = sorted(contents.golden.iterdir())
    pixels = np.stack([model.preprocessing.resize(photos.read(path), model.size) for path in paths])
    scores = contents.found.opened(contents.model, contents.order, 1)(pixels)
    vectors = contents.found.opened(contents.features, order_of(contents), 1)(pixels)
    tolerance, cosine = TOLERANCES[contents.precision]
    expected = {
        path.name: {"scores": _rounded(y), "features": _rounded(x)}
        for path, y, x in zip(paths, scores, vectors, strict=True)
    }
    told = {"tolerance": tolerance, "cosine": cosine, "pictures": expected}
    (contents.folder / "golden.json").write_text(json.dumps(told), encoding="utf-8")


def _save(photo: Image.Image, path: Path, shorter: int) -> None:
    scale = shorter / min(photo.size)
    small = photo.resize((round(scale * photo.width), round(scale * photo.height)), Image.Resampling.LANCZOS)
    exif = Image.Exif()
    if path.stem == LYING:
        small = small.transpose(Image.Transpose.ROTATE_90)
        exif[ExifTags.Base.Orientation] = 6
    small.save(path, exif=exif)


def _rounded(x: Array) -> list[float]:
    return [round(float(number), DIGITS) for number in x]
