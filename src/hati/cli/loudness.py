"""How much a command says beside its answer: `-q`, `-v`, and hati's log on standard error."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import click

from ..tools.log import log
from ..tools.progress import Verbose, beside_bars
from .printing import print_fault


class Listener(logging.Handler):
    """A line on standard error for each record, beside the bars."""

    def emit(self, record: logging.LogRecord) -> None:
        with beside_bars():
            print_fault(record.getMessage())


@contextmanager
def listening() -> Iterator[None]:
    """Meanwhile what hati logs is said, from warnings on or as the options ask; Python's own warnings are among it."""
    listener, before = Listener(), log.level
    log.addHandler(listener)
    log.setLevel(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.showwarning = lambda message, *_: log.warning(message)
            yield
    finally:
        log.setLevel(before)
        log.removeHandler(listener)


def verbose() -> Verbose:
    """What hati's functions are told: no bars where only errors are wanted."""
    return "auto" if log.isEnabledFor(logging.WARNING) else 0


def _say_from(level: int, _: click.Context, __: click.Parameter, given: bool) -> None:
    if given:
        log.setLevel(level)


def _option(short: str, long: str, level: int, meaning: str) -> click.Option:
    callback = partial(_say_from, level)
    return click.Option([short, long], is_flag=True, expose_value=False, callback=callback, help=meaning)


OPTIONS: tuple[click.Parameter, ...] = (
    _option("-q", "--quiet", logging.ERROR, "Say errors only: no bars, no notes."),
    _option("-v", "--verbose", logging.DEBUG, "Say more: what comes from where, what is kept, what computes."),
)
