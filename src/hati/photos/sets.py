"""Photos that a person has sorted: into folders, one for each class, or by a table of paths and labels."""

from __future__ import annotations

import csv
import os
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..errors import ArgumentError
from ..tools.arrays import Array
from . import Photo
from .finding import find

COLUMNS = ("path", "label")
BETWEEN_LABELS = "|"  # of one photo, in a table
PARTS = {"train", "training", "val", "valid", "validation", "test"}  # folders' names that are no classes'
SHOWN = 5  # names that a message lists


@dataclass(frozen=True)
class PhotoSet:
    """Photos with the classes that they are of."""

    photos: tuple[Photo, ...]
    classes: tuple[str, ...]
    targets: Array  # (photos, classes) bool: just one class for each photo, unless `multi_label`
    multi_label: bool = False

    def __len__(self) -> int:
        return len(self.photos)

    @property
    def numbers(self) -> Array:
        """(photos,): each photo's class, the first one where it has several."""
        return np.asarray(self.targets.argmax(1))

    @property
    def counts(self) -> dict[str, int]:
        """How many photos each class has."""
        return dict(zip(self.classes, map(int, self.targets.sum(0)), strict=True))

    def take(self, places: Array) -> PhotoSet:
        """Some of the photos, by their numbers or by a mask."""
        chosen = np.arange(len(self))[places]
        return PhotoSet(tuple(self.photos[i] for i in chosen), self.classes, self.targets[chosen], self.multi_label)

    def split(self, share: float, seed: int = 0) -> tuple[PhotoSet, PhotoSet]:
        """Two sets: the second has about a share of every class' photos; the first keeps one of each class, or more."""
        held = self.held(share, seed)
        return self.take(~held), self.take(held)

    def held(self, share: float, seed: int = 0) -> Array:
        """(photos,) bool: which ones `split` puts into its second set."""
        generator = np.random.default_rng(seed)
        held = np.zeros(len(self), bool)
        first = self.numbers
        for number in range(len(self.classes)):
            own = generator.permutation(np.flatnonzero(first == number))
            held[own[: min(round(share * len(own)), len(own) - 1)]] = True
        return held


def read(source: str | os.PathLike[str], *, multi_label: bool = False, fewest: int = 2) -> PhotoSet:
    """A folder with one folder of photos for each class, or a CSV table with the columns path and label.

    Paths in a table start from its folder. With `multi_label` a photo can have several labels, in several rows or
    with | between them.

    Raises ArgumentError for what does not tell so many classes, and says what to change.
    """
    place = Path(source)
    if place.is_dir():
        if multi_label:
            raise ArgumentError(f"{place}: a folder gives each photo one class; for several, give a CSV of path,label")
        return _from_folder(place, fewest)
    if place.is_file():
        return _from_table(place, multi_label, fewest)
    raise ArgumentError(f"{place}: there is no such folder or file; give a folder with one folder for each class")


def from_labels(
    found: Sequence[Photo],
    labels: Sequence[Iterable[str]],
    *,
    multi_label: bool = False,
    fewest: int = 2,
    place: str = "the labels",
) -> PhotoSet:
    """Photos, and the names of the classes of each; classes are in the order of their names."""
    classes = sorted({name for names in labels for name in names})
    numbers = {name: number for number, name in enumerate(classes)}
    targets = np.zeros((len(found), len(classes)), bool)
    for row, names in enumerate(labels):
        targets[row, [numbers[name] for name in names]] = True
    _check_classes(classes, len(found), fewest, place)
    return PhotoSet(tuple(found), tuple(classes), targets, multi_label)


def matched(found: PhotoSet, classes: Sequence[str], place: str) -> PhotoSet:
    """The same photos with another list of classes. Raises ArgumentError for a class that is not in it."""
    unknown = [name for name in found.classes if name not in classes]
    if unknown:
        known = f"; it knows {some(classes)}"
        raise ArgumentError(f"{place}: the model does not know {some(unknown)}{known}")
    targets = np.zeros((len(found), len(classes)), bool)
    targets[:, [list(classes).index(name) for name in found.classes]] = found.targets
    return PhotoSet(found.photos, tuple(classes), targets, found.multi_label)


def _from_folder(place: Path, fewest: int) -> PhotoSet:
    folders = sorted(entry for entry in place.iterdir() if entry.is_dir() and not entry.name.startswith((".", "__")))
    names = [folder.name for folder in folders]
    _check_no_parts(place, folders, learning=fewest > 1)
    by_class = {folder.name: list(_photos(folder)) for folder in folders}
    empty = [name for name, own in by_class.items() if not own]
    if empty:
        raise ArgumentError(f"{place}: no photos are in the class {some(empty)}; add some, or remove the folder")
    found = [photo for own in by_class.values() for photo in own]
    return from_labels(found, [(name,) for name in names for _ in by_class[name]], fewest=fewest, place=str(place))


def _photos(folder: Path) -> Iterable[str]:
    return (str(photo) for photo in find([folder]) if photo != str(folder))


def _check_no_parts(place: Path, folders: Sequence[Path], *, learning: bool) -> None:
    """Refuse to take the parts of a set for classes."""
    parts = [folder for folder in folders if folder.name.lower() in PARTS]
    if parts and len(parts) == len(folders):
        train = next((folder for folder in parts if folder.name.lower().startswith("train")), parts[0])
        others = [f"--validate {folder}" for folder in parts if folder != train][:1]
        raise ArgumentError(
            f"{place}: its folders are {some([folder.name for folder in folders])}, parts of a set and no classes; "
            f"give {' '.join([str(train), *others]) if learning else 'one of them'}"
        )


def _from_table(place: Path, multi_label: bool, fewest: int) -> PhotoSet:
    labels = _labels_by_photo(place, multi_label)
    several = [photo for photo, names in labels.items() if len(names) > 1]
    if several and not multi_label:
        raise ArgumentError(
            f"{place}: {several[0]} has several labels, {some(sorted(labels[several[0]]))}, as have "
            f"{len(several) - 1} others; say --multi-label, or leave one for each photo"
        )
    found = [str(place.parent / photo) for photo in labels]
    return from_labels(found, list(labels.values()), multi_label=multi_label, fewest=fewest, place=str(place))


def _labels_by_photo(place: Path, multi_label: bool) -> Mapping[str, set[str]]:
    labels: dict[str, set[str]] = {}
    try:
        with place.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.DictReader(file)
            if not set(COLUMNS) <= set(rows.fieldnames or ()):
                raise ArgumentError(
                    f"{place}: its first line is {','.join(rows.fieldnames or ())[:80]!r}; "
                    f"the columns {' and '.join(COLUMNS)} were expected"
                )
            for row in rows:
                photo, label = ((row[column] or "").strip() for column in COLUMNS)
                names = {name.strip() for name in label.split(BETWEEN_LABELS)} - {""}
                if not photo or not (names or multi_label):
                    missing = "label" if photo else "path"
                    raise ArgumentError(f"{place}: line {rows.line_num} has no {missing}; give one, or remove the line")
                labels.setdefault(photo, set()).update(names)
    except (OSError, UnicodeError, csv.Error) as error:
        raise ArgumentError(f"{place}: it is no CSV table of {','.join(COLUMNS)} ({error})") from None
    return labels


def _check_classes(classes: Sequence[str], found: int, fewest: int, place: str) -> None:
    if len(classes) < fewest:
        what = f"one class, {classes[0]!r}," if classes else "no class"
        needed = "two classes are needed to tell them apart" if fewest == 2 else "a folder for each class was expected"
        raise ArgumentError(f"{place}: it has {what} and {found} photos; {needed}")
    alike = Counter(folded(name) for name in classes)
    [(name, times)] = alike.most_common(1)
    if times > 1:
        twins = [repr(known) for known in classes if folded(known) == name]
        raise ArgumentError(f"{place}: {' and '.join(twins)} are one class under two names; rename or join them")


def folded(name: str) -> str:
    """A name as people read it: without case, spaces at its ends, and ways of writing an accent."""
    return unicodedata.normalize("NFKC", name).casefold().strip()


def some(names: Sequence[str]) -> str:
    shown = ", ".join(names[:SHOWN])
    return f"{shown} and {len(names) - SHOWN} more" if len(names) > SHOWN else shown
