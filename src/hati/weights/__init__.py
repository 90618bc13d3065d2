"""From a file of weights to arrays by the graph's names: find it (`store`), read it (`reading`), fit it (`fitting`)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ..network import graph_json
from ..network.graph import Graph, Layer
from . import fitting, reading

Arrays = dict[str, np.ndarray]


class Identity(NamedTuple):
    """A file's place, and everything that its system changes when its content changes."""

    place: str
    state: str


class Weights:
    """The arrays of one graph, read when they are first needed.

    `identity` names their content: two Weights with one identity hold the same arrays. Those without one come from no
    file, and what is made of them is kept in memory only.
    """

    def __init__(self, read: Callable[[], Arrays], identity: Identity | None = None):
        self._read, self.identity = read, identity
        self._arrays: Arrays | None = None

    def arrays(self) -> Arrays:
        if self._arrays is None:
            self._arrays = self._read()
        return self._arrays

    @contextmanager
    def borrowed(self) -> Iterator[Arrays]:
        """The arrays for a while; in memory afterwards only if they were before."""
        held = self._arrays is not None
        yield self.arrays()
        if not held:
            self.release()

    def of(self, part: Graph) -> Weights:
        """The same weights for a part of the graph."""

        def read() -> Arrays:
            arrays = self.arrays()
            self.release()
            return {name: arrays[name] for name in part.weights()}

        return Weights(read, self.identity)

    def __reduce__(self) -> tuple[Any, ...]:
        """For pickle: the arrays themselves, whatever they were read from."""
        with self.borrowed() as arrays:
            return _unpickled, (dict(arrays), self.identity)

    def release(self) -> None:
        """Let go of the arrays in memory; the next use reads them again."""
        self._arrays = None


def _unpickled(arrays: Arrays, identity: Identity | None) -> Weights:
    return Weights(lambda: arrays, identity)


def from_file(
    path: Path,
    graph: Graph,
    pytorch_names: Mapping[str, str] | None = None,
    *,
    body_only: bool = False,
    verify: Callable[[], None] = lambda: None,
    rest: Callable[[], Arrays] = dict,
) -> Weights:
    """A file's weights for a graph; with `body_only`, a classifier that the graph does not have is left out.

    `verify` is called before the file is read; `rest` gives arrays that the file leaves out, by the graph's names.
    """

    def read() -> Arrays:
        verify()
        stored, others = reading.read(path), rest()
        if others and isinstance(stored, dict):
            stored = {**others, **stored}
        fitted = fitting.fit(stored, graph, str(path), pytorch_names, body_only=body_only)
        fitting.check_finite(fitted, str(path))
        return fitted

    return Weights(read, _identity(path))


def beside(path: Path) -> Arrays:
    """The arrays of a file that go with a model and are none of its weights."""
    stored = reading.read(path)
    return (
        {name: x for name, x in stored.items() if name.startswith(fitting.BESIDE)} if isinstance(stored, dict) else {}
    )


def checksum(graph: Graph, arrays: Mapping[str, np.ndarray]) -> str:
    """SHA-256 of a network's layers and their arrays: where it is the same, so are the answers."""
    layers = json.dumps(graph_json.to_json(graph)["nodes"])
    found = hashlib.sha256(layers.encode())
    for name in graph.weights():
        found.update(np.ascontiguousarray(arrays[name], np.float32).data)
    return found.hexdigest()


def from_arrays(arrays: Mapping[str, np.ndarray], graph: Graph) -> Weights:
    """Arrays by the graph's own names, such as `conv1_conv/kernel`."""
    fitted = fitting.fit(arrays, graph, "the arrays given")
    return Weights(lambda: fitted)


def random(graph: Graph, seed: int | None = None) -> Weights:
    """Keras' initial weights: kernels by Glorot and Bengio 2010, batch norm that changes nothing, biases 0."""
    seed = int(np.random.default_rng(seed).integers(2**63))
    return Weights(lambda: _initial(graph, np.random.default_rng(seed)))


def _initial(graph: Graph, generator: np.random.Generator) -> Arrays:
    return {
        f"{node.name}/{key}": _initial_array(node.layer, key, shape, generator)
        for node in graph.nodes
        for key, shape in node.weights().items()
    }


def _initial_array(layer: Layer, key: str, shape: tuple[int, ...], generator: np.random.Generator) -> np.ndarray:
    if not key.endswith("kernel"):
        return np.full(shape, layer.initial.get(key, 0), np.float32)
    window = int(np.prod(shape[:-2]))
    limit = np.float32((6 / (window * (shape[-2] + shape[-1]))) ** 0.5)
    kernel = generator.random(shape, np.float32)
    kernel *= 2 * limit
    kernel -= limit
    return kernel


def _identity(path: Path) -> Identity:
    if not path.is_file():
        return Identity(str(path), "missing")
    state = path.stat()
    return Identity(str(path.resolve()), f"{state.st_size} {state.st_mtime_ns} {state.st_ctime_ns} {state.st_ino}")
