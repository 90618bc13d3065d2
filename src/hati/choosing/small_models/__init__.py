"""The catalog's models that are small in int8: what each takes, what it costs, how well it keeps its answers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from importlib.util import find_spec
from os import PathLike

from ...errors import WeightsError
from ...exporting import formats
from ...int8.agreement import Agreement, shipped
from ...loading import ModelCard, list_models
from ...tools.extras import brings
from ...tools.machine import Machine, machine
from ...tools.measuring import Spread, stamp
from ...tools.pipeline import batches
from ...tools.progress import Verbose, track
from ..reasons import busy
from .benchmark import TOGETHER, Int8Benchmark
from .counting import counted

__all__ = ["Agreement", "SmallModel", "SmallModels", "small_models"]

LARGEST = 10e6  # bytes of int8
PACKAGE, DISTRIBUTION = "ai_edge_litert", "ai-edge-litert"


@dataclass(frozen=True)
class SmallModel:
    name: str
    megabytes: float  # of its int8 file: weights, biases and scales, counted from its graph
    multiply_adds: int  # for one picture, counted from its graph
    size: int  # of its square picture, in pixels
    published: float | None  # top-1 of the float model on ImageNet's validation pictures, percent
    on_this_machine: bool  # its weights
    agreement: Agreement | None = None  # None: not measured
    latency: Spread | None = None  # seconds for one picture in int8, on one thread; None: not measured

    def __repr__(self) -> str:
        latency = f", {self.latency.milliseconds(2)} ms" if self.latency else ""
        costs = f"{self.megabytes:.2f} MB, {self.multiply_adds / 1e6:,.1f} M multiply-adds"
        return f"<SmallModel {self.name}: {costs}{latency}>"


@dataclass(frozen=True)
class SmallModels:
    models: tuple[SmallModel, ...]  # the smallest first
    machine: Machine  # that latencies are of
    runtime: str | None  # that they were taken with; None where it is not installed
    notes: tuple[str, ...]  # what else should be known
    asked: str = field(compare=False)  # when, as ISO 8601 writes it; a latency that was taken before was kept

    def __repr__(self) -> str:
        ends = [f"{one.name} ({one.megabytes:.2f} MB)" for one in self.models]
        return f"<SmallModels: {len(ends)} models, {' to '.join(dict.fromkeys(ends[:1] + ends[-1:]))}>"


def small_models(
    *, calibrate: str | PathLike[str] | None = None, fresh: bool = False, verbose: Verbose = "auto"
) -> SmallModels:
    """Every model of the catalog whose int8 TFLite file is under 10 MB.

    Latency is measured on this machine when it is first asked for, and kept with its date; it is measured again where
    it is 30 days old or something else kept the machine busy meanwhile, or `fresh` figures are asked for. Random
    weights serve, which are as fast. Agreement is what was measured here before, or what came with hati. With a
    folder of photos to `calibrate` on it is measured now, for each model whose weights are here: a third of them, 128
    at most, calibrate, and the others measure.

    Raises ArgumentError for a folder with too few photos, or where LiteRT is not installed and photos are given.
    """
    asked = stamp()
    cards = {card.name: card for card in list_models()}
    found = {name: small for name, card in cards.items() if (small := _small(card))}
    if calibrate is not None:
        formats.find("tflite")
    if find_spec(PACKAGE) is None:
        lack = f"latency is not measured: LiteRT, which runs such files, is not installed: {brings('tflite')}"
        return SmallModels(_sorted(found), machine(), None, (lack,), asked)
    runtime = f"LiteRT {version(DISTRIBUTION)}"
    benchmark = Int8Benchmark(runtime, fresh)
    found |= _timed(found, benchmark, verbose)
    notes = [*busy({name: one.latency for name, one in found.items()})]
    if calibrate is not None:
        here = [cards[name] for name, one in found.items() if one.on_this_machine]
        compared = track(here, len(here), "compare", verbose)
        notes += [note for card in compared for note in _compare(card, calibrate, benchmark)]
    for name, one in found.items():
        found[name] = replace(one, agreement=benchmark.agreement(cards[name]) or one.agreement)
    return SmallModels(_sorted(found), machine(), runtime, tuple(notes), asked)


def _small(card: ModelCard) -> SmallModel | None:
    """None for a model that is too large; every parameter takes a byte or more."""
    if card.parameters >= LARGEST:
        return None
    sizes = counted(card.name)
    if sizes.bytes >= LARGEST:
        return None
    return SmallModel(
        name=card.name,
        megabytes=sizes.bytes / 1e6,
        multiply_adds=sizes.multiply_adds,
        size=card.size,
        published=card.top1,
        on_this_machine=card.on_this_machine,
        agreement=shipped().get(card.name),
    )


def _timed(found: dict[str, SmallModel], benchmark: Int8Benchmark, verbose: Verbose) -> dict[str, SmallModel]:
    times = {name: spread for name in found if (spread := benchmark.latency(name))}
    together = list(batches([name for name in found if name not in times], TOGETHER))
    for group in track(map(benchmark.latencies, together), len(together), "measure", verbose):
        times |= group
    return {name: replace(one, latency=times[name]) for name, one in found.items()}


def _compare(card: ModelCard, photos: str | PathLike[str], benchmark: Int8Benchmark) -> Iterator[str]:
    """Measured and kept; why not, where its weights cannot serve."""
    try:
        benchmark.compare(card, photos)
    except WeightsError as error:
        yield f"{card.name}: not compared: {error}"


def _sorted(found: dict[str, SmallModel]) -> tuple[SmallModel, ...]:
    return tuple(sorted(found.values(), key=lambda one: (one.megabytes, one.multiply_adds)))
