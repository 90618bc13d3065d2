"""What is exported, and what every format of file can do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Literal, Protocol, cast

import numpy as np

from ..engines import Precision as Precision
from ..engines.quantisation import Quantisation
from ..errors import ArgumentError
from ..model import Model, lazy_weights
from ..network.graph import Graph
from ..network.layers import known
from ..network.passes import Arrays, with_input
from ..preprocessing import Normalisation
from ..preprocessing.as_layers import on_pixels, on_rgb
from ..tools.arrays import Array

Run = Callable[[Array], Array]  # pixels (photos, height, width, 3) uint8 -> (photos, classes) float32

Numbers = Literal["float32", "int8", "uint8"]
FORMATS = ("tflite", "onnx", "openvino", "torch", "coreml")  # each a module beside this one


@dataclass(frozen=True)
class Order:
    """A model, and how it shall be written.

    `numbers` are those that the file takes and gives. With `pixels` it takes RGB from 0 to 255, as they are in a photo,
    and its first layer is the preprocessing; without, whoever runs it preprocesses, in RGB. `opset` is that of ONNX,
    `quantisation` is what int8 needs.
    """

    model: Model
    precision: Precision = "float32"
    numbers: Numbers = "float32"
    pixels: bool = False
    opset: int | None = None
    quantisation: Quantisation | None = None
    keep: tuple[str, ...] = ()  # layers that stay in float where others are in int8

    @cached_property
    def network(self) -> tuple[Graph, Arrays, Normalisation]:
        """The graph and arrays to write, for pictures of the model's size, and what is done to pixels before them."""
        model = self.model
        graph = with_input(model.graph, (*model.size, known(model.graph.input.shape[-1:])[0]))
        graph, arrays, normalisation = on_rgb(graph, lazy_weights(model).arrays(), model.normalisation)
        if not self.pixels:
            return graph, arrays, normalisation
        return *on_pixels(graph, arrays, normalisation), Normalisation()

    def fed(self, pixels: Array) -> Array:
        """Pixels as the file takes them, in float32."""
        _, _, normalisation = self.network
        return np.ascontiguousarray(normalisation(pixels), np.float32)


class Format(Protocol):
    """One format of file. Each module of `FORMATS` is one: its functions are these."""

    name: str  # by which it is asked for
    ending: str  # of its files' names, such as ".tflite"
    precisions: tuple[Precision, ...]
    numbers: tuple[Numbers, ...]
    package: str  # without which it can be neither written nor run, as it is imported
    install: str  # the command that brings that package
    ALONE: str  # a script that runs the file it is given, with nothing but the format's runtime

    def check(self, order: Order) -> None:
        """Raises ArgumentError for a network or an order that it has no rule for, naming every layer at once."""

    def calibrated(self, order: Order, pixels: Array) -> Quantisation:
        """What int8 needs, from photos (photos, height, width, 3) uint8."""

    def taken(self, order: Order) -> Numbers:
        """The numbers that the file takes; those it gives are the order's."""

    def write(self, order: Order, path: Path) -> None:
        """The file, and whatever files belong beside it."""

    def opened(self, path: Path, order: Order, threads: int) -> Run:
        """The written file, run by the format's own runtime."""

    def operators(self, path: Path) -> Counter[str]:
        """How often each operator stands in a written file, by the format's own names."""


def find(name: str) -> Format:
    """A format by its name. Raises ArgumentError for another name, or where its package is not installed."""
    if name not in FORMATS:
        raise ArgumentError(f"there is no format {name!r}; it can be {', '.join(FORMATS)}")
    found = cast(Format, import_module(f".{name}", __package__))
    if find_spec(found.package) is None:
        raise ArgumentError(f"{name} needs the package {found.package}: {found.install}")
    return found


def check(found: Format, order: Order) -> None:
    """Refuse what a format cannot do, before anything is computed."""
    for what, chosen, possible in (
        ("precision", order.precision, found.precisions),
        ("io", order.numbers, found.numbers),
    ):
        if chosen not in possible:
            raise ArgumentError(
                f"{found.name} cannot be written with {what} {chosen!r}; it can be {', '.join(possible)}"
            )
    if order.numbers != "float32" and order.precision != "int8":
        raise ArgumentError(f"io is {order.numbers!r}, which is for precision 'int8'; this is {order.precision!r}")
    if order.opset is not None and found.name != "onnx":
        raise ArgumentError(f"opset is {order.opset}, which is for ONNX; leave it out")
    found.check(order)
