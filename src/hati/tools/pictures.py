"""Pictures that matplotlib draws: whether one can be written, names that cover nothing, and writing it whole."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import product
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import ArgumentError
from .extras import brings
from .files import whole

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK, GREY, GRID = "#343a40", "#868e96", "#e9ecef"
LETTERS = 7.5  # points, of a name beside its dot
GAP = 3.0  # points between a dot and its name
POINTS = 72  # to an inch
WAYS = [(1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (1, -1), (-1, 1), (-1, -1)]  # from a dot to its name, best first
FAR = (0.0, 1.2, 2.4, 3.6, 5.0)  # heights of a name, that it may be further away
UNDATED = {".svg": {"Date": None}, ".pdf": {"CreationDate": None}, ".png": None}  # the same picture, the same bytes

Box = tuple[float, float, float, float]  # left, bottom, right, top, in points


@dataclass(frozen=True)
class Dot:
    """Where it is by the axes' numbers, and its radius in points."""

    x: float
    y: float
    radius: float


def can_draw() -> bool:
    """Whether matplotlib is here."""
    return find_spec("matplotlib") is not None


def check(path: str | PathLike[str], kinds: Sequence[str]) -> None:
    """Raises ArgumentError where no picture can be drawn to a path: before minutes are spent on measuring."""
    path = Path(path)
    if path.suffix.lower() not in kinds:
        endings = f"{', '.join(kinds[:-1])} or {kinds[-1]}"
        raise ArgumentError(f"{path}: a picture is written as {endings}; end its name with one of them")
    if not path.parent.is_dir():
        raise ArgumentError(f"{path}: there is no folder {path.parent}; make it first")
    if not can_draw():
        raise ArgumentError(f"{path}: drawing needs matplotlib: {brings('plots')}")


@contextmanager
def style() -> Iterator[None]:
    """What drawing and writing have in common."""
    import matplotlib

    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": "hati", "text.color": INK}):
        matplotlib.rcParams["text.parse_math"] = False  # a class may be called $5 to $10
        yield


def write(figure: Figure, path: str | PathLike[str]) -> None:
    """Raises ArgumentError where the file cannot be written."""
    path = Path(path)
    kind = path.suffix.lower()
    try:
        with whole(path) as part:
            figure.savefig(part, format=kind.removeprefix("."), metadata=UNDATED[kind])
    except OSError as error:
        raise ArgumentError(f"{path}: the picture cannot be written ({error.strerror or error})") from None


def write_names(
    axes: Axes, names: Iterable[str], dots: Mapping[str, Dot], styles: Mapping[str, Mapping[str, Any]] | None = None
) -> None:
    """Names of some of the dots beside them, covering no dot and no other name, as far as there is room.

    The first ones are nearest to their dots. The axes' limits have to be set before; `styles` are of single names.
    """
    taken = [_around(axes, dot) for dot in dots.values()]
    window = _in_points(axes, axes.bbox.extents)
    for name in names:
        style = {"fontsize": LETTERS, "color": INK} | dict((styles or {}).get(name, {}))
        width, height = _extent(axes, name, style)
        places = _places(_middle(axes, dots[name]), dots[name].radius, width, height)
        far, place = min(places, key=lambda place: _cost(place[1], taken, window))
        taken.append(place)
        _write_name(axes, name, dots[name], place, style, led=far > 0)


def _write_name(axes: Axes, name: str, dot: Dot, place: Box, style: dict[str, Any], *, led: bool) -> None:
    """With a line to its dot where that is away."""
    x, y = _middle(axes, dot)
    offset = (place[0] + place[2]) / 2 - x, (place[1] + place[3]) / 2 - y
    lead = {"arrowstyle": "-", "color": GREY, "linewidth": 0.4, "shrinkA": 0, "shrinkB": dot.radius} if led else None
    style |= {"textcoords": "offset points", "ha": "center", "va": "center", "zorder": 4}
    axes.annotate(name, (dot.x, dot.y), offset, arrowprops=lead, **style)


def _in_points(axes: Axes, pixels: Iterable[float]) -> Any:
    return tuple(float(value) * POINTS / axes.figure.dpi for value in pixels)


def _middle(axes: Axes, dot: Dot) -> tuple[float, float]:
    x, y = _in_points(axes, axes.transData.transform((dot.x, dot.y)))
    return x, y


def _around(axes: Axes, dot: Dot) -> Box:
    x, y = _middle(axes, dot)
    return x - dot.radius, y - dot.radius, x + dot.radius, y + dot.radius


def _extent(axes: Axes, name: str, style: dict[str, Any]) -> tuple[float, float]:
    text = axes.text(0, 0, name, **style)
    box = text.get_window_extent()
    text.remove()
    width, height = _in_points(axes, (box.width, box.height))
    return width, height


def _places(middle: tuple[float, float], radius: float, width: float, height: float) -> Iterator[tuple[float, Box]]:
    """Where a name may stand, and how far from its dot: right beside it, or further away."""
    for far, (across, up) in product(FAR, WAYS):
        reach = (radius + GAP + far * height) * (0.7 if across and up else 1.0)
        x, y = middle[0] + across * (reach + width / 2), middle[1] + up * (reach + height / 2)
        yield far, (x - width / 2, y - height / 2, x + width / 2, y + height / 2)


def _cost(box: Box, taken: Sequence[Box], window: Box) -> float:
    """How much of a place is not free: shared with others, or outside of the window."""
    inside = _shared(box, window)
    return sum(_shared(box, other) for other in taken) + 10 * (_shared(box, box) - inside)


def _shared(one: Box, other: Box) -> float:
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    return max(width, 0.0) * max(height, 0.0)
