"""Which photos are meant: one, several, or those of a folder."""

import glob
import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TypeGuard, cast

import numpy as np

from . import Photo, is_url

Photos = Photo | Iterable[Photo]  # one, several, or the path of a folder

SUFFIXES = {
    ".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".gif", ".bmp", ".dib", ".tif", ".tiff",
    ".jp2", ".j2k", ".avif", ".ppm", ".pgm", ".pbm", ".tga",
}  # fmt: skip


def is_one(photos: Photos) -> TypeGuard[Photo]:
    """Whether that is one photo: a string always is, unless it is the path of a folder."""
    match photos:
        case np.ndarray():
            return photos.ndim < 4
        case str() | os.PathLike():
            return not os.path.isdir(photos)
        case bytes() | bytearray():
            return True
    return hasattr(photos, "read") or not hasattr(photos, "__iter__")


def each(photos: Photos) -> Iterable[Photo]:
    """Photos one by one: the one that is given, each of several, or those of a folder, searched to its bottom."""
    if is_one(photos):
        return [photos]
    if isinstance(photos, str | os.PathLike):
        return find([photos])
    return cast(Iterable[Photo], photos)


def find(places: Iterable[str | os.PathLike[str]]) -> Iterator[Photo]:
    """Every photo that the places name: files, URLs, folders (searched to the bottom, by suffix), glob patterns, and
    - for standard input. A place without photos is given as it is, and `read` says what is wrong with it.
    """
    for place in (os.fspath(place) for place in places):
        if place == "-":
            yield sys.stdin.buffer
        elif os.path.isdir(place):
            yield from _photos(Path(place).rglob("*")) or [place]
        elif glob.has_magic(place) and not is_url(place) and not os.path.exists(place):
            yield from _photos(map(Path, glob.glob(place, recursive=True))) or [place]
        else:
            yield place


def _photos(paths: Iterable[Path]) -> list[str]:
    return sorted(str(path) for path in paths if path.suffix.lower() in SUFFIXES and path.is_file())
