"""A bar on standard error for work that a person waits for."""

import logging
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Literal, TypeVar

from .log import log

T = TypeVar("T")
Verbose = Literal["auto", 0, 1, 2]
Advance = Callable[[int], None]

PATIENCE = 1.0  # seconds of work before "auto" shows a bar


def track(items: Iterable[T], total: int, label: str, verbose: Verbose) -> Iterator[T]:
    """The items, with a bar: always for 1, never for 0; "auto" asks for a terminal and more than a second of work."""
    if verbose == 0 or (verbose == "auto" and not sys.stderr.isatty()):
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
    """A bar that its owner advances: by pieces of work, or by bytes with their speed."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )

    amounts = (DownloadColumn(), TransferSpeedColumn()) if in_bytes else (MofNCompleteColumn(),)
    columns = (TextColumn("{task.description}"), BarColumn(), *amounts, TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task(label, total=total)
        yield lambda amount: progress.advance(task, amount)


@contextmanager
def bar_of_bytes(label: str, total: int | None) -> Iterator[Advance]:
    """A bar for a file on its way; none where the logger `hati` is to tell of errors only."""
    if not log.isEnabledFor(logging.WARNING):
        yield lambda amount: None
        return
    with bar(label, total, in_bytes=True) as advance:
        yield advance
