"""HDF5 as far as Keras writes it, in plain Python: on damaged files libhdf5 can hang, fill the memory, or crash.

Layout: "HDF5 File Format Specification", The HDF Group. Links that lead away, and what only HDF5's newest layouts have,
are refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from math import prod
from typing import Any

import numpy as np

from ...errors import WeightsError
from ...tools.arrays import Array
from . import hdf5_dense, mapped
from .hdf5_file import File
from .hdf5_messages import (
    DAMAGED,
    NEWER,
    Attribute,
    Chunk,
    Cursor,
    Shape,
    attribute,
    dataspace,
    datatype,
    filters,
    link,
    text,
    unpacked,
)

NOWHERE = (1 << 64) - 1
DATASPACE, LINK_INFO, DATATYPE, LINK, EXTERNAL, LAYOUT, FILTERS = 0x01, 0x02, 0x03, 0x06, 0x07, 0x08, 0x0B
ATTRIBUTE, SYMBOL_TABLE, ATTRIBUTE_INFO = 0x0C, 0x11, 0x15
WIDTHS = {1: "B", 2: "H", 4: "I", 8: "Q"}


def opened(content: memoryview) -> Object:
    """What lies at the root of a file."""
    file = File(content)
    return Object(file, file.root, "/")


class Object:
    """A group or an array, by the address of its header."""

    def __init__(self, file: File, address: int, name: str):
        self.file, self.name = file, name
        self._messages = file.messages(address)

    def _all(self, kind: int) -> list[Cursor]:
        return [Cursor(message.content) for message in self._messages if message.kind == kind]

    def _only(self, kind: int) -> Cursor:
        found = [message for message in self._messages if message.kind == kind]
        if len(found) != 1 or found[0].shared:
            raise WeightsError(f"{self.name} is no array of numbers")
        return Cursor(found[0].content)

    @cached_property
    def links(self) -> dict[str, int | None]:
        """The addresses of what lies in a group, by name; None for what is only a link to it."""
        found = dict(map(link, self._all(LINK)))
        for cursor in self._all(LINK_INFO):
            _, flags = cursor.take("BB")
            cursor.place += 8 if flags & 1 else 0
            found |= map(link, self._dense(cursor, hdf5_dense.LINKS))
        for cursor in self._all(SYMBOL_TABLE):
            found |= self._symbols(*cursor.take("QQ"))
        return found

    def _symbols(self, tree: int, heap: int) -> dict[str, int | None]:
        signature, size, segment = self.file.at(heap).take("4s4xQ8xQ")
        if signature != b"HEAP":
            raise WeightsError(DAMAGED)
        names = self.file.piece(segment, size)
        found: dict[str, int | None] = {}
        for _, node in self.file.leaves(tree, 0, 8):
            cursor = self.file.at(node)
            signature, count = cursor.take("4sxxH")
            if signature != b"SNOD":
                raise WeightsError(DAMAGED)
            for _ in range(count):
                self.file.step()
                name, address, cached = cursor.take("QQI20x")
                found[text(names[name:])] = None if cached == 2 else address
        return found

    def __contains__(self, name: str) -> bool:
        return name in self.links

    def inside(self, path: str) -> Object:
        """What a path leads to; a link, which may lead to any other file of this machine, is not followed."""
        found, full = self, f"{self.name.rstrip('/')}/{path}"
        for part in path.split("/"):
            address = found.links.get(part)
            if address is None:
                raise WeightsError(f"{full} is a link, or not there")
            found = Object(self.file, address, f"{found.name.rstrip('/')}/{part}")
        return found

    @cached_property
    def attributes(self) -> dict[str, Attribute]:
        found = dict(map(attribute, self._all(ATTRIBUTE)))
        for cursor in self._all(ATTRIBUTE_INFO):
            _, flags = cursor.take("BB")
            cursor.place += 2 if flags & 1 else 0
            found |= map(attribute, self._dense(cursor, hdf5_dense.ATTRIBUTES))
        return found

    def _dense(self, cursor: Cursor, identity: slice) -> Iterator[Cursor]:
        heap, tree = cursor.take("QQ")
        return hdf5_dense.messages(self.file, heap, tree, identity) if heap != NOWHERE else iter(())

    def text(self, attribute: str, most: int) -> str:
        """An attribute that is one text."""
        shape, kind, _ = self.attributes[attribute]
        if shape != () or not kind.text:
            raise WeightsError(f"{self.name}: its {attribute} is no text")
        return self._texts(attribute, 1, most)[0]

    def texts(self, attribute: str, most: int) -> list[str]:
        """An attribute that is a list of texts, of at most `most` bytes in all."""
        shape, kind, _ = self.attributes[attribute]
        if shape is None or len(shape) != 1 or (shape[0] and not kind.text):
            raise WeightsError(f"{self.name}: its {attribute} is no list of names")
        if shape[0] * kind.size > most:
            raise WeightsError(f"{self.name}: its {attribute} claims {shape[0]:,} names, too many to be true")
        return self._texts(attribute, shape[0], most)

    def _texts(self, attribute: str, count: int, most: int) -> list[str]:
        _, kind, data = self.attributes[attribute]
        cursor = Cursor(data)
        raw = [self._from_heap(cursor) if kind.anywhere else cursor.piece(kind.size) for _ in range(count)]
        if sum(map(len, raw)) > most:
            raise WeightsError(f"{self.name}: its {attribute} claims names of absurd length")
        try:
            return [bytes(text).split(b"\0")[0].decode() for text in raw]
        except UnicodeDecodeError:
            raise WeightsError(f"{self.name}: its {attribute} holds a name that is no text") from None

    def _from_heap(self, cursor: Cursor) -> memoryview:
        length, heap, number = cursor.take("IQI")
        if not length:
            return memoryview(b"")
        found = self.file.heap(heap).get(number, memoryview(b""))
        if length > len(found):
            raise WeightsError("a heap of names in it is damaged")
        return found[:length]

    @property
    def is_array(self) -> bool:
        return any(message.kind == LAYOUT for message in self._messages)

    @cached_property
    def shape(self) -> Shape:
        shape = dataspace(self._only(DATASPACE))
        if shape is None:
            raise WeightsError(f"{self.name} is no array of numbers")
        return shape

    @cached_property
    def dtype(self) -> np.dtype[Any]:
        dtype = datatype(self._only(DATATYPE)).dtype
        if dtype is None:
            raise WeightsError(f"{self.name} is no array of numbers")
        return dtype

    @property
    def bytes(self) -> int:
        return prod(self.shape) * self.dtype.itemsize

    def array(self) -> Array:
        """The numbers: a view where they lie in one piece, else unpacked chunk by chunk into their own place."""
        cursor = self._only(LAYOUT)
        version, kind = cursor.take("BB")
        if kind == 3 or self._all(EXTERNAL):
            raise WeightsError(f"{self.name} lies in another file")
        if version not in (3, 4, 5) or kind > 3:
            raise WeightsError(NEWER.format(f"the array {self.name}"))
        if not self.bytes:
            return np.empty(self.shape, self.dtype)
        if kind == 2:
            return self._unpacked(*(self._chunks_of_tree(cursor) if version == 3 else self._single_chunk(cursor)))
        if kind == 0:
            return mapped.array(cursor.piece(cursor.one("H")), self.dtype, self.shape)
        address, size = cursor.take("QQ")
        if address == NOWHERE:
            raise WeightsError(f"{self.name}: its numbers were never written")
        return mapped.array(self.file.piece(address, size), self.dtype, self.shape)

    def _chunks_of_tree(self, cursor: Cursor) -> tuple[Shape, Iterator[Chunk]]:
        axes, tree = cursor.take("BQ")
        *size, _ = cursor.take(f"{axes}I")
        return tuple(size), self._tree_chunks(tree, axes)

    def _tree_chunks(self, tree: int, axes: int) -> Iterator[Chunk]:
        for key, address in self.file.leaves(tree, 1, 8 + 8 * axes):
            length, mask, *place, _ = Cursor(key).take(f"II{axes}Q")
            yield Chunk(tuple(place), mask, self.file.piece(address, length))

    def _single_chunk(self, cursor: Cursor) -> tuple[Shape, Iterator[Chunk]]:
        flags, axes, width = cursor.take("BBB")
        if width not in WIDTHS:
            raise WeightsError(DAMAGED)
        *size, _ = cursor.take(f"{axes}{WIDTHS[width]}")
        if cursor.one("B") != 1:
            raise WeightsError(NEWER.format(f"the chunks of {self.name}"))
        length, mask = cursor.take("QI") if flags & 2 else (prod(size) * self.dtype.itemsize, 0)
        return tuple(size), iter([Chunk((0,) * len(size), mask, self.file.piece(cursor.one("Q"), length))])

    def _unpacked(self, size: Shape, chunks: Iterator[Chunk]) -> Array:
        bytes_of_chunk = prod(size) * self.dtype.itemsize
        if len(size) != len(self.shape) or not bytes_of_chunk:
            raise WeightsError(f"{self.name}: {DAMAGED}")
        count = prod(-(-length // step) for length, step in zip(self.shape, size, strict=True))
        self.file.unpack(count * bytes_of_chunk)
        steps = [step for cursor in self._all(FILTERS) for step in filters(cursor)]
        array, met = np.empty(self.shape, self.dtype), set()
        for chunk in chunks:
            inside = [
                at % step == 0 and at < length for at, step, length in zip(chunk.place, size, self.shape, strict=True)
            ]
            if not all(inside) or chunk.place in met:
                raise WeightsError(f"{self.name}: {DAMAGED}")
            met.add(chunk.place)
            window = tuple(slice(at, at + step) for at, step in zip(chunk.place, size, strict=True))
            kept = array[window]
            numbers = np.frombuffer(unpacked(chunk, steps, self.dtype.itemsize, bytes_of_chunk), self.dtype)
            kept[...] = numbers.reshape(size)[tuple(map(slice, kept.shape))]
        if len(met) < count:
            raise WeightsError(f"{self.name}: some of its numbers were never written")
        return array
