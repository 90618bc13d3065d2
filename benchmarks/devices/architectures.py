"""Every architecture of small models with random weights: what its files answer, here and in other runtimes."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from oracle import SPREAD, lively
from transfer.measuring import Figures, Job

import hati
from hati.exporting import tflite
from hati.exporting.formats import Order
from hati.exporting.trial import samples
from hati.model import Model
from hati.preprocessing import Preprocessing

from .elsewhere import OLD, asked, in_bytes
from .sight import scores

LARGEST = 10e6  # bytes of an int8 file that TFLite Micro is given
RUN = 2  # pictures that other runtimes compute


def jobs(names: tuple[str, ...], work: Path) -> Iterator[Job]:
    for name in names:
        yield Job(f"families/{name}", partial(family, work, name))


def family(work: Path, name: str) -> Figures:
    """float32: the largest difference of a score from hati's, as a part of the largest score.

    int8: the correlation with hati's scores before the softmax, picture by picture, the worst; of pictures that were
    not calibrated with. Random weights tell no picture from another by much, so that names say nothing here.
    """
    plain, before = lively_model(name, "softmax"), lively_model(name, None)
    pixels = views(plain.size)
    expected, answers = (model.predict(model.normalisation(pixels), verbose=0) for model in (plain, before))
    order = Order(before, "int8", "int8", pixels=True)
    integers = replace(order, quantisation=tflite.calibrated(order, pixels[::2]))
    found: Figures = {
        "float32": part_of_largest(scores(Order(plain), pixels), expected),
        "int8": correlation(scores(integers, pixels[1::2]), answers[1::2]),
    }
    with TemporaryDirectory() as place:
        folder = Path(place)
        tflite.write(Order(plain), folder / "float32.tflite")
        tflite.write(integers, folder / "int8.tflite")
        np.save(folder / "float32.npy", Order(plain).fed(pixels[1::2][:RUN]))
        np.save(folder / "int8.npy", in_bytes(pixels[1::2][:RUN], "int8"))
        told = asked(work, "tflite_runtime", "in_interpreter.py", folder, OLD)
        found["float32, tflite-runtime"] = part_of_largest(np.array(told["float32"]), expected[1::2][:RUN])
        found["int8, tflite-runtime"] = correlation(np.array(told["int8"]), answers[1::2][:RUN])
        if (folder / "int8.tflite").stat().st_size < LARGEST:
            micro = asked(work, "tflite_micro", "in_micro.py", folder)
            found["int8, TFLite Micro"] = correlation(np.array(micro["int8"]), answers[1::2][:RUN])
            found["arena"] = micro["arena"]
    return found


def lively_model(name: str, activation: str | None) -> Model:
    """With weights under which every layer matters, and no score is 0 or 1."""
    model = hati.load(name, weights=None, classifier_activation=activation)
    arrays = lively(model.graph)
    if model.preprocessing.normalisation == "caffe":
        arrays[next(iter(arrays))] /= SPREAD
    model.set_weights(list(arrays.values()))
    return model


def views(size: tuple[int, int]) -> np.ndarray:
    """hati's own photos and their views, (photos, height, width, 3) uint8."""
    return np.stack([Preprocessing("none", 1.0, "bicubic").resize(view, size) for view in samples()])


def part_of_largest(found: np.ndarray, expected: np.ndarray) -> float:
    return float(np.abs(found - expected).max() / np.abs(expected).max())


def correlation(found: np.ndarray, expected: np.ndarray) -> float:
    """Of the numbers of each picture; the least of all pictures."""
    return min(float(np.corrcoef(one, other)[0, 1]) for one, other in zip(found, expected, strict=True))
