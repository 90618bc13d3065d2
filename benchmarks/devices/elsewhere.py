"""The same files in other runtimes, each in an environment of its own."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from importlib.resources import as_file, files
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from PIL import Image
from side_by_side.asking import PeerError
from side_by_side.environments import Environment, InstallError, install
from side_by_side.processes import Command, launched
from transfer.measuring import Figures, Job

from hati.engines.tflite.file import reading
from hati.exporting import tflite
from hati.exporting.formats import Order
from hati.exporting.kit import arena

from .plan import DEFAULT, SMALLEST, Photos
from .sight import parted, sight

SCRIPTS = Path(__file__).parent / "runtimes"
PICTURES = 8  # that every runtime computes
OLD, NEW = "tflite_runtime.interpreter", "ai_edge_litert.interpreter"


@dataclass(frozen=True)
class Runtime:
    """An environment of side_by_side/requirements, and what its script is told."""

    environment: str
    arguments: tuple[str, ...]


RUNTIMES = {
    "LiteRT 2.3.0, reference kernels": Runtime("litert", (NEW, "reference")),
    "LiteRT 1.0.1": Runtime("litert_old", (NEW,)),
    "tflite-runtime 2.14.0": Runtime("tflite_runtime", (OLD,)),
}


def jobs(photos: Photos, work: Path) -> Iterator[Job]:
    for name in (SMALLEST, DEFAULT):
        for title, runtime in RUNTIMES.items():
            yield Job(f"runtimes/{name}/{title}", partial(in_interpreter, photos, work, name, runtime))
    yield Job(f"micro/{SMALLEST}", partial(in_micro, photos, work))
    for name in (SMALLEST, DEFAULT):
        yield Job(f"phones/{name}", partial(in_task_library, photos, work, name))


def in_interpreter(photos: Photos, work: Path, name: str, runtime: Runtime) -> Figures:
    """The largest difference of float scores, and of how many steps int8 scores differ at the most."""
    with TemporaryDirectory() as place:
        folder = Path(place)
        own = {kind: write(photos, name, kind, folder) for kind in ("float32", "uint8")}
        told = asked(work, runtime.environment, "in_interpreter.py", folder, *runtime.arguments)
    steps = np.abs(np.array(told["uint8"]) - np.rint(256 * own["uint8"]))
    return {
        "float32": float(np.abs(np.array(told["float32"]) - own["float32"]).max()),
        "steps": int(steps.max()),
        "differing": float((steps > 0).mean()),
    }


def in_micro(photos: Photos, work: Path) -> Figures:
    with TemporaryDirectory() as place:
        folder = Path(place)
        own = write(photos, SMALLEST, "int8", folder)
        estimate = arena.estimated(reading.read(folder / "int8.tflite")).total
        told = asked(work, "tflite_micro", "in_micro.py", folder)
    steps = np.abs(np.array(told["int8"]) + 128 - np.rint(256 * own))
    return {
        "arena": told["arena"],
        "estimate": estimate,
        "steps": int(steps.max()),
        "differing": float((steps > 0).mean()),
    }


def in_task_library(photos: Photos, work: Path, name: str) -> Figures:
    """What a phone's library reads in the files, and whether it names a photo as hati does."""
    model = sight(photos, name).model
    with TemporaryDirectory() as place, as_file(files("hati") / "data" / "samples" / "cat.jpg") as sample:
        folder = Path(place)
        for kind in ("float32", "uint8"):
            write(photos, name, kind, folder)
        with Image.open(sample) as photo:
            side = min(photo.size)
            square = photo.crop((0, 0, side, side)).resize(model.size[::-1])
        square.save(folder / "photo.png")
        told = asked(work, "tflite_support", "in_task_library.py", folder)
        expected = model.predict(model.normalisation(np.asarray(square)[np.newaxis]), verbose=0)
    [named] = model.decode_predictions(expected, top=3)
    return {
        kind: {
            "normalisation": one["normalisation"],
            "labels": one["labels"],
            "alike": one["names"][0] == named[0].name,
            "shift": abs(one["scores"][0] - named[0].score),
        }
        for kind, one in told.items()
    }


def write(photos: Photos, name: str, kind: str, folder: Path) -> np.ndarray:
    """A file and the numbers of a few pictures as it takes them; what LiteRT here makes of these."""
    seen = sight(photos, name)
    some, others = parted(len(seen.pixels), 0)
    pixels = seen.pixels[others[:PICTURES]]
    order = Order(seen.model) if kind == "float32" else replace(seen.calibrated(some), numbers=kind)  # type: ignore[arg-type]
    path = folder / f"{kind}.tflite"
    tflite.write(order, path)
    np.save(folder / f"{kind}.npy", order.fed(pixels) if kind == "float32" else in_bytes(pixels, kind))
    return tflite.opened(path, order, threads=2)(pixels)


def in_bytes(pixels: np.ndarray, kind: str) -> np.ndarray:
    return pixels if kind == "uint8" else (pixels.astype(np.int16) - 128).astype(np.int8)


def asked(work: Path, name: str, script: str, folder: Path, *arguments: str) -> Figures:
    environment = Environment(name, work / "environments" / name)
    try:
        install(environment)
    except InstallError as error:
        raise PeerError(f"not installed: {error}") from None
    launched(Command(environment, ("python", str(SCRIPTS / script), str(folder), *arguments)), work / "devices")
    found: Figures = json.loads((folder / "told.json").read_text())
    return found
