"""How a model does on labelled photos: the figures, from its scores."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from os import PathLike

import numpy as np

from ..errors import ArgumentError, ImageError
from ..photos import describe
from ..photos.sets import PhotoSet
from ..tools.arrays import Array
from ..tools.measuring import likely_share
from ..tools.preformatted import preformatted
from . import drawing, report
from . import scores as figures
from .metrics import THRESHOLD, ClassResult, Metrics, Mistake

WRONG_SHOWN = 10


@dataclass(frozen=True)
class Evaluation(Metrics):
    """How a model does on labelled photos, to be read and to be drawn."""

    def __repr__(self) -> str:
        return f"<hati.Evaluation {report.head(self)}>"

    def _repr_html_(self) -> str:
        return preformatted(self.text())

    def text(self) -> str:
        """For people: the figures, the classes and the worst mistakes."""
        return report.text(self)

    def draw(self, path: str | PathLike[str]) -> None:
        """Draw which classes are taken for which, or each one's average precision, into a .png, .svg or .pdf file.

        Raises ArgumentError for another ending, or without matplotlib.
        """
        drawing.draw(self, path)


def measured(photo_set: PhotoSet, scores: Array, unreadable: Sequence[ImageError], model: str) -> Evaluation:
    """What the scores (photos, classes) of the set's photos tell; `unreadable` are others, that have none.

    Raises ArgumentError where there is no photo, or scores that are no numbers.
    """
    _check(photo_set, scores, unreadable, model)
    several = photo_set.multi_label
    targets = photo_set.targets
    said = scores >= THRESHOLD if several else _highest(scores)
    shown = np.flatnonzero(targets.any(0) | said.any(0))
    accuracy, interval = _mean_precision(targets, scores) if several else _accuracy(targets, said)
    return Evaluation(
        model=model,
        photos=len(photo_set),
        accuracy=accuracy,
        interval=interval,
        by_class=_class_results(photo_set, scores, said, shown),
        confusion=None if several else _confusion(targets[:, shown], said[:, shown]),
        wrong=_several_wrong(photo_set, scores) if several else _wrong(photo_set, scores),
        unreadable=tuple(unreadable),
        multi_label=several,
    )


def _check(photo_set: PhotoSet, scores: Array, unreadable: Sequence[ImageError], model: str) -> None:
    if not len(photo_set):
        why = f"none of the {len(unreadable):,} can be read; of one of them: {unreadable[0]}" if unreadable else "none"
        raise ArgumentError(f"{model} cannot be judged without photos: {why}")
    if scores.shape != photo_set.targets.shape:
        raise ArgumentError(f"{model}: scores of shape {scores.shape} came, of {photo_set.targets.shape} were expected")
    broken = int((~np.isfinite(scores)).any(1).sum())
    if broken:
        raise ArgumentError(f"{model}: the scores of {broken:,} photos are no numbers; its weights are damaged")


def _highest(scores: Array) -> Array:
    """(photos, classes) bool: the class with the highest score."""
    return np.asarray(scores.argmax(1)[:, None] == np.arange(scores.shape[1]))


def _accuracy(targets: Array, said: Array) -> tuple[float, tuple[float, float]]:
    hits = int((targets & said).sum())
    return hits / len(said), likely_share(hits, len(said))


def _mean_precision(targets: Array, scores: Array) -> tuple[float, tuple[float, float] | None]:
    """Over the classes that a photo has."""
    present = targets.any(0)
    if not present.any():
        return 0.0, None
    mean = float(figures.average_precisions(targets[:, present], scores[:, present]).mean())
    return mean, figures.likely_mean_precision(targets, scores)


def _confusion(targets: Array, said: Array) -> Array:
    return figures.confusion(targets.argmax(1), said.argmax(1), targets.shape[1])


def _class_results(photo_set: PhotoSet, scores: Array, said: Array, shown: Array) -> tuple[ClassResult, ...]:
    targets, said = photo_set.targets[:, shown], said[:, shown]
    hits, photos, times = (targets & said).sum(0), targets.sum(0), said.sum(0)
    rows = np.stack([figures.parts(hits, times), figures.parts(hits, photos), figures.parts(2 * hits, photos + times)])
    areas: list[float | None] = [None] * len(shown)
    if photo_set.multi_label and len(shown):
        found = figures.average_precisions(targets, scores[:, shown])
        areas = [None if np.isnan(area) else float(area) for area in found]
    names = [photo_set.classes[number] for number in shown]
    return tuple(
        ClassResult(name, int(count), float(precision), float(recall), float(f1), area)
        for name, count, (precision, recall, f1), area in zip(names, photos, rows.T, areas, strict=True)
    )


def _wrong(photo_set: PhotoSet, scores: Array) -> tuple[Mistake, ...]:
    said, classes = scores.argmax(1), photo_set.classes
    confidence = np.where(said == photo_set.numbers, -np.inf, scores.max(1))
    return tuple(
        Mistake(_name(photo_set, row), classes[photo_set.numbers[row]], classes[said[row]], float(confidence[row]))
        for row in np.argsort(-confidence, kind="stable")[:WRONG_SHOWN]
        if np.isfinite(confidence[row])
    )


def _several_wrong(photo_set: PhotoSet, scores: Array) -> tuple[Mistake, ...]:
    """Of all photos and classes, where the score is farthest from the truth."""
    wrong = (scores >= THRESHOLD) != photo_set.targets
    distance = np.where(wrong, np.abs(scores - photo_set.targets), -1.0).ravel()
    places = [place for place in np.argsort(-distance, kind="stable")[:WRONG_SHOWN] if distance[place] >= 0]
    return tuple(
        Mistake(_name(photo_set, row), _truth(photo_set, row), photo_set.classes[column], float(scores[row, column]))
        for row, column in (divmod(int(place), scores.shape[1]) for place in places)
    )


def _name(photo_set: PhotoSet, row: int) -> str:
    return describe(photo_set.photos[row])


def _truth(photo_set: PhotoSet, row: int) -> str:
    return ", ".join(photo_set.classes[number] for number in np.flatnonzero(photo_set.targets[row]))
