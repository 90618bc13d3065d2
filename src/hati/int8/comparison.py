"""Measures one model in float and in integers, with a person's photos."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from ..engines.quantisation import BITS, Quantisation
from ..model import Model
from ..network.passes import for_inference
from ..tools.arrays import Array
from ..tools.machine import multiplies_bytes_exactly
from ..tools.measuring import Spread, side_by_side
from ..tools.progress import Verbose, track
from . import calibration
from .calibration_photos import CalibrationPhotos

if TYPE_CHECKING:
    from ..engines.onnx.running import OnnxSession


SECONDS = 2.0  # for measuring each of two latencies
RANKING = 16  # photos for finding the layers that hurt


class Comparison:
    """One model, folded, its photos, and whatever is measured with both."""

    def __init__(
        self, model: Model, arrays: Mapping[str, Array], photos: CalibrationPhotos, bits: int, verbose: Verbose
    ):
        self.model, self.photos, self._bits, self._verbose = model, photos, bits, verbose
        self.graph, self.arrays = for_inference(model.graph, arrays)
        self.float = self._in_float()
        self.learnt = self.scores(self.float, calibrating=True)
        self.expected = self.scores(self.float, calibrating=False)
        self.plain = self._calibrated()

    def session(self, quantisation: Quantisation) -> OnnxSession:
        from ..engines.onnx.integers import export_int8
        from ..engines.onnx.running import OnnxSession

        return OnnxSession(export_int8(self.graph, self.arrays, quantisation).SerializeToString())

    def scores(self, session: OnnxSession, *, calibrating: bool, most: int | None = None) -> Array:
        """What a network says of the pictures that it was calibrated on, or of the others."""
        edge = self.photos.calibrating
        start, end = (0, min(edge, most or edge)) if calibrating else (edge, None)
        return np.concatenate([session(batch) for batch in self.photos.batches(start, end, 8)])

    def hurts(self) -> dict[str, float]:
        """What each layer alone changes when it runs in integers, most first; on calibration pictures."""
        names = self.layers()
        found = {}
        for name in track(names, len(names), "looking for layers that hurt", self._verbose):
            alone = self.plain.keeping(*(other for other in names if other != name))
            scores = self.scores(self.session(alone), calibrating=True, most=RANKING)
            found[name] = calibration.distance(self.learnt[: len(scores)], scores)
        return dict(sorted(found.items(), key=lambda item: -item[1]))

    def layers(self) -> list[str]:
        """The layers with weights that run in integers."""
        return list(dict.fromkeys(name.partition("/")[0] for name in self.plain.corrections))

    def latencies(self, quantisation: Quantisation) -> dict[str, Spread]:
        """Of one picture through `predict`, in turns."""
        x = next(self.photos.batches(0, 1, 1))
        works = {"float": partial(self.float, x), "int8": partial(self.session(quantisation), x)}
        return side_by_side(works, seconds=SECONDS)

    def bytes_of(self, quantisation: Quantisation | None) -> int:
        from ..engines.onnx import integers, translation

        if quantisation is None:
            return integers.bytes_of(translation.export(self.graph, self.arrays))
        return integers.bytes_of(integers.export_int8(self.graph, self.arrays, quantisation))

    def _in_float(self) -> OnnxSession:
        from ..engines.onnx.running import OnnxSession
        from ..engines.onnx.translation import export

        return OnnxSession(export(self.graph, self.arrays).SerializeToString())

    def _calibrated(self) -> Quantisation:
        edge = self.photos.calibrating
        batches = track(self.photos.batches(0, edge, 2), -(-edge // 2), "calibrating", self._verbose)

        def scores(quantisation: Quantisation) -> Array:
            return self.scores(self.session(quantisation), calibrating=True)

        return calibration.calibrated(self.graph, self.arrays, batches, self.learnt, scores, self._bits)


def safe_bits() -> int:
    """8 where the processor adds products of bytes in 32 bits; 7 where it may have only 16 for two of them."""
    return 8 if multiplies_bytes_exactly() else BITS


def share_alike(expected: Array, scores: Array) -> float:
    return float((expected.argmax(1) == scores.argmax(1)).mean())
