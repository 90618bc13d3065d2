"""Runs small models in int8 on this machine, and keeps what was measured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, astuple, dataclass, replace
from functools import cached_property, partial
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from ... import __version__
from ...engines.quantisation import Quantisation
from ...exporting import tflite
from ...exporting.formats import Order
from ...exporting.gate import expected, in_batches
from ...exporting.trial import Photos, gathered, samples
from ...int8 import calibration
from ...int8.agreement import Agreement, agreeing
from ...loading import ModelCard, load
from ...network.passes.small_devices import for_devices
from ...tools.arrays import Array
from ...tools.machine import machine
from ...tools.measurement_cache import MeasurementCache
from ...tools.measuring import Spread, Work, side_by_side

SECONDS = 0.5  # of timing, for each model
TOGETHER = 6  # models side by side
PICTURES = 2  # that ranges are taken from where no answer matters


@dataclass(frozen=True)
class Int8Benchmark:
    runtime: str
    fresh: bool = False  # measure again what was measured before

    def latency(self, name: str) -> Spread | None:
        """What was measured before, and may serve."""
        return None if self.fresh else self._cache.kept_time(f"{name}.latency")

    def latencies(self, names: Sequence[str]) -> dict[str, Spread]:
        """Seconds for one picture, on one thread, taken in turns; of files with random weights."""
        with TemporaryDirectory() as folder:
            works = {name: _work(name, Path(folder)) for name in names}
            times = side_by_side(works, seconds=SECONDS)
            works.clear()  # no file is open any more when its folder goes
        for name, spread in times.items():
            self._cache.keep_time(f"{name}.latency", spread)
        return times

    def agreement(self, card: ModelCard) -> Agreement | None:
        """What was measured before with these weights."""
        kept = self._cache.kept(f"{card.name}.agreement")
        try:
            told = kept["found"] | {"interval": tuple(kept["found"]["interval"])}
            return Agreement(**told) if kept["weights"] == card.weights.checksum else None
        except (TypeError, KeyError):
            return None

    def compare(self, card: ModelCard, photos: Photos) -> Agreement:
        """With the model's own weights: calibrated on a part of the photos, measured with the others."""
        model = load(card.name)
        trial = gathered(model, photos, None, verbose=0)
        order = Order(model, "int8", "uint8", pixels=True)
        order = replace(order, quantisation=tflite.calibrated(order, trial.calibrating))
        with TemporaryDirectory() as folder:
            path = Path(folder) / "small.tflite"
            tflite.write(order, path)
            scores = in_batches(tflite.opened(path, order, threads=2), trial.checking)
        share, interval = agreeing(expected(model, trial.checking), scores)
        found = Agreement(share, interval, len(trial.checking), len(trial.calibrating), f"measured here on {photos}")
        self._cache.keep(f"{card.name}.agreement", {"weights": card.weights.checksum, "found": asdict(found)})
        return found

    @cached_property
    def _cache(self) -> MeasurementCache:
        return MeasurementCache((astuple(machine()), __version__, self.runtime))


def _work(name: str, folder: Path) -> Work:
    """One picture of noise through an int8 file of a model, whose weights and ranges need not be good ones."""
    model = load(name, None)
    order = Order(model, "int8", "uint8", pixels=True)
    pixels = np.stack([model.preprocessing.resize(view, model.size) for view in islice(samples(), PICTURES)])
    path = folder / f"{name}.tflite"
    tflite.write(replace(order, quantisation=_rough(order, pixels)), path)
    return partial(tflite.opened(path, order, threads=1), pixels[:1])


def _rough(order: Order, pixels: Array) -> Quantisation:
    network, weights, normalisation = order.network
    graph, arrays = for_devices(network, weights)
    seen = calibration.observe_layers(graph, arrays, [order.fed(pixels)])
    picture = normalisation.lowest, normalisation.highest
    return calibration.quantisation_for_devices(graph, arrays, seen, picture, "extremes")
