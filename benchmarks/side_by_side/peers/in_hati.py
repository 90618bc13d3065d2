"""hati, as its users call it."""

import io
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import onnxruntime
from PIL import Image
from repeated_calls import peak, seconds

import hati
from hati import photos
from hati.photos.finding import find

from . import facts, pictures, weights


def prepare(folder: Path, way: str, batch: int = 1, photo: str = "") -> Callable[[], Any]:
    network = model(folder)
    if way == "photo":
        return lambda: [found.synset for found in network.classify(photo)]
    if way == "int8":
        network = in_int8(folder, photo)
    x = pictures(folder, batch)
    return lambda: network.predict(x)


def in_int8(folder: Path, photos_folder: str) -> hati.Model:
    """Calibrated on a folder of photos; the weights are random, so that only its speed counts."""
    hati.optimise(model(folder), find([photos_folder]), agreement=0)
    told = facts(folder)
    return hati.load(told["name"], weights(folder), precision="int8", **told["options"])


@lru_cache(maxsize=1)
def model(folder: Path) -> hati.Model:
    told = facts(folder)
    return hati.load(told["name"], weights(folder), **told["options"])


def added(folder: str, calls: int) -> list[float]:
    """What each call of predict takes besides the call of ONNX Runtime inside it, in seconds."""
    network, x = model(Path(folder)), pictures(Path(folder), 1)
    seconds(lambda: network.predict(x), 3)
    with inside_onnxruntime() as inside:
        whole = seconds(lambda: network.predict(x), calls)
    return [own - bare for own, bare in zip(whole, inside, strict=True)]


@contextmanager
def inside_onnxruntime() -> Iterator[list[float]]:
    """The seconds of each call of ONNX Runtime, while it lasts."""
    inside: list[float] = []
    run = onnxruntime.InferenceSession.run

    def timed(session: Any, *arguments: Any) -> Any:
        start = time.perf_counter()
        answer = run(session, *arguments)
        inside.append(time.perf_counter() - start)
        return answer

    onnxruntime.InferenceSession.run = timed
    try:
        yield inside
    finally:
        onnxruntime.InferenceSession.run = run


def agreeing(photos_folder: str, start: int, count: int, side: int) -> list[bool]:
    """Whether photos, enlarged and kept as JPEGs, get the name from a part of their size that they get from all of it.

    The default model with its real weights; `side` is of the enlarged square, in pixels.
    """
    network, found = hati.load(), []
    for path in list(find([photos_folder]))[start : start + count]:
        file = io.BytesIO()
        photos.read(path).resize((side, side), Image.Resampling.BICUBIC).save(file, "JPEG", quality=90)
        quick, whole = (network.classify(file.getvalue(), 1, every_pixel=every) for every in (False, True))
        found.append(quick[0].synset == whole[0].synset)
    return found


def through_folder(folder: str, photos_folder: str) -> float:
    """Seconds for each photo of a folder, named from first to last."""
    network, files = model(Path(folder)), list(find([photos_folder]))
    start = time.perf_counter()
    answers = list(network.answers(files))
    assert len(answers) == len(files)
    assert not any(answer.error for answer in answers)
    return (time.perf_counter() - start) / len(files)


def through_network(folder: str, batch: int, count: int) -> float:
    """Seconds for each picture, of so many in batches, without any photo being read."""
    network, x = model(Path(folder)), np.resize(np.load(Path(folder) / "pictures.npy"), (batch, *_shape(folder)))
    network.predict(x, batch_size=batch)
    return sum(seconds(lambda: network.predict(x, batch_size=batch), -(-count // batch))) / (-(-count // batch) * batch)


def _shape(folder: str) -> tuple[int, ...]:
    return pictures(Path(folder), 1).shape[1:]


def many_calls(folder: str, calls: int, threaded: int) -> dict[str, float]:
    """How much memory grows over many calls (MB), what eight threads take for the work of one (a part), and whether
    each of them gets the right answer (1 or 0).
    """
    from concurrent.futures import ThreadPoolExecutor

    network, x = model(Path(folder)), pictures(Path(folder), 1)
    seconds(lambda: network.predict(x), 100)
    before = peak()
    seconds(lambda: network.predict(x), calls)
    grown = peak() - before
    parts, right = [], True
    expected = network.predict(x)
    for _ in range(5):
        alone = sum(seconds(lambda: network.predict(x), threaded // 5))
        start = time.perf_counter()
        with ThreadPoolExecutor(8) as pool:
            found = list(pool.map(lambda _: network.predict(x), range(threaded // 5)))
        parts.append((time.perf_counter() - start) / alone)
        right = right and all(np.allclose(y, expected, rtol=1e-5, atol=1e-7) for y in found)
    return {"grown": grown, "threads": median(parts), "right": float(right)}


WORKS = {
    "added": added,
    "agreeing": agreeing,
    "through_folder": through_folder,
    "through_network": through_network,
    "many_calls": many_calls,
}
