"""An HDF5 file's bytes by their addresses: headers, trees and heaps, every step counted.

Layout: "HDF5 File Format Specification", The HDF Group, II to IV.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...errors import WeightsError
from .hdf5_messages import DAMAGED, NEWER, Cursor, Message

MOST_STEPS = 1_000_000  # through the file's own tables; a network of a thousand layers takes fifty thousand
MOST_EXPANSION, SMALL_BYTES = 64, 1 << 28  # of a file's length may be unpacked from it, and so much in any case
CONTINUATION = 0x10  # the kind of message that says where a header goes on


class File:
    """The bytes of a file, and how many steps through them were taken."""

    def __init__(self, content: memoryview):
        self.content, self.steps = content, 0
        self.room = max(SMALL_BYTES, MOST_EXPANSION * len(content))
        self.heaps: dict[int, dict[int, memoryview]] = {}
        self.root = self._root()

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
