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
from .hdf5_messages import (
    DAMAGED,
    NEWER,
    Attribute,
    Chunk,
    Cursor,
    Message,
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
MOST_STEPS = 1_000_000  # through the file's own tables; a network of a thousand layers takes fifty thousand
MOST_EXPANSION, SMALL_BYTES = 64, 1 << 28  # of a file's length may be unpacked from it, and so much in any case
DATASPACE, LINK_INFO, DATATYPE, LINK, EXTERNAL, LAYOUT, FILTERS = 0x01, 0x02, 0x03, 0x06, 0x07, 0x08, 0x0B
ATTRIBUTE, CONTINUATION, SYMBOL_TABLE, ATTRIBUTE_INFO = 0x0C, 0x10, 0x11, 0x15
WIDTHS = {1: "B", 2: "H", 4: "I", 8: "Q"}


class File:
    """The bytes of a file, and how many steps through them were taken."""

    def __init__(self, content: memoryview):
        self.content, self.steps = content, 0
        self.room = max(SMALL_BYTES, MOST_EXPANSION * len(content))
        self.heaps: dict[int, dict[int, memoryview]] = {}
        self.root = Object(self, self._root(), "/")

    def step(self) -> None:
        self.steps += 1
        if self.steps > MOST_STEPS:
            raise WeightsError(f"{DAMAGED}: they do not end")

    def unpack(self, size: int) -> None:
        """Note that so many bytes will be unpacked."""
        self.room -= size
        if self.room < 0:
            raise WeightsError(f"{DAMAGED}: more would be unpacked from it than can be true")

    def at(self, address: int) -> Cursor:
        self.step()
        return Cursor(self.content, address)

    def piece(self, address: int, size: int) -> memoryview:
        return self.at(address).piece(size)

    def _root(self) -> int:
        """The address of the root's header, from the superblock."""
        match self.at(8).one("B"):
            case 0 | 1 as version:
                sizes = self.at(13).take("BB")
                base, end, root = self.at(24 + 4 * version).take("Q8xQ8x8xQ")
            case 2 | 3:
                sizes = self.at(9).take("BB")
                base, end, root = self.at(12).take("Q8xQQ")
            case version:
                raise WeightsError(f"its HDF5 layout has version {version}, which is not known here")
        if end > len(self.content):
            found = f"it is {len(self.content):,} bytes long, its HDF5 header says {end:,}"
            raise WeightsError(f"{found}: it was not copied whole")
        if sizes != (8, 8) or base:
            raise WeightsError(NEWER.format("unusual addresses"))
        return int(root)

    def messages(self, address: int) -> list[Message]:
        """Everything that the header of an object says."""
        if bytes(self.content[address : address + 4]) == b"OHDR":
            return list(self._second_header(address))
        return list(self._first_header(address))

    def _first_header(self, address: int) -> Iterator[Message]:
        version, count, size = self.at(address).take("BxH4xI")
        if version != 1:
            raise WeightsError(DAMAGED)
        blocks = [self.piece(address + 16, size)]
        for block in blocks:
            cursor = Cursor(block)
            while cursor.left >= 8 and count > 0:
                kind, length, flags = cursor.take("HHBxxx")
                count -= 1
                message = self._message(kind, flags, cursor.piece(length))
                if kind == CONTINUATION:
                    blocks.append(self.piece(*Cursor(message.content).take("QQ")))
                yield message

    def _second_header(self, address: int) -> Iterator[Message]:
        start = self.at(address)
        version, flags = start.take("4xBB")
        if version != 2:
            raise WeightsError(DAMAGED)
        start.place += (16 if flags & 0x20 else 0) + (4 if flags & 0x10 else 0)
        order = 2 if flags & 0x04 else 0
        blocks = [start.piece(start.one("BHIQ"[flags & 3]))]
        for block in blocks:
            cursor = Cursor(block)
            while cursor.left >= 4 + order:
                kind, length, shared = cursor.take("BHB")
                cursor.place += order
                message = self._message(kind, shared, cursor.piece(length))
                if kind == CONTINUATION:
                    blocks.append(self.piece(*Cursor(message.content).take("QQ"))[4:-4])
                yield message

    def _message(self, kind: int, flags: int, content: memoryview) -> Message:
        self.step()
        return Message(kind, bool(flags & 0x02), content)

    def leaves(self, address: int, kind: int, key_size: int) -> Iterator[tuple[memoryview, int]]:
        """Every key and address at the bottom of a B-tree."""
        waiting, met = [address], set()
        while waiting:
            place = waiting.pop()
            cursor = self.at(place)
            signature, found, level, count = cursor.take("4sBBH16x")
            if signature != b"TREE" or found != kind or place in met:
                raise WeightsError(f"{DAMAGED}: a tree in it leads astray")
            met.add(place)
            for _ in range(count):
                self.step()
                key, child = cursor.piece(key_size), cursor.one("Q")
                if level:
                    waiting.append(child)
                else:
                    yield key, child

    def heap(self, address: int) -> dict[int, memoryview]:
        """The texts of a global heap, by their numbers."""
        if address not in self.heaps:
            self.heaps[address] = dict(self._heap_entries(address))
        return self.heaps[address]

    def _heap_entries(self, address: int) -> Iterator[tuple[int, memoryview]]:
        signature, size = self.at(address).take("4sxxxxQ")
        if signature != b"GCOL":
            raise WeightsError("a heap of names in it is damaged")
        cursor = Cursor(self.piece(address, size), 16)
        while cursor.left >= 16:
            self.step()
            number, length = cursor.take("H6xQ")
            if not number:
                return  # what follows is free
            if length > cursor.left:
                raise WeightsError("a heap of names in it is damaged")
            yield number, cursor.piece(length)
            cursor.place += -length % 8


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
