"""What the header of an HDF5 object says, message by message, and the filters that its chunks went through.

Layout: "HDF5 File Format Specification", The HDF Group, IV.A.2.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from ...errors import WeightsError

Shape = tuple[int, ...]

MOST_AXES, LONGEST_NAME = 32, 1024
KINDS = {0: "whole number", 1: "fraction", 3: "text", 5: "bare bytes", 9: "of any length"}
FILTERS = {1: "deflate", 2: "shuffle", 3: "fletcher32"}
CHECKSUM = 4  # bytes of Fletcher's
IEEE = {2: (10, 5, 0, 10, 15), 4: (23, 8, 0, 23, 127), 8: (52, 11, 0, 52, 1023)}  # exponent, mantissa, bias by size
DAMAGED = "its HDF5 tables are damaged"
NEWER = (
    "it uses {} of HDF5's newest layout, which Keras never writes; save it again with Keras, or as h5py does unasked"
)


class Cursor:
    """A place in some bytes that moves on with what is read there."""

    def __init__(self, content: memoryview, place: int = 0):
        self.content, self.place = content, place

    def take(self, form: str) -> tuple[Any, ...]:
        """The next little-endian fields. Raises WeightsError where the bytes end."""
        try:
            values = struct.unpack_from(f"<{form}", self.content, self.place)
        except (struct.error, OverflowError):
            raise WeightsError(f"{DAMAGED} or cut short") from None
        self.place += struct.calcsize(f"<{form}")
        return values

    def one(self, form: str) -> Any:
        return self.take(form)[0]

    def piece(self, size: int) -> memoryview:
        if size > self.left:
            raise WeightsError(f"{DAMAGED} or cut short")
        self.place += size
        return self.content[self.place - size : self.place]

    @property
    def left(self) -> int:
        return len(self.content) - self.place


class Message(NamedTuple):
    """One fact that an object's header tells."""

    kind: int
    shared: bool
    content: memoryview


class Type(NamedTuple):
    """What the elements of an array are: numbers or bare bytes, where `dtype` is known, or texts."""

    size: int
    dtype: np.dtype[Any] | None = None
    text: bool = False
    anywhere: bool = False  # texts of any length, which lie in heaps


class Attribute(NamedTuple):
    shape: Shape | None
    type: Type
    data: memoryview


class Chunk(NamedTuple):
    """A block of an array, packed."""

    place: Shape
    mask: int  # a bit for each filter that was left out
    packed: memoryview


class Filter(NamedTuple):
    number: int
    settings: tuple[int, ...]


def dataspace(cursor: Cursor) -> Shape | None:
    """The shape of an array; None for one that is nothing at all."""
    version, axes, _, kind = cursor.take("BBBB")
    if version not in (1, 2) or axes > MOST_AXES:
        raise WeightsError(DAMAGED)
    cursor.place += 4 if version == 1 else 0
    return None if version == 2 and kind == 2 else cursor.take(f"{axes}Q")


def datatype(cursor: Cursor) -> Type:
    """The type of an array's elements."""
    version_and_class, bits, _, _, size = cursor.take("BBBBI")
    order = ">" if bits & 1 else "<"
    kind = KINDS.get(version_and_class & 0x0F)
    if kind == "whole number" and size in (1, 2, 4, 8) and cursor.take("HH") == (0, 8 * size):
        return Type(size, np.dtype(f"{order}{'i' if bits & 8 else 'u'}{size}"))
    if kind == "fraction" and size in IEEE and not bits & 0x40 and cursor.take("HHBBBBI") == (0, 8 * size, *IEEE[size]):
        return Type(size, np.dtype(f"{order}f{size}"))
    if kind == "bare bytes" and size == 2:
        return Type(size, np.dtype("V2"))
    anywhere = kind == "of any length" and bits & 0x0F == 1 and size == 16
    return Type(size, text=anywhere or (kind == "text" and size > 0), anywhere=anywhere)


def link(cursor: Cursor) -> tuple[str, int | None]:
    """The name of what lies in a group, and its address; None for what is only a link to it."""
    _, flags = cursor.take("BB")
    kind = cursor.one("B") if flags & 0x08 else 0
    cursor.place += (8 if flags & 0x04 else 0) + (1 if flags & 0x10 else 0)
    name = text(cursor.piece(cursor.one("BHIQ"[flags & 3])))
    return name, cursor.one("Q") if kind == 0 else None


def attribute(cursor: Cursor) -> tuple[str, Attribute]:
    version, _, *sizes = cursor.take("BBHHH")
    if version not in (1, 2, 3):
        raise WeightsError(DAMAGED)
    cursor.place += 1 if version == 3 else 0
    pieces = []
    for size in sizes:
        pieces.append(cursor.piece(size))
        cursor.place += -size % 8 if version == 1 else 0
    name, kind, space = pieces
    return text(name), Attribute(dataspace(Cursor(space)), datatype(Cursor(kind)), cursor.piece(max(cursor.left, 0)))


def filters(cursor: Cursor) -> Iterator[Filter]:
    """The steps that every chunk went through before it was written, in their order."""
    version, count = cursor.take("BB")
    cursor.place += 6 if version == 1 else 0
    for _ in range(count):
        number = cursor.one("H")
        length = cursor.one("H") if version == 1 or number >= 256 else 0
        _, values = cursor.take("HH")
        cursor.piece(length + (-length % 8 if version == 1 else 0))
        yield Filter(number, cursor.take(f"{values}I"))
        cursor.place += 4 * (values % 2) if version == 1 else 0


def unpacked(chunk: Chunk, steps: list[Filter], itemsize: int, size: int) -> bytes | memoryview:
    """A chunk's `size` bytes, every filter undone, last one first."""
    data: bytes | memoryview = chunk.packed
    for place, step in reversed(list(enumerate(steps))):
        if chunk.mask >> place & 1:
            continue
        match FILTERS.get(step.number):
            case "deflate":
                data = _inflated(data, size + CHECKSUM)
            case "shuffle":
                data = np.frombuffer(data, np.uint8).reshape(itemsize, -1).T.tobytes()
            case "fletcher32":
                data = data[:-CHECKSUM]
            case None:
                raise WeightsError(f"its arrays are packed by filter {step.number}; hati knows gzip and shuffle")
    if len(data) != size:
        raise WeightsError(f"{DAMAGED}: a chunk of {size:,} bytes has {len(data):,}")
    return data


def text(raw: memoryview) -> str:
    return bytes(raw[:LONGEST_NAME]).split(b"\0")[0].decode(errors="backslashreplace")


def _inflated(data: bytes | memoryview, most: int) -> bytes:
    try:
        return zlib.decompressobj().decompress(data, most)
    except zlib.error as error:
        raise WeightsError(f"its packed numbers are damaged ({error})") from None
