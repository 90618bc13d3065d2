"""What hati wants to reach, and whether a run reached it."""

import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from .limits import times_the_limit
from .network_times import ADDED, INT8, piece_name
from .networks import Network
from .photo_files import LARGE
from .photo_times import (
    AGREEMENT,
    BATCHES,
    CALLS,
    GROWN,
    PHOTOS,
    READERS,
    REDUCED,
    RIGHT,
    THREADED,
    folder_name,
    photo_name,
)
from .plan import DEFAULT, RESNET, WAYS
from .processes import ANSWERS, IMPORTS, SIZES
from .results import Results

REASONS = Path(__file__).parent / "reasons.toml"
ONE = piece_name(RESNET.name, 1)
Measure = Callable[[Results], float | None]


@dataclass(frozen=True)
class Goal:
    """One number to reach; `measure` gives None where it was not measured."""

    key: str  # of its reason in reasons.toml
    sentence: str
    bound: float
    measure: Measure
    unit: str = "×"
    at_least: bool = False  # else: at most

    def reached(self, value: float) -> bool:
        return value >= self.bound if self.at_least else value <= self.bound


@dataclass(frozen=True)
class Verdict:
    goal: Goal
    value: float | None
    reason: str = ""

    @property
    def word(self) -> str:
        if self.value is None:
            return "not measured"
        return "yes" if self.goal.reached(self.value) else "NO"


def verdicts(results: Results, reasons: Path = REASONS) -> list[Verdict]:
    """Every goal, in the order of the table; reasons are for those that were not reached, or not measured."""
    told = tomllib.loads(reasons.read_text()) if reasons.exists() else {}
    found = []
    for goal in goals():
        verdict = Verdict(goal, goal.measure(results))
        found.append(verdict if verdict.word == "yes" else Verdict(goal, verdict.value, told.get(goal.key, "")))
    return found


def goals() -> Iterator[Goal]:
    yield from of_networks()
    yield from of_processes()
    yield from of_photos()
    yield from of_calls_and_sizes()


def of_networks() -> Iterator[Goal]:
    peers = {way.environment + " " + way.way: way.name for way in WAYS}
    faster = "ResNet50, one picture: times as fast as"
    for key, name, bound in (
        ("keras_predict", peers["tensorflow predict"], 3.0),
        ("keras_predict_on_batch", peers["tensorflow predict_on_batch"], 1.4),
        ("torch_eager", peers["torch eager"], 1.6),
    ):
        yield Goal(key, f"{faster} {name}", bound, slower(ONE, name), at_least=True)
    openvino = peers["openvino f32"]
    yield Goal(
        "openvino", f"ResNet50, one picture: the time of {openvino}", 1.05, lambda r: r.ratio(ONE, "hati", openvino)
    )
    sentence = "ResNet50, one picture: the time of its multiply-adds in a large matrix product"
    yield Goal("limit", sentence, 1.3, lambda r: times_the_limit(r, RESNET.name, 1))
    yield Goal("predict_adds", "what predict adds to ONNX Runtime, in the worst of all networks", 0.5, most_added, "ms")
    yield Goal(
        "int8", "ResNet50 in int8: times as fast as in float32", 1.5, slower(INT8, "float32", "int8"), at_least=True
    )


def of_processes() -> Iterator[Goal]:
    default, resnet = f"hati, {DEFAULT.name}", "hati, ResNet50"
    yield Goal("start_default", "new process to answer, default model", 0.5, lambda r: r.median(ANSWERS, default), "s")
    yield Goal("start_resnet50", "new process to answer, ResNet50", 0.7, lambda r: r.median(ANSWERS, resnet), "s")
    for key, backend in (("start_keras", "TensorFlow"), ("start_keras_torch", "PyTorch")):
        sentence = f"new process to answer, ResNet50: times as fast as the shortest Keras script, on {backend}"
        yield Goal(key, sentence, 12.0, slower(ANSWERS, f"Keras on {backend}, ResNet50", resnet), at_least=True)
    yield Goal(
        "import", "a new process that imports hati", 60, lambda r: thousand(r.median(IMPORTS, "import hati")), "ms"
    )
    yield Goal("help", "hati --help", 150, lambda r: thousand(r.median(IMPORTS, "hati --help")), "ms")


def of_photos() -> Iterator[Goal]:
    hati, keras = (way.name for way in READERS)
    sentence = "a JPEG of 12 megapixels to its answer, default model: times as fast as Keras on TensorFlow"
    yield Goal("large_photo", sentence, 5.0, slower(photo_name(DEFAULT, LARGE), keras, hati), at_least=True)
    sentence = "top-1 agreement of reduced decoding with full decoding"
    yield Goal("reduced_decoding", sentence, 0.995, lambda r: r.median(REDUCED, AGREEMENT), "", at_least=True)
    for network, bound in ((RESNET, 0.9), (DEFAULT, 0.7)):
        key, sentence = f"folder_{network.name}", f"a folder of JPEGs, {network.name}: part of the network's own rate"
        yield Goal(key, sentence, bound, in_a_folder(network), "", at_least=True)


def of_calls_and_sizes() -> Iterator[Goal]:
    yield Goal("memory_growth", "memory grows over many predict calls by", 20, lambda r: r.median(CALLS, GROWN), "MB")
    sentence = "eight threads on one model: the time of one thread for the same work"
    yield Goal("threads", sentence, 1.0, lambda r: r.median(CALLS, THREADED))
    sentence = "eight threads on one model: right answers, as a part of all"
    yield Goal("right_answers", sentence, 1.0, lambda r: r.median(CALLS, RIGHT), "", at_least=True)
    yield Goal(
        "peak_memory", "peak memory of a ResNet50 answer", 400, lambda r: r.memory(ANSWERS, "hati, ResNet50"), "MB"
    )
    yield Goal("installed", "installed size, with all dependencies", 300, lambda r: r.median(SIZES, "hati"), "MB")


def slower(piece: str, row: str, than: str = "hati") -> Measure:
    """How many times as long a row of a piece took."""
    return lambda results: results.ratio(piece, row, than)


def most_added(results: Results) -> float | None:
    found = [row.median for row in results.pieces.get(ADDED, {}).values() if row.median is not None]
    return thousand(max(found)) if found else None


def in_a_folder(network: Network) -> Measure:
    """The rate of photos as a part of the network's own, at the batch where that is fastest."""

    def measure(results: Results) -> float | None:
        name = folder_name(network)
        parts = [results.ratio(name, f"hati, network alone, batch {batch}", PHOTOS) for batch in BATCHES]
        return least([part for part in parts if part is not None])

    return measure


def least(found: list[float]) -> float | None:
    return min(found, default=None)


def thousand(value: float | None) -> float | None:
    return None if value is None else 1000 * value
