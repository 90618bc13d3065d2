"""A folder of a person's own photos, with the right answers where a `labels.csv` in it tells them."""

import csv
import hashlib
from dataclasses import dataclass
from os import PathLike
from pathlib import Path

from .. import photos
from ..errors import ArgumentError, ImageError, light
from ..labels import imagenet
from ..photos.finding import find
from ..tools.measuring import likely_share

LABELS = "labels.csv"  # its columns: file, and index, the class by its place in ImageNet's list
ENOUGH = 16  # photos to take times with


@dataclass(frozen=True)
class Accuracy:
    """How many labelled photos were named rightly at once."""

    right: int
    photos: int  # that could be read
    left_out: int = 0  # that could not

    @property
    def percent(self) -> float:
        return 100 * self.right / self.photos

    @property
    def interval(self) -> tuple[float, float]:
        """Where the true percentage lies, 95 times of 100 (Wilson, 1927)."""
        low, high = likely_share(self.right, self.photos)
        return 100 * low, 100 * high


@dataclass(frozen=True)
class OwnPhotos:
    folder: str
    photos: tuple[str, ...]
    classes: tuple[int, ...] | None  # of each photo; None where no labels.csv tells them
    sample: tuple[str, ...]  # of those that can be read, up to 16 from all over the folder
    unreadable: tuple[ImageError, ...]  # met while looking for the sample

    @property
    def fingerprint(self) -> str:
        """Another one as soon as any photo or label is another."""
        return hashlib.sha256(repr((self.classes, [_state(photo) for photo in self.photos])).encode()).hexdigest()


def opened(folder: str | PathLike[str]) -> OwnPhotos:
    """The photos of a folder: those that its labels.csv names, or all, searched to the bottom.

    Raises ArgumentError where there is no such folder, no photo in it, none that can be read, or labels that are not
    understood.
    """
    place = Path(folder)
    if not place.is_dir():
        raise ArgumentError(f"{place}: there is no such folder; give one with photos in it")
    found, classes = _labelled(place) if (place / LABELS).is_file() else (_all(place), None)
    sample, unreadable = _sample(found)
    if not sample:
        raise ArgumentError(f"{place}: none of its {len(found):,} photos can be read; of one of them: {unreadable[0]}")
    return OwnPhotos(str(place), found, classes, sample, unreadable)


def _all(folder: Path) -> tuple[str, ...]:
    found = tuple(str(photo) for photo in find([folder]))
    if found == (str(folder),):
        raise ArgumentError(f"{folder}: there is no photo in this folder; give one with photos in it")
    return found


def _labelled(folder: Path) -> tuple[tuple[str, ...], tuple[int, ...]]:
    path = folder / LABELS
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ArgumentError(f"{path}: it cannot be read ({error}); a CSV file in UTF-8 was expected") from None
    if not rows:
        raise ArgumentError(f"{path}: it names no photo; a row for each was expected, with columns file and index")
    labels = [_label(path, line, row) for line, row in enumerate(rows, 2)]
    return tuple(file for file, _ in labels), tuple(index for _, index in labels)


def _label(path: Path, line: int, row: dict[str, str | None]) -> tuple[str, int]:
    file, index = row.get("file"), row.get("index")
    if not file or index is None:
        raise ArgumentError(f"{path}, line {line}: it has no {'index' if file else 'file'}; both columns are needed")
    if not (index.strip().isdecimal() and int(index) < len(imagenet())):
        raise ArgumentError(
            f"{path}, line {line}: index is {index!r}; the number of an ImageNet class was expected, 0 to 999"
        )
    return str(path.parent / file), int(index)


def _sample(found: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[ImageError, ...]]:
    """Photos from all over the folder that can be read, and what is wrong with those that were tried in vain."""
    readable: list[str] = []
    faults: list[ImageError] = []
    step = max(1, len(found) // ENOUGH)
    for photo in (photo for start in range(step) for photo in found[start::step]):
        try:
            photos.read(photo)
            readable.append(photo)
        except ImageError as error:
            faults.append(light(error))
        if len(readable) == ENOUGH:
            break
    return tuple(readable), tuple(faults)


def _state(photo: str) -> tuple[str, int, int]:
    try:
        status = Path(photo).stat()
    except OSError:
        return photo, 0, 0
    return photo, status.st_size, status.st_mtime_ns
