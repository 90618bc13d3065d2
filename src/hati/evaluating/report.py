"""An evaluation as a person reads it."""

from __future__ import annotations

from collections.abc import Sequence

from ..tools.tables import table
from .metrics import THRESHOLD, ClassResult, Metrics

MOST_CLASSES = 20  # that a table lists
MOST_UNREADABLE = 10


def text(found: Metrics) -> str:
    parts = [head(found), _classes(found), _wrong(found), _unreadable(found)]
    return "\n\n".join(part for part in parts if part)


def score_text(found: Metrics) -> str:
    """accuracy 96.1% (91.7%–98.2%)"""
    name = "mean average precision" if found.multi_label else "accuracy"
    low_high = f" ({found.interval[0]:.1%}–{found.interval[1]:.1%})" if found.interval else ""
    return f"{name} {found.accuracy:.1%}{low_high}"


def counted(number: int, one: str, several: str) -> str:
    return f"{number:,} {one if number == 1 else several}"


def confusions(found: Metrics) -> list[tuple[int, str, str]]:
    """How often a class was taken for another one, and both names; the most frequent first."""
    if found.confusion is None:
        return []
    names = found.classes
    pairs = zip(*found.confusion.nonzero(), strict=True)
    rows = [(int(found.confusion[i, j]), names[i], names[j]) for i, j in pairs if i != j]
    return sorted(rows, key=lambda row: -row[0])


def head(found: Metrics) -> str:
    """In one line."""
    photos = counted(found.photos, "photo", "photos")
    classes = counted(sum(one.photos > 0 for one in found.by_class), "class", "classes")
    return f"{found.model}: {score_text(found)} on {photos} of {classes}"


def _classes(found: Metrics) -> str:
    """The classes that have photos; of many, those that do worst."""
    present = [one for one in found.by_class if one.photos]
    many = len(present) > MOST_CLASSES
    shown = sorted(present, key=_quality)[:MOST_CLASSES] if many else present
    several = found.multi_label
    headers = ("Class", "Photos", *(("Average precision",) if several else ()), "Precision", "Recall", "F1")
    last = () if several else ("Taken for",)
    taken = {one.name: _taken_for(found, one.name) for one in shown}
    rows = [(*_cells(one), *(() if several else (taken[one.name],))) for one in shown]
    notes = [f"The {MOST_CLASSES} of {len(present):,} classes that do worst"] if many else []
    notes += [f"Precision, recall and F1: scores of {THRESHOLD:g} and more say yes"] if several else []
    return table((*headers, *last), rows, right=tuple(range(1, len(headers))), title=". ".join(notes) or None)


def _quality(one: ClassResult) -> float:
    return one.f1 if one.average_precision is None else one.average_precision


def _cells(one: ClassResult) -> tuple[str, ...]:
    area = () if one.average_precision is None else (one.average_precision,)
    return one.name, f"{one.photos:,}", *(f"{part:.1%}" for part in (*area, one.precision, one.recall, one.f1))


def _taken_for(found: Metrics, name: str) -> str:
    return ", ".join([f"{said} {times}×" for times, truth, said in confusions(found) if truth == name][:2])


def _wrong(found: Metrics) -> str:
    if not found.wrong:
        return ""
    rows = [(one.photo, one.truth, one.said, f"{one.score:.3f}") for one in found.wrong]
    title = "Farthest from the truth" if found.multi_label else "Most confidently wrong"
    said = "Class" if found.multi_label else "Said"
    return table(("Photo", "Truth", said, "Score"), rows, right=(3,), title=title)


def _unreadable(found: Metrics) -> str:
    if not found.unreadable:
        return ""
    count = counted(len(found.unreadable), "photo", "photos")
    return "\n".join([f"{count} could not be read", *_some([str(error) for error in found.unreadable])])


def _some(lines: Sequence[str]) -> list[str]:
    more = len(lines) - MOST_UNREADABLE
    return [f"  {line}" for line in lines[:MOST_UNREADABLE]] + ([f"  and {more:,} more"] if more > 0 else [])
