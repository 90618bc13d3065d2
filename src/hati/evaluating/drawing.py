"""An evaluation as a picture: which classes are taken for which; or each one's average precision, where a photo can
have several.
"""

from __future__ import annotations

from os import PathLike
from typing import TYPE_CHECKING, Any

import numpy as np

from ..tools import pictures
from ..tools.arrays import Array
from ..tools.pictures import GREY, INK
from .metrics import Metrics
from .report import confusions, counted, score_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


KINDS = (".png", ".svg", ".pdf")
RIGHT, WRONG, EMPTY = "#1c7ed6", "#e8590c", "#f8f9fa"
MOST_NAMES = 40  # of classes beside an axis, so that each can be read
MOST_COUNTS = 25  # classes, with whose number there is room for a count in each cell
LONGEST = 24  # letters of a name
LISTED = 12  # confusions, told beside many classes
CELL, SMALLEST, LARGEST = 0.36, 2.6, 7.2  # inches: of a class, and of all together
LETTER = 0.066  # inches that a letter of a name takes
OTHERS = "another class"


can_draw = pictures.can_draw


def check(path: str | PathLike[str]) -> None:
    """Raises ArgumentError where no picture can be drawn to a path: before the photos are judged."""
    pictures.check(path, KINDS)


def draw(found: Metrics, path: str | PathLike[str]) -> None:
    """Raises ArgumentError for a path that cannot be drawn to."""
    check(path)
    with pictures.style():
        pictures.write(_bars(found) if found.confusion is None else _matrix(found, found.confusion), path)


def _matrix(found: Metrics, confusion: Array) -> Figure:
    """Truth downwards, what was said to the right; a row's shades add up to one."""
    counts, rows, columns = _present(found, confusion)
    many = len(rows) > MOST_NAMES
    side = float(np.clip(CELL * len(columns), SMALLEST, LARGEST))
    height = side * len(rows) / len(columns)
    left = 0.45 if many else 0.6 + LETTER * max(map(len, rows))
    below = 0.45 if many else 0.55 + (LETTER * max(map(len, columns)) if _is_upright(columns) else 0)
    right = 3.6 if many else 0.4
    figure, axes = _paper(found, side, height, left, below, right)
    _shade(axes, counts)
    if many:
        _tell_number(axes, len(rows))
        _list_confusions(axes, found)
    else:
        _name_classes(axes, rows, columns)
    if len(columns) <= MOST_COUNTS:
        _write_counts(axes, counts)
    return figure


def _present(found: Metrics, confusion: Array) -> tuple[Array, list[str], list[str]]:
    """The classes that have photos; what was said beside them is one column."""
    present = np.array([one.photos > 0 for one in found.by_class])
    names = [_short(one.name) for one in found.by_class if one.photos]
    counts, others = confusion[present][:, present], confusion[present][:, ~present].sum(1)
    if not others.any():
        return counts, names, names
    return np.column_stack([counts, others]), names, [*names, OTHERS]


def _paper(found: Metrics, width: float, height: float, left: float, below: float, right: float) -> tuple[Figure, Axes]:
    """A title, and axes of so many inches with room around them."""
    from matplotlib.figure import Figure

    title = score_text(found).capitalize()
    across, up = max(left + width + right, 0.6 + 0.112 * len(title)), below + height + 0.95
    figure = Figure(figsize=(across, up), dpi=144)
    axes = figure.add_axes((left / across, below / up, width / across, height / up))
    figure.text(0.3 / across, 1 - 0.42 / up, title, fontsize=12, fontweight="bold")
    classes = counted(sum(one.photos > 0 for one in found.by_class), "class", "classes")
    told = f"{found.model} · {counted(found.photos, 'photo', 'photos')} of {classes}"
    figure.text(0.3 / across, 1 - 0.65 / up, told, fontsize=8, color=GREY)
    axes.spines[:].set_visible(False)
    axes.tick_params(colors=INK, labelsize=8, length=0)
    return figure, axes


def _shade(axes: Axes, counts: Array) -> None:
    """What is right in one colour, what is wrong in the other."""
    from matplotlib.colors import to_rgb

    shares = counts / np.maximum(counts.sum(1, keepdims=True), 1)
    empty, right, wrong = (np.array(to_rgb(colour)) for colour in (EMPTY, RIGHT, WRONG))
    full = np.where(np.eye(*counts.shape, dtype=np.bool_)[..., None], right, wrong)
    shade = ((counts > 0) * (0.15 + 0.85 * np.sqrt(shares)))[..., None]  # a few mistakes of many photos are seen too
    axes.imshow(empty + shade * (full - empty), interpolation="nearest", aspect="auto")
    if counts.shape[1] <= MOST_NAMES:
        axes.set_xticks(np.arange(counts.shape[1] + 1) - 0.5, minor=True)
        axes.set_yticks(np.arange(counts.shape[0] + 1) - 0.5, minor=True)
        axes.grid(which="minor", color="white", linewidth=1.5)
        axes.tick_params(which="minor", length=0)


def _name_classes(axes: Axes, rows: list[str], columns: list[str]) -> None:
    axes.set_yticks(range(len(rows)), rows)
    axes.set_xticks(range(len(columns)), columns, rotation=90 if _is_upright(columns) else 0)
    _name_axes(axes)


def _is_upright(columns: list[str]) -> bool:
    """Whether the names below would run into each other."""
    return LETTER * max(map(len, columns)) * len(columns) > max(CELL * len(columns), SMALLEST)


def _tell_number(axes: Axes, classes: int) -> None:
    axes.set_xticks([])
    axes.set_yticks([])
    axes.set_title(f"{classes:,} classes, in the model's order", fontsize=8, color=GREY, loc="left", pad=4)
    _name_axes(axes)


def _name_axes(axes: Axes) -> None:
    axes.set_xlabel("said", fontsize=8.5, color=GREY, labelpad=6)
    axes.set_ylabel("truth", fontsize=8.5, color=GREY, labelpad=6)


def _list_confusions(axes: Axes, found: Metrics) -> None:
    """What a picture of many classes cannot name."""
    lines = [f"{times}×  {_short(truth)} → {_short(said)}" for times, truth, said in confusions(found)[:LISTED]]
    words: dict[str, Any] = {"transform": axes.transAxes, "va": "top"}
    axes.text(1.04, 1, "Most often mistaken" if lines else "Nothing mistaken", fontsize=8.5, fontweight="bold", **words)
    axes.text(1.04, 0.95, "\n".join(lines), fontsize=7.5, linespacing=1.7, **words)


def _write_counts(axes: Axes, counts: Array) -> None:
    shares = np.sqrt(counts / np.maximum(counts.sum(1, keepdims=True), 1))
    for row, column in np.argwhere(counts > 0):
        colour = "white" if shares[row, column] > 0.55 else INK
        size = 8 if counts[row, column] < 1000 else 6.5
        axes.text(column, row, f"{counts[row, column]}", ha="center", va="center", fontsize=size, color=colour)


def _bars(found: Metrics) -> Figure:
    """Each class' average precision, the best one on top; of many classes, those that do worst."""
    ranked = sorted(
        ((one.average_precision, one) for one in found.by_class if one.average_precision is not None),
        key=lambda row: row[0],
    )
    shown = ranked[:MOST_NAMES]
    names = [_short(one.name) for _, one in shown]
    height = max(0.26 * len(shown), 0.6)
    left = 0.5 + LETTER * max(map(len, names), default=0)
    figure, axes = _paper(found, 4.2, height, left, 0.65, 0.6)
    axes.barh(range(len(shown)), [area for area, _ in shown], color=RIGHT, height=0.68, alpha=0.85)
    for row, (area, one) in enumerate(shown):
        axes.text(area + 0.012, row, f"{area:.0%}", fontsize=7.5, va="center")
        axes.text(1.13, row, f"{one.photos:,}", fontsize=7.5, va="center", ha="right", color=GREY)
    axes.set_yticks(range(len(shown)), names)
    axes.set_xticks([])
    axes.set_xlim(0, 1.13)
    axes.set_ylim(-0.6, len(shown) - 0.4)
    few = "" if len(shown) == len(ranked) else f", of the {len(shown)} classes that do worst"
    axes.set_xlabel(f"average precision{few}; on the right, photos", fontsize=8.5, color=GREY, labelpad=8)
    return figure


def _short(name: str) -> str:
    return name if len(name) <= LONGEST else f"{name[: LONGEST - 1]}…"
