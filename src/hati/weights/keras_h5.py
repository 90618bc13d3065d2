"""Keras' legacy .h5: a list of layer names, and in each layer's group the list of its weights, in order."""

from collections.abc import Iterator
from pathlib import Path

import h5py
import numpy as np

from ..errors import WeightsError

Array = np.ndarray
MOST_EXPANSION = 50  # a file that claims more bytes than this times its own length is no weights file


def read(path: Path) -> dict[str, list[Array]]:
    """Each layer's arrays in Keras' order, by the layer's name; layers without weights are left out."""
    with h5py.File(path) as file:
        root = file.get("model_weights", file)  # a whole saved model, or its weights alone
        if "layer_names" not in root.attrs and "layer_names0" not in root.attrs:
            raise WeightsError("it is an HDF5 file, but has no layer_names, as Keras' legacy weights have")
        room = path.stat().st_size * MOST_EXPANSION
        layers = {
            name: [_array(root[name], key, room) for key in _names(root[name], "weight_names")]
            for name in _names(root, "layer_names")
        }
    return {name: arrays for name, arrays in layers.items() if arrays}


def _array(group: h5py.Group, name: str, room: int) -> Array:
    data = group[name]
    if not isinstance(data, h5py.Dataset) or data.dtype.kind != "f" or data.nbytes > room or data.external:
        raise WeightsError(f"{group.name}/{name} is no array of numbers that this file could hold")
    return np.asarray(data)


def _names(group: h5py.Group, attribute: str) -> Iterator[str]:
    """A list of names; Keras splits one that is longer than HDF5 allows into attribute0, attribute1, …"""
    parts = [attribute] if attribute in group.attrs else []
    while f"{attribute}{len(parts)}" in group.attrs:
        parts.append(f"{attribute}{len(parts)}")
    for part in parts:
        for name in group.attrs[part]:
            yield name.decode() if isinstance(name, bytes) else str(name)
