"""Each network in each peer: the same weights, the same pictures, the same answers, in turns."""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from . import photo_files
from .asking import PeerError, in_turns
from .networks import Network, write_product
from .plan import BATCHES, HATI, NETWORKS, ONNXRUNTIME, RESNET, WAYS, Way
from .results import Piece, Row
from .running import Job, Run

SLOW_SECONDS = 120.0  # to get ready: worth saying
LIMIT, ADDED, INT8 = "matrix product", "what predict adds", "int8"
PRODUCTS = {"ONNX Runtime": "product", "NumPy": "NumPy product"}
CALIBRATION = 48  # photos


@dataclass(frozen=True)
class Ready:
    """A way that has answered once, or why it has not."""

    answer: np.ndarray | None = None
    failed: str = ""
    note: str = ""


def jobs(run: Run) -> Iterator[Job]:
    yield Job(LIMIT, ("all", "limit"), partial(limit, run))
    for network in NETWORKS:
        groups = ("all", "networks") if network in run.effort.networks else ()
        for batch in BATCHES:
            measure = partial(side_by_side, run, network, batch, WAYS)
            yield Job(piece_name(network.name, batch), (network.name, *groups), measure)
    yield Job(ADDED, ("all", "added"), partial(added, run, NETWORKS))
    yield Job(INT8, ("all", "int8"), partial(int8, run))


def piece_name(network: str, batch: int) -> str:
    return f"{network}, batch {batch}"


def side_by_side(run: Run, network: Network, batch: int, ways: Sequence[Way]) -> Piece:
    """Seconds for each batch, by way; a quick run leaves out those that are slow to get ready."""
    folder, ways = run.folder(network), [way for way in ways if run.effort.slow or not way.slow]
    if any(way.environment == "litert" for way in ways):
        convert(run, folder)
    ready = {way: prepared(run, way, folder, batch) for way in ways}
    share = run.effort.seconds / run.effort.rounds
    works = {way.name: partial(run.measure, way, share) for way, found in ready.items() if not found.failed}
    piece = in_turns(works, run.effort.rounds)
    run.team.forget()
    expected = ready[ways[0]].answer
    return {way.name: row_of(way, found, piece.get(way.name, Row()), expected) for way, found in ready.items()}


def convert(run: Run, folder: str) -> None:
    """TensorFlow's converter writes what LiteRT reads; where it cannot, LiteRT will say that it has no file."""
    if not (Path(folder) / "model.tflite").exists():
        try:
            run.team.ask("tensorflow", "in_keras", "work", name="convert", folder=folder)
        except PeerError as error:
            print(f"no .tflite: {error}", file=sys.stderr)


def prepared(run: Run, way: Way, folder: str, batch: int) -> Ready:
    try:
        told = run.prepare(way, folder, batch=batch)
    except PeerError as error:
        return Ready(failed=str(error))
    note = f"ready after {told['seconds']:.0f} s" if told["seconds"] > SLOW_SECONDS else ""
    return Ready(np.array(told["answer"]), note=note)


def row_of(way: Way, ready: Ready, measured: Row, expected: np.ndarray | None) -> Row:
    """What was measured, with how far its answer is from hati's; a different one is marked."""
    if ready.answer is None:
        return Row(failed=ready.failed)
    if expected is None:
        return replace(measured, note=ready.note)
    difference = float(np.abs(ready.answer - expected).max() / np.abs(expected).max())
    marks = [ready.note, "" if difference <= way.tolerance else f"answers differ by {difference:.1e}"]
    return replace(measured, difference=difference, note="; ".join(filter(None, marks)))


def int8(run: Run) -> Piece:
    """ResNet50 in float32 and in int8, calibrated on a few photos: seconds for one picture."""
    photos = str(photo_files.many(run.work / "photos", CALIBRATION, run.photos))
    ways = {"float32": replace(HATI, name="float32"), "int8": replace(HATI, name="int8", way="int8")}
    folder = run.folder(RESNET)
    for way in ways.values():
        run.prepare(way, folder, photo=photos)
    share = run.effort.seconds / run.effort.rounds
    piece = in_turns({name: partial(run.measure, way, share) for name, way in ways.items()}, run.effort.rounds)
    run.team.forget()
    return piece


def limit(run: Run) -> Piece:
    """Seconds for one product of two large matrices: no network of as many multiplications can beat it by much."""
    folder = str(write_product(run.work / "product"))
    ways = [replace(ONNXRUNTIME, name=name, way=way) for name, way in PRODUCTS.items()]
    for way in ways:
        run.prepare(way, folder)
    share = run.effort.seconds / run.effort.rounds
    piece = in_turns({way.name: partial(run.measure, way, share) for way in ways}, run.effort.rounds)
    run.team.forget()
    return piece


def added(run: Run, networks: Sequence[Network]) -> Piece:
    """Seconds that `predict` takes more than the ONNX Runtime session inside it, call by call, by network."""
    return {network.name: added_by(run, network) for network in networks}


def added_by(run: Run, network: Network) -> Row:
    try:
        return Row.of(run.work_of(HATI, "added", folder=run.folder(network), calls=run.effort.own_calls))
    except PeerError as error:
        return Row(failed=str(error))
