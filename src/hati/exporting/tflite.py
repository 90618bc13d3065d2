"""`--to tflite`: for LiteRT on phones and small boards, for Coral's Edge TPU, for TFLite Micro on microcontrollers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..engines.quantisation import Quantisation, Range
from ..errors import ArgumentError
from ..labels import check_lines
from ..network.graph import Graph
from ..network.passes import Arrays
from ..network.passes.small_devices import for_devices
from ..tools.arrays import Array
from ..tools.extras import brings
from .described import licence
from .formats import Numbers, Order, Precision, Run

if TYPE_CHECKING:
    from ..engines.tflite.file.metadata import Told
    from ..engines.tflite.file.program import Program
    from ..engines.tflite.running import TFLiteSession


name = "tflite"
ending = ".tflite"
precisions: tuple[Precision, ...] = ("float32", "float16", "int8")
numbers: tuple[Numbers, ...] = ("float32", "int8", "uint8")
package, install = "ai_edge_litert", brings("tflite")
ALONE = """
import sys
import numpy
from ai_edge_litert.interpreter import Interpreter
network = Interpreter(sys.argv[1], num_threads=1)
network.allocate_tensors()
picture = network.get_input_details()[0]
network.set_tensor(picture["index"], numpy.zeros(picture["shape"], picture["dtype"]))
network.invoke()
"""

OBSERVING = 2  # photos at a time whose every value is looked at


def check(order: Order) -> None:
    from ..engines.tflite import translation

    check_lines(order.model.labels or (), "a TFLite file")
    graph, _ = _network(order)
    integers = order.precision == "int8"
    kept = kept_layers(order)
    told = Quantisation({graph.input.name: _picture(order)}, kept) if integers else None
    translation.check(graph, told, order.numbers)


def calibrated(order: Order, pixels: Array) -> Quantisation:
    """The ranges of the method that changes the scores of these photos least."""
    from ..int8 import calibration

    graph, arrays = _network(order)
    seen = calibration.observe_layers(graph, arrays, _batches(order, pixels))
    tried = [
        calibration.quantisation_for_devices(graph, arrays, seen, _picture(order), method)
        for method in calibration.METHODS
    ]
    learnt = order.model.predict(order.model.normalisation(pixels), verbose=0)

    def scores(one: Quantisation) -> Array:
        return _run(_session(replace(order, quantisation=one)), order)(pixels)

    return calibration.least_changing(tried, learnt, scores, calibration.SMALLEST_BYTE)


def taken(order: Order) -> Numbers:
    return order.numbers


def write(order: Order, path: Path) -> None:
    path.write_bytes(_file(order))


def opened(path: Path, order: Order, threads: int) -> Run:
    from ..engines.tflite.running import TFLiteSession

    return _run(TFLiteSession(path, threads=threads), order)


def operators(path: Path) -> Counter[str]:
    """As the runtime's own schema reads them."""
    from ..engines.tflite.file.reading import read

    return Counter(one.kind for one in read(path).operators)


def kept_layers(order: Order) -> tuple[str, ...]:
    """The nodes for devices that belong to the layers which stay in float. Raises ArgumentError for unknown ones."""
    graph, _ = _network(order)
    unknown = set(order.keep) - {node.name.partition("/")[0] for node in graph.nodes}
    if unknown:
        raise ArgumentError(f"{order.model.name} has no layer {', '.join(sorted(unknown))} that could stay in float")
    return tuple(node.name for node in graph.nodes if node.name.partition("/")[0] in order.keep)


def _network(order: Order) -> tuple[Graph, Arrays]:
    graph, arrays, _ = order.network
    return for_devices(graph, arrays)


def _picture(order: Order) -> Range:
    """Of the numbers that come in: a byte's, or what they are normalised to."""
    _, _, normalisation = order.network
    return normalisation.lowest, normalisation.highest


def _program(order: Order) -> Program:
    from ..engines.tflite import translation

    graph, arrays = _network(order)
    quantisation = order.quantisation
    return translation.export(
        graph,
        arrays,
        quantisation=quantisation.keeping(*kept_layers(order)) if quantisation else None,
        numbers=order.numbers,
        half=order.precision == "float16",
    )


def _file(order: Order) -> bytes:
    from ..engines.tflite.file.metadata import tables, with_labels

    told = _told(order)
    return with_labels(_program(order).file(tables(told)), told.labels)


def _session(order: Order) -> TFLiteSession:
    from ..engines.tflite.running import TFLiteSession

    return TFLiteSession(_program(order).file())


def _run(session: TFLiteSession, order: Order) -> Run:
    """What takes pixels, as whoever runs the file prepares them."""

    def run(pixels: Array) -> Array:
        match session.numbers:
            case "uint8":
                return session(pixels)
            case "int8":
                return session((pixels.astype(np.int16) - 128).astype(np.int8))
        return session(order.fed(pixels))

    return run


def _batches(order: Order, pixels: Array) -> Iterator[Array]:
    for start in range(0, len(pixels), OBSERVING):
        yield order.fed(pixels[start : start + OBSERVING])


def _told(order: Order) -> Told:
    from ..engines.tflite.file.metadata import Told

    model = order.model
    black, white = (order.fed(np.full((1, 1, 1, 3), value, np.uint8)).reshape(3) for value in (0, 255))
    if order.numbers != "float32":
        black, white = np.zeros(3), np.full(3, 255.0)
    deviation = 255 / (white.astype(np.float64) - black)
    return Told(
        name=model.name,
        description=_sentence(model.labels, order.precision),
        licence=licence(model) or "",
        size=model.size,
        mean=tuple((0 - black * deviation).tolist()),
        deviation=tuple(deviation.tolist()),
        takes_bytes=order.numbers != "float32",
        labels=tuple(label.name for label in model.labels) if model.labels is not None else None,
    )


def _sentence(labels: Sequence[object] | None, precision: Precision) -> str:
    what = f"Names what is in a photo, of {len(labels)} classes" if labels is not None else "Gives a photo's features"
    return f"{what}; {precision}, written by hati."
