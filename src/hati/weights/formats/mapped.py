"""A file as memory: what is read from it is a view, and no number of it is held twice."""

import io
import mmap
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import WeightsError
from ...tools.arrays import Array

LONGEST_LINE = 4096


def content(path: Path) -> memoryview:
    """The whole file, mapped for reading. It stays mapped for as long as an array looks into it."""
    with path.open("rb") as file:
        try:
            return memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
        except OSError:  # a file system that maps nothing
            return memoryview(file.read())


def array(piece: memoryview, dtype: np.dtype[Any], shape: tuple[int, ...]) -> Array:
    """Numbers that lie in a piece of a file, as a view that nobody can write to."""
    if len(piece) != prod(shape) * dtype.itemsize:
        raise WeightsError(f"{len(piece):,} bytes are no {dtype} numbers of shape {shape}; it may be cut short")
    return np.ndarray(shape, dtype, piece if len(piece) else b"")


def from_bfloat16(halves: Array) -> Array:
    """The upper halves of float32 numbers, as uint16 -> the numbers themselves."""
    wide = np.zeros(halves.shape, "<u4")
    wide |= halves
    wide <<= 16
    return wide.view("<f4")


class Stream(io.RawIOBase):
    """Bytes in memory as a file, of which a part can be had without a copy."""

    def __init__(self, content: memoryview):
        self._content, self._place = content, 0

    def view(self, size: int) -> memoryview:
        """The next bytes, or as many of them as there are."""
        found = self._content[self._place : self._place + size]
        self._place += len(found)
        return found

    def read(self, size: int | None = -1) -> bytes:
        return bytes(self.view(len(self._content) if size is None or size < 0 else size))

    def readline(self, size: int | None = -1) -> bytes:
        line = bytes(self._content[self._place : self._place + LONGEST_LINE])
        return self.read(line.find(b"\n") + 1 or len(line))

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._place

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._place, io.SEEK_END: len(self._content)}[whence]
        if start + offset < 0:
            raise OSError("no file has bytes before its first")
        self._place = start + offset
        return self._place
