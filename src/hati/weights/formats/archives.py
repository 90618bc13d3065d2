"""Zip archives, as .npz, .keras and PyTorch's files are: their members as memory, sound and of a believable size."""

import struct
import zipfile
import zlib
from math import prod
from typing import IO, cast

import numpy as np

from ...errors import WeightsError
from ...tools.arrays import Array
from . import mapped

LOCAL_HEADER = struct.Struct("<26xHH")  # the lengths of the name and of the extra fields behind it
PIECE = 1 << 20


class Archive:
    """An archive in memory. Raises WeightsError, or zipfile's own errors, where it is damaged."""

    def __init__(self, content: memoryview):
        self.content = content
        self._zip = zipfile.ZipFile(cast(IO[bytes], mapped.Stream(content)))
        self.names = self._zip.namelist()

    def size(self, name: str) -> int:
        """What a member claims to be long, unpacked."""
        return self._zip.getinfo(name).file_size

    def is_stored(self, name: str) -> bool:
        return self._zip.getinfo(name).compress_type == zipfile.ZIP_STORED

    def open(self, name: str) -> IO[bytes]:
        """A member as a stream, unpacked and its checksum checked on the way."""
        if self._zip.getinfo(name).compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise WeightsError(f"{name} in it is packed in a way that no weights are; pack it again with deflate")
        return self._zip.open(name)

    def view(self, name: str) -> memoryview:
        """A member's bytes, where they lie unpacked in the archive."""
        info = self._zip.getinfo(name)
        self._zip.open(info).close()  # refuses one that is encrypted, or that calls itself by another name
        lengths = LOCAL_HEADER.unpack_from(self.content, info.header_offset)
        start = info.header_offset + LOCAL_HEADER.size + sum(lengths)
        found = self.content[start : start + info.file_size]
        if len(found) != info.file_size:
            raise WeightsError(f"{name} in it is cut short")
        if _checksum(found) != info.CRC:
            raise WeightsError(f"{name} in it is not as it was written: Bad CRC-32")
        return found

    def unpacked(self, name: str, most: int) -> memoryview:
        """A member's bytes: a view where it is stored, else unpacked into memory, `most` bytes of it."""
        if self.is_stored(name):
            return self.view(name)
        if self.size(name) > most:
            raise WeightsError(f"{name} in it claims {self.size(name):,} bytes, too many to be true")
        with self.open(name) as member:
            return memoryview(member.read(self.size(name)))


def read_npz(archive: Archive, most: int) -> dict[str, Array]:
    """NumPy's own archive: every member is one array. Together they can take `most` bytes."""
    claimed = sum(map(archive.size, archive.names))
    if claimed > most:
        raise WeightsError(f"it claims arrays of {claimed:,} bytes, too many to be true of a file of its length")
    return {name.removesuffix(".npy"): _npy(archive, name) for name in archive.names}


def _npy(archive: Archive, name: str) -> Array:
    if not archive.is_stored(name):
        with archive.open(name) as member:
            _header(member, archive.size(name))
        with archive.open(name) as member:
            return np.lib.format.read_array(member, allow_pickle=False)
    view = archive.view(name)
    stream = mapped.Stream(view)
    shape, backwards, dtype = _header(cast(IO[bytes], stream), len(view))
    array = mapped.array(view[stream.tell() :], dtype, shape[::-1] if backwards else shape)
    return array.T if backwards else array


def _header(member: IO[bytes], size: int) -> tuple[tuple[int, ...], bool, np.dtype]:
    """An array's shape, whether its first axis runs fastest, and its type, once it is sure to be as long as it says."""
    version = np.lib.format.read_magic(member)
    readers = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
    if version not in readers:
        raise WeightsError(f"it is an array of version {version}, which holds no plain numbers")
    shape, backwards, dtype = readers[version](member)
    if dtype.hasobject:
        raise WeightsError("Object arrays cannot be loaded: they are pickles, and can run any program")
    if min(shape, default=0) < 0 or prod(shape) * dtype.itemsize > size:
        raise WeightsError(f"an array of shape {shape} does not fit in the {size:,} bytes of its member")
    return shape, backwards, dtype


def _checksum(piece: memoryview) -> int:
    crc = 0
    for start in range(0, len(piece), PIECE):
        crc = zlib.crc32(piece[start : start + PIECE], crc)
    return crc
