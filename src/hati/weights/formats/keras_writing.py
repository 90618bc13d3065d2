"""Keras 3's .weights.h5, as Keras itself lays it out and loads it.

Layout: keras/src/saving/saving_lib.py of github.com/keras-team/keras.
"""

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from ...network.graph import Graph, weights_of
from .layouts import places


class Target(io.FileIO):
    """A file that takes everything: libhdf5 crashes where its last writes fail. The first fault is kept instead."""

    fault: OSError | None = None

    def write(self, content: Any) -> int:
        left = memoryview(content)
        while self.fault is None and len(left):
            try:
                left = left[super().write(left) or 0 :]
            except OSError as error:
                self.fault = error
        return len(content)

    def truncate(self, size: int | None = None) -> int:
        try:
            return super().truncate(size)
        except OSError as error:
            self.fault = self.fault or error
            return size or 0


def write(path: Path, arrays: Mapping[str, np.ndarray], graph: Graph) -> None:
    """A folder for each layer, with its name and its arrays by number; one array is written after the other.

    Raises OSError where the disk does not take it.
    """
    with Target(path, "w+") as target:
        try:
            _write(target, arrays, graph)
        finally:
            if target.fault is not None:
                raise target.fault


def _write(target: Target, arrays: Mapping[str, np.ndarray], graph: Graph) -> None:
    where = places(graph)
    with h5py.File(target, "w") as file:
        _variables(file, graph.name)
        for node in graph.nodes:
            sequential, _, place = where[node.name].rpartition("/")
            layers = file.require_group("layers")
            if sequential:
                layers = _sequential(layers.require_group(sequential), node.group)
            variables = _variables(layers.create_group(place), node.name)
            for number, array in enumerate(weights_of(node, arrays).values()):
                variables[str(number)] = array


def _sequential(folder: h5py.Group, name: str) -> h5py.Group:
    if "vars" not in folder:
        _variables(folder, name)
    return folder.require_group("layers")


def _variables(folder: h5py.Group, name: str) -> h5py.Group:
    variables = folder.create_group("vars")
    variables.attrs["name"] = name
    return variables
