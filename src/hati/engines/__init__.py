"""What computes: the same graph and weights, each engine by rules of its own, one for each kind of layer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    import numpy as np

    from ..network.graph import Graph
    from ..weights import Weights


Device = Literal["cpu", "cuda"]
Precision = Literal["float32", "float16", "int8"]


class Session(Protocol):
    """A graph that is ready to run. Calls from several threads may overlap."""

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """x: (batch, height, width, channels) float32, in one piece of memory -> the graph's output, float32."""


class Engine(Protocol):
    """Makes sessions."""

    @property
    def device(self) -> str:
        """Where it computes: a Device, or one of several GPUs such as "cuda:1"."""

    @property
    def precision(self) -> Precision:
        """In which numbers."""

    def cached(self, graph: Graph, weights: Weights) -> Session | None:
        """The session, where it can be had without reading the weights."""

    def session(self, graph: Graph, weights: Weights) -> Session: ...

    def shared(self) -> Engine:
        """The same engine for sessions that several threads call at once, each to have a core of its own."""
