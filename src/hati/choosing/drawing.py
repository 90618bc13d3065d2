"""The front as a picture: accuracy over latency, the size of the weights as the dot's, the bounds as lines."""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike
from typing import TYPE_CHECKING, Any

from ..errors import ArgumentError
from ..tools import pictures
from ..tools.pictures import GREY, GRID, INK, Dot
from .candidates import Bounds, Candidate
from .findings import Findings

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

KINDS = (".png", ".svg")
ROOM = "#f4fbf5"
PICK, WITHIN, OUTSIDE, DOMINATED = "#e8590c", "#228be6", "#868e96", "#ced4da"
COLOURS = {PICK: "picked", WITHIN: "on the front", OUTSIDE: "not within the bounds", DOMINATED: "beaten by the front"}
AREA, LEAST_AREA, MOST_AREA = 4.0, 16.0, 1600.0  # of a dot, in square points: for each megabyte, and in any case
SIZES = (5, 20, 100, 400)  # megabytes, for the legend


def check(path: str | PathLike[str]) -> None:
    """Raises ArgumentError where no picture can be drawn to a path: before minutes are spent on measuring."""
    pictures.check(path, KINDS)


def draw(choice: Findings, path: str | PathLike[str]) -> None:
    """Raises ArgumentError for a path that cannot be drawn to, and for a choice without anything measured."""
    check(path)
    shown = [one for one in choice.candidates if one.latency and one.accuracy is not None]
    if not shown:
        raise ArgumentError(f"{path}: no model with a known accuracy was measured; there is nothing to draw")
    with pictures.style():
        pictures.write(_figure(choice, shown), path)


def _figure(choice: Findings, shown: Sequence[Candidate]) -> Figure:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 6), dpi=144)
    axes = figure.add_axes((0.08, 0.2, 0.88, 0.66))
    _scale(axes, choice, shown)
    _draw_bounds(axes, choice.bounds)
    named = [one for one in shown if one in choice.front or one in choice.nearest]
    colours = {one: _colour(one, choice, named) for one in shown}
    for one in sorted(shown, key=lambda one: (one in named, -one.megabytes)):
        _draw_dot(axes, one, colours[one])
    _draw_names(axes, sorted(named, key=lambda one: one != choice.pick), shown, choice.pick)
    _draw_titles(figure, axes, choice)
    _draw_legend(axes, shown, {*colours.values()})
    return figure


def _scale(axes: Axes, choice: Findings, shown: Sequence[Candidate]) -> None:
    from matplotlib.ticker import LogLocator, NullLocator

    bounds = choice.bounds
    times = [1000 * one.seconds for one in shown] + ([1000 * bounds.latency] if bounds.latency else [])
    heights = [height for one in shown for height in _reach(one)] + ([bounds.top1] if bounds.top1 else [])
    room = max(1.0, 0.12 * (max(heights) - min(heights)))
    axes.set_xscale("log")
    axes.set_xlim(min(times) / 1.35, max(times) * 1.35)
    axes.set_ylim(min(heights) - room, min(max(heights) + room, 101))
    narrow = max(times) < 12 * min(times)
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 1.5, 2, 3, 4, 5, 7) if narrow else (1, 2, 5)))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(lambda x, _: f"{x:g}")
    axes.tick_params(colors=GREY, labelsize=8, length=0)
    axes.grid(color=GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.spines[:].set_visible(False)


def _draw_bounds(axes: Axes, bounds: Bounds) -> None:
    """What lies within the bounds on latency and accuracy is shaded."""
    (left, right), (bottom, top) = axes.get_xlim(), axes.get_ylim()
    x, y = 1000 * bounds.latency if bounds.latency else right, bounds.top1 or bottom
    line: dict[str, Any] = {"color": GREY, "linewidth": 0.9, "linestyle": (0, (4, 3))}
    words: dict[str, Any] = {"fontsize": 7.5, "color": GREY, "textcoords": "offset points"}
    if bounds.latency or bounds.top1:
        axes.fill_between([left, x], y, top, color=ROOM, linewidth=0, zorder=0)
    if bounds.latency:
        axes.axvline(x, **line)
        axes.annotate(f"≤ {x:g} ms", (x, bottom), (3, 4), **words)
    if bounds.top1:
        axes.axhline(y, **line)
        axes.annotate(f"≥ {y:g} %", (right, y), (-3, 3), ha="right", **words)


def _draw_dot(axes: Axes, one: Candidate, colour: str) -> None:
    x, y = _spot(one)
    if one.on_photos:
        axes.vlines(x, *one.on_photos.interval, color=colour, linewidth=1, alpha=0.6)
    face = "white" if one.random_weights else colour
    axes.scatter(x, y, s=_area(one.megabytes), facecolor=face, edgecolor=colour, linewidth=1.4, alpha=0.9, zorder=3)


def _draw_names(axes: Axes, named: Sequence[Candidate], shown: Sequence[Candidate], pick: Candidate | None) -> None:
    """The pick's first, for it should be nearest to its dot."""
    dots = {one.name: Dot(*_spot(one), _radius(one)) for one in shown}
    styles = {pick.name: {"color": PICK, "fontweight": "bold"}} if pick else {}
    names = [one.name for one in sorted(named, key=lambda one: one != pick)]
    pictures.write_names(axes, names, dots, styles)


def _draw_titles(figure: Figure, axes: Axes, choice: Findings) -> None:
    machine = choice.machine
    pick = choice.pick
    title = f"{pick.name}: {', '.join(pick.told().values())}" if pick else "No model within all bounds"
    bounds = " · ".join(choice.bounds.told().values()) or "no bounds"
    figure.text(0.08, 0.945, title, fontsize=13, fontweight="bold", color=PICK if pick else INK)
    figure.text(0.08, 0.905, f"{bounds} · measured on {machine}", fontsize=8, color=GREY)
    what = "from a photo to its answer" if choice.photos else "for one picture"
    axes.set_xlabel(f"latency {what}, milliseconds", fontsize=8.5, color=INK, labelpad=6)
    where = ", on your photos or else as published" if any(one.on_photos for one in choice.candidates) else ""
    axes.set_ylabel(f"top-1, percent{where or ', as published'}", fontsize=8.5, color=INK, labelpad=6)


def _draw_legend(axes: Axes, shown: Sequence[Candidate], used: set[str]) -> None:
    def dot(face: str, edge: str, area: float, label: str) -> Any:
        return axes.scatter([], [], s=area, facecolor=face, edgecolor=edge, linewidth=1.2, label=label)

    small = 40.0
    dots = [dot(colour, colour, small, words) for colour, words in COLOURS.items() if colour in used]
    if any(one.random_weights for one in shown):
        dots.append(dot("white", GREY, small, "random weights"))
    largest = max(one.megabytes for one in shown)
    dots += [dot("none", GREY, _area(size), f"{size} MB") for size in SIZES if size <= max(largest, SIZES[1])]
    axes.legend(
        handles=dots, loc="upper center", bbox_to_anchor=(0.5, -0.13), ncols=len(dots), frameon=False, fontsize=7.5,
        columnspacing=1.4, handletextpad=0.9,
    )  # fmt: skip


def _colour(one: Candidate, choice: Findings, named: Sequence[Candidate]) -> str:
    if one == choice.pick:
        return PICK
    if one not in named:
        return DOMINATED
    return OUTSIDE if choice.bounds.missed_by(one) else WITHIN


def _reach(one: Candidate) -> tuple[float, ...]:
    return one.on_photos.interval if one.on_photos else (one.accuracy or 0.0,)


def _area(megabytes: float) -> float:
    return min(max(AREA * megabytes, LEAST_AREA), MOST_AREA)


def _radius(one: Candidate) -> float:
    return (_area(one.megabytes) / 3.1416) ** 0.5


def _spot(one: Candidate) -> tuple[float, float]:
    return 1000 * one.seconds, one.accuracy or 0.0
