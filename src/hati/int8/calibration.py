"""From pictures to a quantisation: what numbers a network really has, and what rounding takes from them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from ..engines.quantisation import BITS, LEVELS, Quantisation, Range, Rounding, bias_correction, with_shared_ranges
from ..network.graph import Graph
from ..tools.arrays import Array

if TYPE_CHECKING:
    import onnx

Method = Literal["extremes", "percentile", "least squares"]

BINS = 4096
SEEN = 20_000  # numbers of one value in one batch that go into its histogram
OUTLIERS = 1e-4  # the part of all numbers that `percentile` cuts off at each end
SMALLEST = 1e-9  # probability that is told from 0,
SMALLEST_BYTE = 1 / 512  # and where probabilities have eight bits
CLIPS = [number / 50 for number in range(10, 51)]  # of an end of the range, that `least_squares` tries


@dataclass
class Observed:
    """What one value of a network was over all pictures; its memory does not grow with them."""

    low: float = 0.0
    high: float = 0.0
    reach: float = 0.0  # the histogram's bins go from -reach to reach
    counts: Array = field(default_factory=lambda: np.zeros(BINS))
    pictures: int = 0
    total: Array | float = 0.0  # the sum of pictures' means, by channel

    def add(self, x: Array) -> None:
        """x: (batch, channels, …)."""
        low, high = float(x.min()), float(x.max())
        self.low, self.high = min(self.low, low), max(self.high, high)
        self._count(x.reshape(-1)[:: max(1, x.size // SEEN)], max(-low, high))
        self.total = self.total + x.mean(tuple(range(2, x.ndim)), dtype=np.float64).sum(0)
        self.pictures += len(x)

    @property
    def means(self) -> Array:
        return np.asarray(self.total) / self.pictures

    @property
    def numbers(self) -> tuple[Array, Array]:
        """The middles of the bins that hold any, and how many they hold."""
        [used] = self.counts.nonzero()
        return (used + 0.5) * (2 * self.reach / BINS) - self.reach, self.counts[used]

    def _count(self, sample: Array, largest: float) -> None:
        if not self.reach:
            self.reach = largest
        while self.reach < largest:
            self._widen()
        if self.reach:
            bins = ((sample + self.reach) * (BINS / (2 * self.reach))).astype(np.int32)
            self.counts += np.bincount(np.clip(bins, 0, BINS - 1), minlength=BINS)

    def _widen(self) -> None:
        """Twice the reach: two bins become one."""
        edge = np.zeros(BINS // 4)
        self.counts = np.concatenate([edge, self.counts.reshape(-1, 2).sum(1), edge])
        self.reach *= 2


def extremes(seen: Observed) -> Range:
    return seen.low, seen.high


def percentile(seen: Observed) -> Range:
    """All but one number in ten thousand at each end."""
    x, counts = seen.numbers
    if not len(x):
        return extremes(seen)
    shares = counts.cumsum() / counts.sum()
    low, high = x[np.searchsorted(shares, [OUTLIERS, 1 - OUTLIERS])]
    return max(min(0.0, float(low)), seen.low), min(max(0.0, float(high)), seen.high)


def least_squares(seen: Observed) -> Range:
    """The range that loses the least: numbers cut off at its ends and numbers rounded within it, squared."""
    x, counts = seen.numbers

    def loss(ends: Range) -> float:
        step = (ends[1] - ends[0]) / LEVELS
        cut = x - np.clip(x, *ends)
        return float((counts * np.where(cut == 0, step**2 / 12, cut**2)).sum())

    low, high = extremes(seen)
    high = min(((low, seen.high * clip) for clip in CLIPS), key=loss)[1]
    return min(((seen.low * clip, high) for clip in CLIPS), key=loss)


METHODS: dict[Method, Callable[[Observed], Range]] = {
    "extremes": extremes,
    "percentile": percentile,
    "least squares": least_squares,
}


def observe(graph: Graph, arrays: Mapping[str, Array], batches: Iterable[Array]) -> dict[str, Observed]:
    """Every value that integers can stand for in ONNX, over batches of preprocessed pictures.

    graph, arrays: as `passes.for_inference` leaves them.
    """
    from ..engines.onnx.integers import values_of
    from ..engines.onnx.translation import export

    model = export(graph, arrays)
    return _observed(model, values_of(model), batches)


def observe_layers(graph: Graph, arrays: Mapping[str, Array], batches: Iterable[Array]) -> dict[str, Observed]:
    """What every layer gives, over batches of preprocessed pictures."""
    from ..engines.onnx.translation import export, value_name

    values = {value_name(node.name): node.name for node in graph.nodes}
    observed = _observed(export(graph, arrays), list(values), batches)
    return {values[name]: seen for name, seen in observed.items()}


def _observed(model: onnx.ModelProto, names: list[str], batches: Iterable[Array]) -> dict[str, Observed]:
    observed = {name: Observed() for name in names}
    for values in _values(model, names, batches) if names else ():
        for name, value in zip(names, values, strict=True):
            observed[name].add(value)
    return observed


def quantisation_from(
    graph: Graph,
    arrays: Mapping[str, Array],
    observed: Mapping[str, Observed],
    method: Method = "extremes",
    bits: int = BITS,
) -> Quantisation:
    """Ranges by a method, and biases corrected for what rounding the weights shifts on the average."""
    from ..engines.onnx.integers import roundings
    from ..engines.onnx.translation import export

    ranges = {name: METHODS[method](seen) for name, seen in observed.items()}
    plain = Quantisation(with_shared_ranges(graph, ranges), bits=bits)
    return _corrected(plain, roundings(export(graph, arrays), plain), observed)


def quantisation_for_devices(
    graph: Graph, arrays: Mapping[str, Array], observed: Mapping[str, Observed], picture: Range, method: Method
) -> Quantisation:
    """The same for TFLite; `picture` is the range of the numbers that come in.

    graph, arrays: as `passes.devices.for_devices` leaves them.
    """
    from ..engines.tflite.integers import BITS, roundings

    ranges = {name: METHODS[method](seen) for name, seen in observed.items()} | {graph.input.name: picture}
    plain = Quantisation(ranges, bits=BITS)
    return _corrected(plain, roundings(graph, arrays, plain), observed)


def _corrected(plain: Quantisation, roundings: Iterable[Rounding], observed: Mapping[str, Observed]) -> Quantisation:
    corrections = {
        one.name: bias_correction(one.kernel, one.rounded, observed[one.source].means, one.groups) for one in roundings
    }
    return replace(plain, corrections={name: tuple(found.tolist()) for name, found in corrections.items()})


def calibrated(
    graph: Graph,
    arrays: Mapping[str, Array],
    batches: Iterable[Array],
    learnt: Array,
    scores: Callable[[Quantisation], Array],
    bits: int = BITS,
) -> Quantisation:
    """By the method that changes the scores of calibration pictures least.

    batches: those pictures, preprocessed; learnt: their scores in float; `scores` gives them by a quantisation.
    """
    observed = observe(graph, arrays, batches)
    tried = [quantisation_from(graph, arrays, observed, method, bits) for method in METHODS]
    return least_changing(tried, learnt, scores)


def least_changing(
    tried: Iterable[Quantisation], learnt: Array, scores: Callable[[Quantisation], Array], smallest: float = SMALLEST
) -> Quantisation:
    """The one whose scores of calibration pictures are nearest to those in float."""
    return min(tried, key=lambda one: distance(learnt, scores(one), smallest))


def distance(expected: Array, scores: Array, smallest: float = SMALLEST) -> float:
    """The mean squared change of scores, of probabilities that of their logarithms: what it was before the softmax.

    Probabilities below the smallest one count as that: so small a one in eight bits is 0, whatever it was.
    """
    if expected.min() >= 0 and np.allclose(expected.sum(1), 1, atol=1e-3):
        expected, scores = (np.log(np.maximum(x, smallest)) for x in (expected, scores))
    change = scores - expected
    return float(((change - change.mean(1, keepdims=True)) ** 2).mean())


def _values(model: onnx.ModelProto, names: list[str], batches: Iterable[Array]) -> Iterator[list[Array]]:
    """What the named values of a model are, batch by batch."""
    import onnxruntime
    from onnx import helper

    del model.graph.output[:]
    model.graph.output.extend(helper.make_empty_tensor_value_info(name) for name in names)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4  # what fails is raised as well
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    for batch in batches:
        yield session.run(names, {"image": batch})
