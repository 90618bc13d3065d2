"""Int8 for ONNX Runtime as hati makes it, and as onnxruntime.quantization does: of the same float model and photos.

    python benchmarks/int8_beside_onnxruntime.py PHOTOS [--model NAME] [--weights FILE] [--seconds 4]

PHOTOS is a folder with a labels.csv (file, index) beside its pictures. A third of them, 128 at most, are calibrated on,
the others are measured with. Each way works in a process of its own, whose time and memory are told; one picture is
timed afterwards, in turns, on two threads. Theirs needs sympy.
"""

import csv
import logging
import multiprocessing
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, replace
from functools import partial
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory

import click
import numpy as np
import onnx

import hati
from hati import photos
from hati.engines.onnx.integers import export_int8
from hati.engines.onnx.running import OnnxSession
from hati.engines.onnx.translation import export
from hati.engines.quantisation import Quantisation
from hati.int8.agreement import agreeing
from hati.int8.calibration import calibrated
from hati.int8.calibration_photos import CALIBRATING
from hati.int8.comparison import safe_bits
from hati.int8.ranking import Kept, Ranking
from hati.model import Model, lazy_weights
from hati.network.graph import Graph
from hati.network.passes import Arrays, for_inference
from hati.tools.arrays import Array
from hati.tools.machine import machine
from hati.tools.measuring import Spread, side_by_side
from hati.tools.tables import table

THREADS = 2
FLOOR = 0.98  # of agreement, which `hati optimise` wants by itself
FLOAT = "float.onnx"
HEADERS = ("", "Named alike", "Named rightly", "Size", "One picture", "Made in", "Memory")


@dataclass(frozen=True)
class Task:
    """What there is to quantise. Each way loads the model itself, in its own process."""

    model: str
    weights: str
    folder: Path  # with the float model in ONNX, and for those that are made

    @property
    def float(self) -> Path:
        return self.folder / FLOAT

    @property
    def pictures(self) -> Array:
        """Those to calibrate on, preprocessed."""
        return np.asarray(np.load(self.folder / "calibrating.npy"))


@dataclass(frozen=True)
class Cost:
    seconds: float
    memory: int  # bytes of the process, at its peak


Way = Callable[[Task, Path], None]


def hatis(task: Task, out: Path, *, corrected: bool = True, floor: float | None = None) -> None:
    """As `hati optimise` makes it; with a floor, the layers that hurt most stay in float until it is reached."""
    pictures = task.pictures
    with folded(task) as (graph, arrays):
        found, learnt = quantisation(task, graph, arrays), answers(OnnxSession(task.float), pictures)

        def scores(kept: Kept, most: int) -> Array:
            return answers(in_integers(graph, arrays, found.keeping(*kept)), pictures[:most])

        ranking = Ranking(found.layers, learnt, scores)
        kept = next(ranking.reaching(floor, ranking.ranked(0)), ()) if floor else ()
        last = found.keeping(*kept) if corrected else replace(found, corrections={})
        out.write_bytes(export_int8(graph, arrays, last).SerializeToString())


def theirs(task: Task, out: Path, *, activations: str, method: str, corrected: bool = False) -> None:
    """As its documentation has it: prepared, then quantised channel by channel. It tells a lot on its way."""
    from onnxruntime.quantization import CalibrationMethod, QuantFormat, QuantType, quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process

    logging.getLogger().setLevel(logging.ERROR)
    prepared = out.with_suffix(".prepared.onnx")
    with redirect_stdout(StringIO()):
        quant_pre_process(with_corrected_biases(task, out) if corrected else task.float, prepared)
        quantize_static(
            prepared,
            out,
            Reader(task.pictures),
            quant_format=QuantFormat.QDQ,
            per_channel=True,
            reduce_range=safe_bits() < 8,
            activation_type=QuantType[activations],
            weight_type=QuantType.QInt8,
            calibrate_method=CalibrationMethod[method],
        )


@contextmanager
def folded(task: Task) -> Iterator[tuple[Graph, Arrays]]:
    model = hati.load(task.model, task.weights)
    with lazy_weights(model).borrowed() as arrays:
        yield for_inference(model.graph, arrays)


def quantisation(task: Task, graph: Graph, arrays: Arrays) -> Quantisation:
    """hati's, in the way that changes the scores of these pictures least."""
    pictures = task.pictures
    batches = (pictures[start : start + 2] for start in range(0, len(pictures), 2))
    learnt = answers(OnnxSession(task.float), pictures)

    def scores(one: Quantisation) -> Array:
        return answers(in_integers(graph, arrays, one), pictures)

    return calibrated(graph, arrays, batches, learnt, scores, safe_bits())


def in_integers(graph: Graph, arrays: Arrays, one: Quantisation) -> OnnxSession:
    return OnnxSession(export_int8(graph, arrays, one).SerializeToString())


def with_corrected_biases(task: Task, out: Path) -> Path:
    """The float model with what hati's quantisation adds to biases: wrong in float, and right in int8."""
    model, corrected = onnx.load(task.float), out.with_suffix(".corrected.onnx")
    with folded(task) as (graph, arrays):
        corrections = quantisation(task, graph, arrays).corrections
    biases = {node.input[2]: corrections[node.output[0]] for node in model.graph.node if node.output[0] in corrections}
    for tensor in model.graph.initializer:
        if tensor.name in biases:
            bias = onnx.numpy_helper.to_array(tensor) + np.array(biases[tensor.name], np.float32)
            tensor.CopyFrom(onnx.numpy_helper.from_array(bias, tensor.name))
    onnx.save(model, corrected)
    return corrected


class Reader:
    """Pictures one by one, as onnxruntime.quantization asks for them."""

    def __init__(self, pictures: Array):
        self._pictures = iter(pictures)

    def get_next(self) -> dict[str, Array] | None:
        picture = next(self._pictures, None)
        return None if picture is None else {"image": picture[np.newaxis]}


WAYS: dict[str, Way] = {
    "hati": hatis,
    "hati, biases not corrected": partial(hatis, corrected=False),
    "hati, some layers in float": partial(hatis, floor=FLOOR),
    **{
        f"onnxruntime, {kind}S8, {method}": partial(theirs, activations=activations, method=method)
        for kind, activations in (("U8", "QUInt8"), ("S8", "QInt8"))
        for method in ("MinMax", "Percentile", "Entropy")
    },
    "onnxruntime, U8S8, MinMax, hati's biases": partial(theirs, activations="QUInt8", method="MinMax", corrected=True),
}


def answers(session: OnnxSession, pictures: Array) -> Array:
    return np.concatenate([session(pictures[start : start + 8]) for start in range(0, len(pictures), 8)])


def made(way: Way, task: Task, out: Path) -> Cost:
    """In a process that does nothing else."""
    start = time.perf_counter()
    way(task, out)
    seconds = time.perf_counter() - start
    lines = Path("/proc/self/status").read_text().splitlines()
    return Cost(seconds, 1024 * next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")))


def labelled(folder: Path, model: Model) -> tuple[Array, Array]:
    """The folder's photos as the model takes them, mixed, and the ImageNet class of each."""
    with (folder / "labels.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    mixed = [rows[number] for number in np.random.default_rng(0).permutation(len(rows))]
    pictures = [model.preprocessing(photos.read(folder / row["file"]), model.size) for row in mixed]
    return np.stack(pictures), np.array([int(row["index"]) for row in mixed])


def rows(task: Task, pictures: Array, truth: Array, seconds: float) -> Iterator[Sequence[str]]:
    costs: dict[str, Cost] = {}
    files = {"float": task.float} | {name: task.folder / f"{number}.onnx" for number, name in enumerate(WAYS)}
    for name, way in WAYS.items():
        spawn = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(1, mp_context=spawn) as pool:
            costs[name] = pool.submit(made, way, task, files[name]).result()
    sessions = {name: OnnxSession(file, threads=THREADS) for name, file in files.items()}
    times = side_by_side({name: partial(one, pictures[:1]) for name, one in sessions.items()}, seconds=seconds)
    expected = answers(sessions["float"], pictures)
    for name, session in sessions.items():
        scores = answers(session, pictures)
        share, (low, high) = agreeing(expected, scores)
        yield (
            name,
            f"{share:.1%} ({low:.1%}–{high:.1%})",
            f"{(scores.argmax(1) == truth).mean():.1%}",
            f"{files[name].stat().st_size / 1e6:.2f} MB",
            milliseconds(times[name]),
            *((f"{costs[name].seconds:.0f} s", f"{costs[name].memory / 1e9:.1f} GB") if name in costs else ("", "")),
        )


def milliseconds(spread: Spread) -> str:
    return f"{1000 * spread.median:.2f} ms ({1000 * spread.low:.2f}–{1000 * spread.high:.2f})"


@click.command()
@click.argument("folder", type=click.Path(exists=True, path_type=Path))
@click.option("--model", "name", default=hati.DEFAULT_MODEL)
@click.option("--weights", default="imagenet")
@click.option("--seconds", default=4.0, help="Of timing, for each way.")
def main(folder: Path, name: str, weights: str, seconds: float) -> None:
    model = hati.load(name, weights)
    pictures, truth = labelled(folder, model)
    edge = min(len(pictures) // 3, CALIBRATING)
    with TemporaryDirectory() as place, lazy_weights(model).borrowed() as arrays:
        task = Task(name, weights, Path(place))
        task.float.write_bytes(export(*for_inference(model.graph, arrays)).SerializeToString())
        np.save(task.folder / "calibrating.npy", pictures[:edge])
        found = list(rows(task, pictures[edge:], truth[edge:], seconds))
    print(f"{model.name} on {machine().processor}, weights in {safe_bits()} bits")
    print(f"{len(pictures) - edge} photos measured, {edge} others calibrated on")
    print(table(HEADERS, found, right=range(1, len(HEADERS))))


if __name__ == "__main__":
    main()
