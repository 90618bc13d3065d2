"""Vectors that were computed once, kept by the content of their photos: a run that was stopped goes on from there."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import numpy as np

from ..tools.arrays import Array
from ..tools.cache import folder

Key = tuple[bytes, str]  # a photo's SHA-256, and how it was looked at

PATIENCE = 30.0  # seconds to wait for another process that writes
TABLE = "CREATE TABLE IF NOT EXISTS vectors (photo BLOB, view TEXT, vector BLOB, PRIMARY KEY (photo, view))"


class VectorCache:
    """The vectors of one body. Where its file cannot be read or written, nothing is found and nothing is kept."""

    def __init__(self, name: str):
        self.path = folder("features") / f"{name}.sqlite"

    def find(self, keys: Sequence[Key]) -> dict[Key, Array]:
        """The vectors that are here already."""
        found: dict[Key, Array] = {}
        if self.path.is_file():
            with suppress(sqlite3.Error, OSError), self._opened() as table:
                for key in keys:
                    row = table.execute("SELECT vector FROM vectors WHERE photo = ? AND view = ?", key).fetchone()
                    if row is not None:
                        found[key] = np.frombuffer(row[0], np.float32)
        return found

    def keep(self, vectors: Mapping[Key, Array]) -> None:
        """All of them, or none where there is no room."""
        rows = [(*key, np.ascontiguousarray(vector, np.float32).tobytes()) for key, vector in vectors.items()]
        with suppress(sqlite3.Error, OSError), self._opened() as table, table:
            table.executemany("INSERT OR REPLACE INTO vectors VALUES (?, ?, ?)", rows)

    @contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection]:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(self.path, timeout=PATIENCE)) as table:
            try:
                table.execute("PRAGMA synchronous = OFF")  # what a power cut damages is computed again
                table.execute(TABLE)
                yield table
            except sqlite3.DatabaseError as error:
                if not isinstance(error, sqlite3.OperationalError):  # the file is damaged: what was in it comes again
                    _remove(self.path)
                raise


def _remove(path: Path) -> None:
    with suppress(OSError):
        path.unlink()
