"""Whole scripts in new processes, hati's and Keras' own recipe, on the same photos and weights, in turns."""

from collections.abc import Iterator
from functools import partial

from side_by_side.asking import PeerError
from side_by_side.peers import THREADS

from .measuring import Figures, Job, Results
from .plan import SETS
from .running import Run, own

PEERS = {"Keras on TensorFlow": "tensorflow", "Keras on PyTorch": "keras_torch"}
QUICKEST = "Keras on TensorFlow"  # the others where it cannot be installed
METHODS = ("imprint", "probe", "auto")
RANDOM, RANDOMS = "random MobileNetV2", ("probe",)  # a body whose time alone says something, and by which methods
ROUNDING = 1e-6  # of an accuracy that Keras counts in float32: much less than a photo


def jobs(run: Run) -> Iterator[Job]:
    """A B A B: what slows the machine for a while slows them all. The random body takes minutes, and runs once."""
    for number in range(run.effort.rounds):
        for name in SETS:
            yield from _turn(run, f"keras/{name}", number, str(run.photos.mobilenet), name, METHODS)
    yield from _turn(run, f"keras/{RANDOM}", 0, "random", SETS[0], RANDOMS)


def _turn(run: Run, group: str, number: int, body: str, name: str, methods: tuple[str, ...]) -> Iterator[Job]:
    photos = body, str(run.photos.train(name)), str(run.photos.val(name))
    for method in methods:
        yield Job(f"{group}/hati, {method}/{number}", partial(in_hati, run, method, photos))
    title = next((title for title, peer in PEERS.items() if peer not in run.missing), QUICKEST)
    yield Job(f"{group}/{title}/{number}", partial(in_keras, run, PEERS[title], photos))


def in_hati(run: Run, method: str, photos: tuple[str, ...]) -> Figures:
    with run.empty_folder() as folder:
        return run.recipe(own(folder), folder, "in_hati.py", *photos, method)


def in_keras(run: Run, peer: str, photos: tuple[str, ...]) -> Figures:
    if peer in run.missing:
        raise PeerError(run.missing[peer])
    with run.empty_folder() as folder:
        return run.recipe(run.peers[peer], folder, "in_keras.py", *photos, str(THREADS))


def as_accurate(found: float, other: float) -> bool:
    """Whether as many photos are named rightly, or more."""
    return found > other - ROUNDING


def first_reached(epochs: list[list[float]], accuracy: float) -> float | None:
    """Seconds after which a training's accuracy first reached another one; None where it never did."""
    return next((seconds for seconds, found in epochs if as_accurate(found, accuracy)), None)


def best_epoch(epochs: list[list[float]]) -> tuple[float, float]:
    """Seconds and accuracy of the first epoch that reached the best accuracy of all: the shortest run, in hindsight."""
    accuracy = max(found for _, found in epochs)
    seconds = first_reached(epochs, accuracy)
    assert seconds is not None, "the best of them reaches itself"
    return seconds, accuracy


def ways_of_hati(results: Results, group: str) -> list[str]:
    """The groups of hati's own runs beside Keras."""
    ways = (f"{group}/{way}" for way in results.children(group) if way not in PEERS)
    return [way for way in ways if results.under(way)]


def quickest_peer(results: Results, group: str) -> str | None:
    """The group of the quicker Keras; None where none was measured."""
    peers = (f"{group}/{peer}" for peer in PEERS if results.under(f"{group}/{peer}"))
    return min(peers, key=lambda peer: results.middle(peer, "seconds"), default=None)


def to_accuracy(results: Results, group: str, accuracy: float) -> list[float]:
    """Seconds of each run until it reached an accuracy, or to its end."""
    return [first_reached(run["epochs"], accuracy) or run["seconds"] for run in results.under(group)]
