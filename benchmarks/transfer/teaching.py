"""A class that comes later: `hati teach` as a new process, and how much its few photos say beside all of them."""

from collections.abc import Iterator
from functools import cache, partial

import numpy as np

import hati
from hati.model import Model
from hati.transfer.heads import Head, joined, parted

from .measuring import Figures, Job
from .plan import SHOTS, Photos
from .running import Run, cache_at
from .seeing import Sight, drawn, flowers_of

METHODS = ("imprint", "probe")


def jobs(run: Run) -> Iterator[Job]:
    for number in range(run.effort.rounds):
        for count in SHOTS:
            yield Job(f"teach/command/{count}/{number}", partial(command, run, count))
    for method in METHODS:
        yield Job(f"teach/{method}/all/0", partial(on_all, run, method))
        for count in SHOTS:
            for draw in range(run.effort.draws):
                yield Job(f"teach/{method}/{count}/{draw}", partial(on_few, run, method, count, draw))


def command(run: Run, count: int) -> Figures:
    """Seconds of a new process that adds the last class to a model of the others, in an empty cache."""
    with run.empty_folder() as folder, cache_at(run.work / "cache"):
        flowers = flowers_of(run.photos)
        number = len(flowers.train.classes) - 1
        path = folder / "model.safetensors"
        _without(run.photos, "probe", number).save(path)
        photos = [str(flowers.train.photos[i]) for i in np.flatnonzero(flowers.train.numbers == number)[:count]]
        return run.hati(folder / "cache", "teach", str(path), flowers.train.classes[number], *photos)


def on_all(run: Run, method: str) -> Figures:
    """Every class learnt at once, from all photos."""
    with cache_at(run.work / "cache"):
        flowers = flowers_of(run.photos)
        head = flowers.head(method, np.arange(len(flowers.train)))
        recalls = [_recall(flowers, head, flowers.train.classes, number) for number in range(len(head.means))]
        return {"accuracy": flowers.accuracy(head), "recall": float(np.mean(recalls))}


def on_few(run: Run, method: str, count: int, draw: int) -> Figures:
    """Each class in turn taught to a model of the others: the mean accuracy, and the mean recall of the new class."""
    with cache_at(run.work / "cache"):
        flowers = flowers_of(run.photos)
        found = [_taught(run.photos, method, number, count, draw) for number in range(len(flowers.train.classes))]
        accuracies, recalls = zip(*found, strict=True)
        return {"accuracy": float(np.mean(accuracies)), "recall": float(np.mean(recalls))}


def _taught(folder: Photos, method: str, number: int, count: int, draw: int) -> tuple[float, float]:
    flowers = flowers_of(folder)
    chosen = drawn(flowers.train.numbers, count, draw)
    photos = [flowers.train.photos[i] for i in chosen if flowers.train.numbers[i] == number]
    model = hati.teach(_without(folder, method, number), flowers.train.classes[number], photos)
    assert model.labels is not None
    _, head = parted(model)
    classes = tuple(label.name for label in model.labels)
    named = _said(flowers, head, classes) == flowers.validation.numbers
    return float(named.mean()), _recall(flowers, head, classes, number)


@cache
def _without(photos: Photos, method: str, number: int) -> Model:
    """A model of all classes but one."""
    others = flowers_of(photos).without(number)
    head = others.head(method, np.arange(len(others.train)))
    return joined(others.body, head, others.train.classes, others.provenance(method))


def _said(flowers: Sight, head: Head, classes: tuple[str, ...]) -> np.ndarray:
    """(photos,): the classes of the validation photos that a head says, numbered as the set does."""
    order = np.array([flowers.train.classes.index(name) for name in classes])
    return np.asarray(order[head.scores(flowers.validation_vectors).argmax(1)])


def _recall(flowers: Sight, head: Head, classes: tuple[str, ...], number: int) -> float:
    own = flowers.validation.numbers == number
    return float((_said(flowers, head, classes)[own] == number).mean())
