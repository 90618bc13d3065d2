"""A bar on standard error for work that a person waits for."""

import logging
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from shutil import get_terminal_size
from typing import Any, Literal, TextIO, TypeVar

from .log import log

T = TypeVar("T")
Verbose = Literal["auto", 0, 1, 2]
Advance = Callable[[int], object]

PATIENCE = 1.0  # seconds of work before "auto" shows a bar
OFTEN, SELDOM = 0.1, 0.5  # seconds between two states of a bar: on a terminal, and where all of them are kept


def track(items: Iterable[T], total: int, label: str, verbose: Verbose) -> Iterator[T]:
    """The items, with a bar: never for 0, and always for 1, or 2 as Keras has it too.

    "auto" asks for somebody who looks on, in a terminal or a notebook, and for more than a second of work.
    """
    if verbose == 0 or (verbose == "auto" and not _is_watched(sys.stderr)):
        yield from items
        return
    start = time.monotonic()
    advance: Advance | None = None
    with ExitStack() as stack:
        for done, item in enumerate(items, 1):
            yield item
            if advance is not None:
                advance(1)
            elif verbose != "auto" or time.monotonic() - start > PATIENCE:
                advance = stack.enter_context(bar(label, total))
                advance(done)


@contextmanager
def bar(label: str, total: int | None, *, in_bytes: bool = False) -> Iterator[Advance]:
    """A bar that its owner advances: by pieces of work, or by bytes with their speed.

    It is drawn with letters alone: in a notebook nothing else shows everywhere.
    """
    from tqdm import tqdm

    width, height = get_terminal_size()  # 80 and 24 where a terminal does not tell
    settings: dict[str, Any] = {"unit": "B", "unit_scale": True} if in_bytes else {}
    settings |= {"ncols": width - 1, "nrows": height, "mininterval": OFTEN if sys.stderr.isatty() else SELDOM}
    with tqdm(total=total, desc=label, file=sys.stderr, **settings) as shown:
        yield shown.update


@contextmanager
def bar_of_bytes(label: str, total: int | None) -> Iterator[Advance]:
    """A bar for a file on its way; none where the logger `hati` is to tell of errors only."""
    if not log.isEnabledFor(logging.WARNING):
        yield lambda amount: None
        return
    with bar(label, total, in_bytes=True) as advance:
        yield advance


@contextmanager
def beside_bars() -> Iterator[None]:
    """Meanwhile lines may be written: the bars that are shown make room for them."""
    from tqdm import tqdm

    with tqdm.external_write_mode(file=sys.stderr):
        yield


def _is_watched(stream: TextIO | None) -> bool:
    """Whether somebody sees what is written when it is written: in a terminal, or under a notebook's cell.

    Where Python has no console at all, as under Windows' pythonw, there is no stream.
    """
    return stream is not None and (stream.isatty() or type(stream).__module__ == "ipykernel.iostream")
