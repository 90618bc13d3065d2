"""Accuracy against the number of photos of each class, by each method, over many draws of the photos."""

import time
from collections.abc import Iterator
from functools import partial
from itertools import product

from hati.transfer.finetuning import finetune

from .measuring import Figures, Job
from .plan import METHODS
from .running import Run, cache_at
from .seeing import Sight, drawn, flowers_of


def jobs(run: Run) -> Iterator[Job]:
    """The quick methods first; of each, every point gets a draw before any gets its second."""
    for method, draw, count in product(METHODS, range(run.effort.draws), run.effort.counts):
        yield Job(f"curve/{method}/{count}/{draw}", partial(point, run, method, count, draw))


def point(run: Run, method: str, count: int, draw: int) -> Figures:
    with cache_at(run.work / "cache"):
        flowers = flowers_of(run.photos)
        start = time.perf_counter()
        accuracy = (_finetuned if method == "finetune" else _headed)(flowers, method, count, draw)
        return {"accuracy": accuracy, "seconds": time.perf_counter() - start}


def _headed(flowers: Sight, method: str, count: int, draw: int) -> float:
    return flowers.accuracy(flowers.head(method, drawn(flowers.train.numbers, count, draw)))


def _finetuned(flowers: Sight, _: str, count: int, draw: int) -> float:
    """From the probe's head, to the last epoch: no photo is spent on choosing one."""
    places = drawn(flowers.train.numbers, count, draw)
    head = flowers.head("probe", places)
    found = finetune(flowers.body, head, flowers.train.take(places), seed=draw, device="cpu", verbose=0)
    seen = found.body.see(flowers.validation.photos, verbose=0)
    said = found.head.scores(seen.first).argmax(1)
    return float((said == flowers.validation.numbers).mean())
