"""Keras' legacy .h5: a list of layer names, and in each layer's group the list of its weights, in order."""

import mmap
import struct
from collections.abc import Iterator
from pathlib import Path

import h5py
import numpy as np

from ..errors import WeightsError

Array = np.ndarray
HEAP = b"GCOL\x01"
MOST_NAMES = 1 << 16  # bytes of one list; HDF5 has no room for more


def read(path: Path, most: int) -> dict[str, list[Array]]:
    """Each layer's arrays in Keras' order, by the layer's name; layers without weights are left out.

    Together they can take `most` bytes.
    """
    _check_heaps(path)
    with h5py.File(path) as file:
        whole_model = file.get("model_weights", getlink=True) is not None
        root = _inside(file, "model_weights") if whole_model else file
        if "layer_names" not in root.attrs and "layer_names0" not in root.attrs:
            raise WeightsError("it is an HDF5 file, but has no layer_names, as Keras' legacy weights have")
        layers = {name: list(_datasets(_inside(root, name))) for name in _names(root, "layer_names")}
        claimed = sum(data.nbytes for datasets in layers.values() for data in datasets)
        if claimed > most:
            raise WeightsError(f"it claims arrays of {claimed:,} bytes, too many to be true of a file of its length")
        return {name: [np.asarray(data) for data in datasets] for name, datasets in layers.items() if datasets}


def _check_heaps(path: Path) -> None:
    """Refuse a heap of names with an entry of no length at all: libhdf5 steps over that one for ever, up to its 2.0.

    Layout: "Global Heap" in the HDF5 File Format Specification.
    """
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        for count, step in enumerate(_heap_steps(content)):
            if step == 0 or count > MOST_NAMES:
                raise WeightsError("a heap of names in it is damaged")


def _heap_steps(content: mmap.mmap) -> Iterator[int]:
    """From each entry of each heap to the next, in bytes."""
    start = content.find(HEAP)
    while start >= 0:
        end = min(start + int.from_bytes(content[start + 8 : start + 16], "little"), len(content))
        place, step = start + 16, 1
        while step and place + 16 <= end:
            entry, size = struct.unpack("<H6xQ", content[place : place + 16])
            step = (16 + -(-size // 8) * 8 if entry else size) % (1 << 64)  # entry 0 is what is free, counted whole
            yield step
            place += step
        start = content.find(HEAP, start + len(HEAP))


def _datasets(group: h5py.Group) -> Iterator[h5py.Dataset]:
    for name in _names(group, "weight_names"):
        data = _inside(group, name)
        if not isinstance(data, h5py.Dataset) or data.dtype.kind not in "fiu" or data.shape is None:
            raise WeightsError(f"{group.name}/{name} is no array of numbers")
        if data.external or data.is_virtual:
            raise WeightsError(f"{group.name}/{name} lies in another file")
        yield data


def _inside(group: h5py.Group, name: str) -> h5py.Group | h5py.Dataset:
    """What a path leads to; a link, which may lead to any other file of this machine, is not followed."""
    found = group
    for part in name.split("/"):
        if not isinstance(found.get(part, getlink=True), h5py.HardLink):
            raise WeightsError(f"{group.name.rstrip('/')}/{name} is a link, or not there")
        found = found[part]
    return found


def _names(group: h5py.Group, attribute: str) -> Iterator[str]:
    """A list of names; Keras splits one that is longer than HDF5 allows into attribute0, attribute1, …"""
    parts = [attribute] if attribute in group.attrs else []
    while f"{attribute}{len(parts)}" in group.attrs:
        parts.append(f"{attribute}{len(parts)}")
    for part in parts:
        shape, dtype = group.attrs.get_id(part).shape, group.attrs.get_id(part).dtype
        if not shape or len(shape) > 1 or (shape[0] and not h5py.check_string_dtype(dtype)):
            raise WeightsError(f"{group.name}: its {part} is no list of names")
        if shape[0] * dtype.itemsize > MOST_NAMES:
            raise WeightsError(f"{group.name}: its {part} claims {shape[0]:,} names, too many to be true")
        for name in group.attrs[part]:
            yield name.decode() if isinstance(name, bytes) else str(name)
