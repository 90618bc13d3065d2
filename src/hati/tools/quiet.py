"""Silence while something else talks, for the one who asks for it alone: other threads keep their warnings."""

import os
import sys
import threading
import warnings as python
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from tempfile import TemporaryFile
from typing import IO

_unsaid: ContextVar[tuple[type[Warning], ...]] = ContextVar("_unsaid", default=())


class _HereAndNow(type):
    def __subclasscheck__(cls, category: type) -> bool:
        return issubclass(category, _unsaid.get())


class _Unsaid(Warning, metaclass=_HereAndNow):
    """A category that just those warnings are of which the thread, or the task, that gives them wants unsaid.

    Python keeps one list of filters for all threads. A filter for this category changes nothing for the others.
    """


class _Filter:
    """That filter, in Python's list as long as any thread needs it."""

    ENTRY = ("ignore", None, _Unsaid, None, 0)

    def __init__(self) -> None:
        self._lock, self._users = threading.Lock(), 0

    def enter(self) -> None:
        with self._lock:
            self._users += 1
            if not python.filters or python.filters[0] != self.ENTRY:
                python.simplefilter("ignore", _Unsaid)

    def leave(self) -> None:
        with self._lock:
            self._users -= 1
            if self._users == 0 and self.ENTRY in python.filters:
                python.filters.remove(self.ENTRY)  # type: ignore[attr-defined]  # a list, whatever its stub says


_filter = _Filter()


@contextmanager
def warnings(*categories: type[Warning]) -> Iterator[None]:
    """Python's warnings, or those of some categories, stay unsaid in here; in this thread, and whatever the filters."""
    _filter.enter()
    token = _unsaid.set((*_unsaid.get(), *(categories or (Warning,))))
    try:
        yield
    finally:
        _unsaid.reset(token)
        _filter.leave()


class _StandardError:
    """What native libraries write on the process' standard error, held back while any thread is in here.

    That stream is one for all threads: the first one in turns it aside, the last one out turns it back and writes what
    came meanwhile, but for the lines that are not wanted.
    """

    def __init__(self) -> None:
        self._lock, self._inside = threading.Lock(), 0
        self._held: IO[bytes] | None = None
        self._before = -1
        self._unwanted: set[bytes] = set()

    def enter(self, *unwanted: str) -> None:
        with self._lock:
            self._inside += 1
            self._unwanted |= {line.encode() for line in unwanted}
            if self._inside == 1:
                with suppress(OSError):  # it may be closed: then there is nothing to be silent about
                    self._turn_aside()

    def leave(self) -> None:
        with self._lock:
            self._inside -= 1
            if self._inside == 0 and self._held is not None:
                self._turn_back(self._held)

    def _turn_aside(self) -> None:
        before = os.dup(2)
        try:
            held = TemporaryFile()  # noqa: SIM115 - closed by the last one out
            os.dup2(held.fileno(), 2)
        except OSError:
            os.close(before)
            raise
        self._before, self._held = before, held

    def _turn_back(self, held: IO[bytes]) -> None:
        with suppress(OSError, ValueError, AttributeError):
            sys.stderr.flush()
        os.dup2(self._before, 2)
        held.seek(0)
        lines = held.read().splitlines(keepends=True)
        wanted = b"".join(line for line in lines if not line.startswith(tuple(self._unwanted)))
        with suppress(OSError):
            os.write(2, wanted)
        os.close(self._before)
        held.close()
        self._held = None


_standard_error = _StandardError()


@contextmanager
def native(*unwanted: str) -> Iterator[None]:
    """Lines that begin so and that a native library writes on standard error, past Python, stay unsaid in here."""
    _standard_error.enter(*unwanted)
    try:
        yield
    finally:
        _standard_error.leave()
