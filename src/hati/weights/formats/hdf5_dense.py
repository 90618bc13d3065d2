"""HDF5's newer way to keep many links or attributes: their messages in a heap of blocks, told by a tree of records.

Layout: "HDF5 File Format Specification", The HDF Group, III.A.2 (version 2 B-trees) and III.G (fractal heap).
"""

from collections.abc import Iterator
from functools import cached_property

from ...errors import WeightsError
from .hdf5_file import File
from .hdf5_messages import DAMAGED, NEWER, Cursor

MOST_ROWS = 64  # of a heap's blocks, each twice as long as those of the row before
FAR = 0x10  # of a message's place: it lies outside the blocks
OVERHEAD = 10  # bytes of a node: signature, version, type and checksum
LINKS = slice(4, None)  # where a record has the place in the heap
ATTRIBUTES = slice(0, 8)


def messages(file: File, heap: int, tree: int, identity: slice) -> Iterator[Cursor]:
    """Every message that the tree tells of."""
    blocks = Heap(file, heap)
    for record in _records(file, tree):
        yield Cursor(blocks.message(record[identity]))


class Heap:
    """Blocks in rows, as one long room."""

    def __init__(self, file: File, address: int):
        self.file = file
        signature, filters, _, most_managed, self.far, *table = file.at(address).take("4s3xHBI8xQ80xHQQHHQH")
        self.width, self.first, self.most_direct, bits, _, self.root, self.rows = table
        if signature != b"FRHP" or not (self.width and self.first) or self.rows > MOST_ROWS:
            raise WeightsError(f"{DAMAGED}: a heap of them")
        if filters:
            raise WeightsError(NEWER.format("the packed heaps"))
        self.offset_bytes = -(-bits // 8)
        self.length_bytes = min(-(-(self.most_direct.bit_length() - 1) // 8), _bytes_for(most_managed))

    def message(self, identity: memoryview) -> memoryview:
        kind = identity[0] & 0x30
        if kind == FAR:
            return self.file.piece(*self._far_places[int.from_bytes(identity[1:], "little")])
        if kind:
            raise WeightsError(NEWER.format("the smallest messages"))
        end = 1 + self.offset_bytes
        offset = int.from_bytes(identity[1:end], "little")
        length = int.from_bytes(identity[end : end + self.length_bytes], "little")
        return self.file.piece(self._place(self.root, self.rows, offset), length)

    @cached_property
    def _far_places(self) -> dict[int, tuple[int, int]]:
        """The address and length of each message that is too long for a block, by its number."""
        found = (Cursor(record).take("QQQ") for record in _records(self.file, self.far))
        return {number: (address, length) for address, length, number in found}

    def _place(self, block: int, rows: int, offset: int) -> int:
        """The address of an offset that lies in a block, which holds `rows` of blocks, or none but the message."""
        if not rows:
            return block + offset
        children = block + 13 + self.offset_bytes
        for row in range(rows):
            size = self.first << max(row - 1, 0)
            if offset < size * self.width:
                child = self.file.at(children + 8 * (row * self.width + offset // size)).one("Q")
                inner = 0 if size <= self.most_direct else (size // (self.first * self.width)).bit_length()
                return self._place(child, inner, offset % size)
            offset -= size * self.width
        raise WeightsError(f"{DAMAGED}: a heap of them")


def _records(file: File, address: int) -> Iterator[memoryview]:
    signature, node_bytes, size, depth, root, count = file.at(address).take("4sxxIHHxxQH8x")
    if signature != b"BTHD" or not size or depth > MOST_ROWS:
        raise WeightsError(f"{DAMAGED}: a tree of them")
    counts = _bytes_for((node_bytes - OVERHEAD) // size)
    totals = _totals(node_bytes, size, counts, depth)
    waiting, met = [(root, count, depth)], set()
    while waiting:
        place, count, level = waiting.pop()
        cursor = file.at(place)
        if place in met or cursor.one("4sxx") != (b"BTIN" if level else b"BTLF"):
            raise WeightsError(f"{DAMAGED}: a tree of them")
        met.add(place)
        for _ in range(count):
            file.step()
            yield cursor.piece(size)
        for _ in range(count + 1 if level else 0):
            child, below = cursor.one("Q"), int.from_bytes(cursor.piece(counts), "little")
            cursor.piece(totals[level - 1])
            waiting.append((child, below, level - 1))


def _totals(node_bytes: int, size: int, counts: int, depth: int) -> list[int]:
    """How many bytes a pointer spends, by the level that it points to, on the number of all records below."""
    most, found = (node_bytes - OVERHEAD) // size, [0]
    for _ in range(1, depth):
        pointer = 8 + counts + found[-1]
        here = (node_bytes - OVERHEAD - pointer) // (size + pointer)
        most = (here + 1) * most + here
        found.append(_bytes_for(most))
    return found


def _bytes_for(number: int) -> int:
    return max(number.bit_length() - 1, 0) // 8 + 1
