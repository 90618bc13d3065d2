"""The goals: `hati train` as people call it, a new process with an empty cache each time."""

from collections.abc import Iterator
from functools import partial

import hati

from .measuring import Figures, Job
from .plan import SETS
from .running import Run, cache_at


def jobs(run: Run) -> Iterator[Job]:
    """`auto` once: where fine-tuning pays, it takes as long as that."""
    yield _job(run, "hymenoptera", "auto", 0)
    for seed in range(run.effort.rounds):
        for name in SETS:
            yield _job(run, name, "probe", seed)
    for seed in range(run.effort.seeds):
        for name in SETS:
            yield _job(run, name, "finetune", seed)


def _job(run: Run, name: str, method: str, seed: int) -> Job:
    return Job(f"commands/{name}/{method}/{seed}", partial(train, run, name, method, seed))


def train(run: Run, name: str, method: str, seed: int) -> Figures:
    """Seconds to the written model, and the accuracy that is written in it."""
    chosen = () if method == "auto" else ("--method", method)
    with run.empty_folder() as folder:
        out = folder / "model.safetensors"
        found = run.hati(
            folder,
            *("train", str(run.photos.train(name)), "--validate", str(run.photos.val(name))),
            *(*chosen, "--seed", str(seed), "--out", str(out)),
        )
        with cache_at(folder):
            taught = hati.load(out).taught
        assert taught is not None
        assert taught.provenance.score is not None
        return found | {"accuracy": taught.provenance.score.accuracy, "method": taught.provenance.method}
