"""The gate: a written file is run by its own runtime beside the model that it comes from, and measured."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from ..engines.quantisation import Quantisation
from ..int8.calibration import SMALLEST_BYTE, distance
from ..tools.arrays import Array
from ..tools.measuring import Spread, likely_share, side_by_side
from ..tools.progress import Verbose, track
from .formats import Format, Order, Run

THREADS = (1, 2)  # with which a picture is timed
SECONDS = 1.0  # of timing, for each number of threads
PATIENCE = 300.0  # seconds for one run in a process of its own
RANKING = 16  # photos for finding the layers that hurt
STEPS = (1, 2, 3, 4, 6, 8, 12, 16)  # layers in float that are tried
BATCH = 8  # photos at a time
WITH_PEAK = """
import atexit, runpy, sys
def peak():
    try:
        lines = open("/proc/self/status").read().splitlines()
        print(next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")))
    except OSError:
        import resource
        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        print(most // 1024 if sys.platform == "darwin" else most)
atexit.register(peak)
"""


@dataclass(frozen=True)
class Measured:
    """What a written file did."""

    agreement: float  # of the names that the model puts first, the part that the file puts first too
    interval: tuple[float, float]  # where the true agreement lies, 95 times of 100 (Wilson, 1927)
    shift: float  # the most that a score changed
    photos: int  # that it was measured with
    bytes: int  # of all its files
    latency: dict[int, Spread]  # of one picture, by the number of threads
    memory: int | None  # bytes at the most of a process that runs it once; None where that could not be told
    operators: dict[str, int]  # the most frequent first


def measured(found: Format, path: Path, order: Order, pixels: Array, expected: Array) -> Measured:
    """pixels: (photos, height, width, 3) uint8, none of which was calibrated with; expected: (photos, classes)."""
    runs = {threads: found.opened(path, order, threads) for threads in THREADS}
    scores = in_batches(runs[THREADS[-1]], pixels)
    agreement, interval = (agreeing if order.model.labels is not None else cosines)(expected, scores)
    times = side_by_side({str(threads): partial(run, pixels[:1]) for threads, run in runs.items()}, seconds=SECONDS)
    return Measured(
        agreement=agreement,
        interval=interval,
        shift=float(np.abs(scores - expected).max()),
        photos=len(pixels),
        bytes=sum(part.stat().st_size for part in path.parent.rglob("*") if part.is_file()),
        latency={threads: times[str(threads)] for threads in THREADS},
        memory=memory(found.ALONE, path),
        operators=dict(found.operators(path).most_common()),
    )


def agreeing(expected: Array, scores: Array) -> tuple[float, tuple[float, float]]:
    """The part of photos that both name alike, and between what parts the true one likely lies."""
    alike = int((scores.argmax(1) == expected.argmax(1)).sum())
    return alike / len(scores), likely_share(alike, len(scores))


def cosines(expected: Array, vectors: Array) -> tuple[float, tuple[float, float]]:
    """Of the angles between features, which have no names: the mean cosine, the least and the largest."""
    lengths = np.linalg.norm(expected, axis=1) * np.linalg.norm(vectors, axis=1)
    found = (expected * vectors).sum(1) / np.maximum(lengths, np.finfo(np.float32).tiny)
    return float(found.mean()), (float(found.min()), float(found.max()))


def in_batches(run: Run, pixels: Array) -> Array:
    return np.concatenate([run(pixels[start : start + BATCH]) for start in range(0, len(pixels), BATCH)])


def memory(script: str, path: Path) -> int | None:
    """The most bytes that a new process has which does nothing but run the file once."""
    command = [sys.executable, "-c", WITH_PEAK + script, str(path)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=True)
        return int(done.stdout.split()[-1]) * 1024
    except (subprocess.SubprocessError, OSError, ValueError, IndexError):
        return None


@dataclass(frozen=True)
class Hurting:
    """Finds what int8 costs layer by layer, with photos that were calibrated with."""

    found: Format
    order: Order
    pixels: Array
    learnt: Array  # the model's scores of these photos
    folder: Path  # for files that are run once

    @property
    def quantisation(self) -> Quantisation:
        assert self.order.quantisation is not None, "only int8 has layers that hurt"
        return self.order.quantisation

    def ranked(self, verbose: Verbose) -> dict[str, float]:
        """What each layer alone changes in integers, most first: the mean squared change of log-probabilities."""
        names = self.found.layers(self.quantisation)
        pixels, learnt = self.pixels[:RANKING], self.learnt[:RANKING]
        hurts = {}
        for name in track(names, len(names), "looking for layers that hurt", verbose):
            others = tuple(other for other in names if other != name)
            hurts[name] = distance(learnt, self._scores(others, pixels), SMALLEST_BYTE)
        return dict(sorted(hurts.items(), key=lambda item: -item[1]))

    def enough(self, floor: float, hurts: dict[str, float]) -> tuple[str, ...] | None:
        """The fewest layers, of those that hurt most, that reach the floor once they are in float; None if none do."""
        for kept in self._prefixes(tuple(hurts)):
            scores = self._scores(kept, self.pixels)
            if agreeing(self.learnt, scores)[0] >= floor:
                return kept
        return None

    def _prefixes(self, names: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
        return (names[:count] for count in STEPS if count < len(names))

    def _scores(self, kept: tuple[str, ...], pixels: Array) -> Array:
        order = replace(self.order, keep=kept)
        path = self.folder / f"trial{self.found.ending}"
        self.found.write(order, path)
        return in_batches(self.found.opened(path, order, THREADS[-1]), pixels)
