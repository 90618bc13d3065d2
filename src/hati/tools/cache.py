"""The folder on this machine that hati may fill and empty: downloaded weights and compiled graphs."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from errno import EACCES, EDQUOT, EFBIG, ENOSPC, EPERM, EROFS
from pathlib import Path

NO_ROOM = {ENOSPC, EDQUOT, EFBIG}


def folder(part: str) -> Path:
    """`HATI_CACHE`, or the system's place for caches; the part of it that is asked for need not exist yet."""
    if chosen := os.environ.get("HATI_CACHE"):
        return Path(chosen).expanduser() / part
    from platformdirs import user_cache_path

    return user_cache_path("hati", appauthor=False) / part


@contextmanager
def locked(target: Path, patience: float = -1, waiting: Callable[[], None] = lambda: None) -> Iterator[None]:
    """The right to write a file, for one process and thread at a time; its folder is made where it is missing.

    `waiting` is called where another has it. Raises TimeoutError after so many seconds of `patience`; a negative one
    waits for ever.
    """
    from filelock import FileLock

    target.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(f"{target}.lock")
    try:
        lock.acquire(timeout=0)
    except TimeoutError:
        waiting()
        lock.acquire(timeout=patience)
    try:
        yield
    finally:
        lock.release()


def trouble(place: Path, error: OSError) -> str:
    """Why a folder does not take a file, and what to do."""
    reason = error.strerror or str(error)
    if error.errno in NO_ROOM:
        return f"{place}: there is no room ({reason}); free some, or set HATI_CACHE to a folder on another disk"
    if error.errno == EROFS:
        return f"{place}: that disk can only be read; set HATI_CACHE to a folder that can be written"
    if error.errno in (EACCES, EPERM):
        return f"{place}: writing there is not allowed to you; change its permissions, or set HATI_CACHE elsewhere"
    return f"{place}: weights cannot be kept there ({reason}); set HATI_CACHE elsewhere"
