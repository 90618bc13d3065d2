"""Pictures that matplotlib draws: whether one can be written, and writing it whole or not at all."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import ArgumentError
from .extras import brings
from .files import whole

if TYPE_CHECKING:
    from matplotlib.figure import Figure

INK, GREY, GRID = "#343a40", "#868e96", "#e9ecef"
UNDATED = {".svg": {"Date": None}, ".pdf": {"CreationDate": None}, ".png": None}  # the same picture, the same bytes


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
