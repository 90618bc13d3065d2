"""The labelled photos as a model sees them, parted into those to calibrate on and those to check with."""

import csv
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache, cached_property
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from hati import photos
from hati.engines.quantisation import Quantisation
from hati.exporting import tflite
from hati.exporting.formats import Order
from hati.exporting.gate import expected, in_batches
from hati.model import Model

from .plan import CALIBRATING, Photos

Array = np.ndarray


@dataclass(frozen=True)
class Sight:
    model: Model
    pixels: Array  # (photos, height, width, 3) uint8
    truth: Array  # (photos,) the number of each one's class

    @cached_property
    def expected(self) -> Array:
        """The model's own scores."""
        return expected(self.model, self.pixels)

    @cached_property
    def order(self) -> Order:
        return Order(self.model, "int8", "uint8", pixels=True)

    def calibrated(self, places: Array) -> Order:
        return replace(self.order, quantisation=tflite.calibrated(self.order, self.pixels[places]))

    def agreement(self, scores: Array, places: Array) -> float:
        return float((scores.argmax(1) == self.expected[places].argmax(1)).mean())

    def accuracy(self, scores: Array, places: Array) -> float:
        return float((scores.argmax(1) == self.truth[places]).mean())


@cache
def sight(source: Photos, name: str) -> Sight:
    model = source.load(name)
    with (source.labelled / "labels.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    pixels = [model.preprocessing.resize(photos.read(source.labelled / row["file"]), model.size) for row in rows]
    return Sight(model, np.stack(pixels), np.array([int(row["index"]) for row in rows]))


def parted(count: int, seed: int) -> tuple[Array, Array]:
    """Places to calibrate on, and the others."""
    mixed = np.random.default_rng(seed).permutation(count)
    return mixed[:CALIBRATING], mixed[CALIBRATING:]


def scores(order: Order, pixels: Array) -> Array:
    """Of the file that an order makes, by LiteRT."""
    return written(order, lambda path: in_batches(tflite.opened(path, order, threads=2), pixels))


def written(order: Order, use: Callable[[Path], Array]) -> Array:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "model.tflite"
        tflite.write(order, path)
        return use(path)


def without_corrections(order: Order) -> Order:
    assert order.quantisation is not None
    return replace(order, quantisation=replace(order.quantisation, corrections={}))


def by_method(seen: Sight, places: Array, method: str) -> Quantisation:
    """The ranges of one method, whichever is best."""
    from hati.int8 import calibration
    from hati.network.passes.small_devices import for_devices

    graph, arrays, normalisation = seen.order.network
    graph, arrays = for_devices(graph, arrays)
    batches = (seen.order.fed(seen.pixels[places[start : start + 2]]) for start in range(0, len(places), 2))
    observed = calibration.observe_layers(graph, arrays, batches)
    picture = normalisation.lowest, normalisation.highest
    [known] = (one for one in calibration.METHODS if one == method)
    return calibration.quantisation_for_devices(graph, arrays, observed, picture, known)
