"""What there is to learn, and how it is read: photos with their classes, as a body sees them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from os import PathLike, fspath

from ..errors import ArgumentError, ImageError
from ..evaluating import Evaluation, measured
from ..photos import sets
from ..photos.sets import PhotoSet
from ..tools.progress import Verbose
from .body import Body, PhotoVectors
from .heads import Head
from .views import View

Source = str | PathLike[str]  # a folder with one folder for each class, or a CSV table of path,label

MOST_UNREADABLE = 0.2  # of a set's photos: with more, something else is wrong than single files


@dataclass(frozen=True)
class Lesson:
    """What there is to learn, as a body sees it."""

    name: str  # of the model that the body is taken from
    body: Body
    train: PhotoSet
    seen: PhotoVectors
    validation: PhotoSet
    validation_seen: PhotoVectors
    verbose: Verbose

    def __repr__(self) -> str:
        photos = f"{len(self.train)} photos of {len(self.train.classes)} classes, {len(self.validation)} to validate"
        return f"<Lesson for {self.name}: {photos}>"

    @property
    def unreadable(self) -> tuple[ImageError, ...]:
        return self.seen.errors + self.validation_seen.errors

    def measured(self, body: Body, head: Head) -> Evaluation | None:
        """How a body and a head do on the validation photos."""
        if not len(self.validation):
            return None
        seen = self.validation_seen if body is self.body else body.see(self.validation.photos, verbose=self.verbose)
        return measured(self.validation, head.scores(seen.first), self.validation_seen.errors, self.name)


def split(source: Source, validate: Source | float, *, multi_label: bool, seed: int) -> tuple[PhotoSet, PhotoSet]:
    """Photos to learn from and photos to validate with; `validate` is another source, or a share of this one.

    Raises ArgumentError for what cannot be learnt from, with what to change.
    """
    found = sets.read(source, multi_label=multi_label)
    if isinstance(validate, int | float):
        if not 0 <= validate < 1:
            raise ArgumentError(f"validate is {validate}; a share can be 0 up to less than 1, else give a folder")
        return found.split(validate, seed)
    kept = sets.read(validate, multi_label=multi_label, fewest=1)
    return found, sets.matched(kept, found.classes, fspath(validate))


def looked_at(
    name: str,
    body: Body,
    sets_of_photos: tuple[PhotoSet, PhotoSet],
    places: tuple[Source, Source],
    views: Sequence[View],
    verbose: Verbose,
) -> Lesson:
    """The lesson of the photos that can be read: to learn from and to validate with, from two places.

    Raises ArgumentError where they are too few: of a place, or of one of its classes.
    """
    train, validation = sets_of_photos
    seen, validation_seen = body.see(train.photos, views, verbose), body.see(validation.photos, verbose=verbose)
    for found, place in zip((seen, validation_seen), places, strict=True):
        _check_readable(found, fspath(place))
    train, validation = train.take(seen.readable), validation.take(validation_seen.readable)
    gone = [one for one, count in train.counts.items() if not count]
    if gone:
        raise ArgumentError(f"{fspath(places[0])}: no photo of the class {', '.join(gone)} can be read to learn from")
    return Lesson(name, body, train, seen, validation, validation_seen, verbose)


def _check_readable(seen: PhotoVectors, place: str) -> None:
    bad, count = len(seen.errors), len(seen.readable)
    if bad > MOST_UNREADABLE * count:
        first = "\n  ".join(str(error) for error in seen.errors[: sets.SHOWN])
        raise ArgumentError(
            f"{place}: {bad} of {count} photos cannot be read, more than {MOST_UNREADABLE:.0%}; mend or remove them:"
            f"\n  {first}"
        )
