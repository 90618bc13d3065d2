"""Photos to read: cut and resized from scikit-image's own, or from the user's, as JPEGs of quality 90."""

import hashlib
from contextlib import suppress
from pathlib import Path

import numpy as np
from PIL import Image

from hati import photos
from hati.errors import ArgumentError, ImageError
from hati.photos.finding import find
from hati.tools.files import whole

SMALL, LARGE = (500, 375), (4000, 3000)  # width, height
OWN = ("chelsea.png", "astronaut.png", "coffee.png", "rocket.jpg")
NOISE = 4.0  # of 255: what a camera adds, so that a large file is as long as a camera's
QUALITY = 90
MOST_PHOTOS = 100  # of the user's, in memory at once


def one(folder: Path, size: tuple[int, int], source: Path | None = None) -> Path:
    """The first photo, all of it, at that size."""
    path = place(folder, source) / f"{size[0]}x{size[1]}.jpg"
    if not path.exists():
        photo = originals(source)[0].resize(size, Image.Resampling.LANCZOS)
        noise = np.random.default_rng(0).normal(0, NOISE, (size[1], size[0], 1))
        save(Image.fromarray((np.asarray(photo) + noise).clip(0, 255).astype(np.uint8)), path)
    return path


def many(folder: Path, count: int, source: Path | None = None) -> Path:
    """A folder of so many photos of the small size, each another part of one of the originals."""
    own = place(folder, source) / f"{count} photos"
    generator, found = np.random.default_rng(0), originals(source)
    for number in range(count):
        photo, path = found[number % len(found)], own / f"{number:05}.jpg"
        box = part(photo, generator)
        if not path.exists():
            save(photo.resize(SMALL, Image.Resampling.BICUBIC, box=box), path)
    return own


def place(folder: Path, source: Path | None) -> Path:
    """A folder for each source of photos."""
    if source is None:
        return folder / "scikit-image"
    return folder / hashlib.sha256(str(source.resolve()).encode()).hexdigest()[:16]


def save(photo: Image.Image, path: Path) -> None:
    """A file that appears whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with whole(path) as part:
        photo.save(part, format="JPEG", quality=QUALITY)


def part(photo: Image.Image, generator: np.random.Generator) -> tuple[float, float, float, float]:
    """A random box of the small photos' proportions, at least 0.6 of what fits."""
    scale = min(photo.width / SMALL[0], photo.height / SMALL[1]) * generator.uniform(0.6, 1)
    wide, high = SMALL[0] * scale, SMALL[1] * scale
    left, top = generator.uniform(0, photo.width - wide), generator.uniform(0, photo.height - high)
    return left, top, left + wide, top + high


def originals(source: Path | None) -> list[Image.Image]:
    """The user's photos that can be read, a hundred at the most, or scikit-image's. Raises ArgumentError."""
    if source is None:
        from skimage import data

        paths = [Path(data.__file__).parent / name for name in OWN]
        return [photos.read(path) for path in paths if path.exists()]
    found = []
    for path in list(find([source]))[:MOST_PHOTOS]:
        with suppress(ImageError):
            found.append(photos.read(path))
    if not found:
        raise ArgumentError(f"{source} holds no photos; --photos takes a folder with some")
    return found
