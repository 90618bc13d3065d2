"""The gate: a written file is run by its own runtime beside the model that it comes from, and measured."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from ..int8.agreement import agreeing
from ..int8.calibration import SMALLEST_BYTE
from ..int8.ranking import Kept, Ranking
from ..model import Model
from ..tools.arrays import Array
from ..tools.measuring import Spread, side_by_side
from .formats import Format, Order, Run

THREADS = (1, 2)  # with which a picture is timed
SECONDS = 1.0  # of timing, for each number of threads
PATIENCE = 300.0  # seconds for one run in a process of its own
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

    def __repr__(self) -> str:
        return f"<Measured with {self.photos} photos: agreement {self.agreement:.3f}. {self.costs}>"

    @property
    def costs(self) -> str:
        """What the file takes of a device, in a sentence."""
        spread = self.latency[THREADS[0]]
        return f"{self.bytes / 1e6:.2f} MB, {1000 * spread.median:.2f} ms for a picture on one thread."


def measured(found: Format, path: Path, order: Order, pixels: Array, right: Array) -> Measured:
    """pixels: (photos, height, width, 3) uint8, none of which was calibrated with; right: the model's own answers."""
    runs = {threads: found.opened(path, order, threads) for threads in THREADS}
    scores = in_batches(runs[THREADS[-1]], pixels)
    agreement, interval = (agreeing if order.model.labels is not None else cosines)(right, scores)
    times = side_by_side({str(threads): partial(run, pixels[:1]) for threads, run in runs.items()}, seconds=SECONDS)
    return Measured(
        agreement=agreement,
        interval=interval,
        shift=float(np.abs(scores - right).max()),
        photos=len(pixels),
        bytes=sum(part.stat().st_size for part in path.parent.rglob("*") if part.is_file()),
        latency={threads: times[str(threads)] for threads in THREADS},
        memory=memory(found.ALONE, path),
        operators=dict(found.operators(path).most_common()),
    )


def cosines(expected: Array, vectors: Array) -> tuple[float, tuple[float, float]]:
    """Of the angles between features, which have no names: the mean cosine, the least and the largest."""
    lengths = np.linalg.norm(expected, axis=1) * np.linalg.norm(vectors, axis=1)
    found = np.nan_to_num((expected * vectors).sum(1) / np.maximum(lengths, np.finfo(np.float32).tiny))
    return float(found.mean()), (float(found.min()), float(found.max()))


def expected(model: Model, pixels: Array) -> Array:
    """What the model itself says of pictures, which a file's answers are compared with."""
    return in_batches(lambda some: model.predict(model.normalisation(some), verbose=0), pixels)


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


def ranking(found: Format, order: Order, pixels: Array, learnt: Array, folder: Path) -> Ranking:
    """Of the layers in int8, by files that are written into a folder and run.

    pixels: (photos, height, width, 3) uint8, those that were calibrated with; learnt: the model's scores of them.
    """
    assert order.quantisation is not None, "only int8 has layers that hurt"

    def scores(kept: Kept, most: int) -> Array:
        tried, path = replace(order, keep=kept), folder / f"trial{found.ending}"
        found.write(tried, path)
        return in_batches(found.opened(path, tried, THREADS[-1]), pixels[:most])

    return Ranking(order.quantisation.layers, learnt, scores, SMALLEST_BYTE)
