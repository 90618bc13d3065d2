"""LiteRT beside ONNX Runtime: one picture in bytes, on one thread and on two, in turns (A B A B)."""

from collections.abc import Iterator
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from transfer.measuring import Figures, Job

from hati.exporting import onnx, tflite
from hati.exporting.formats import Format, Numbers, Order, Precision
from hati.tools.measuring import Work, side_by_side

from .plan import REAL, Photos
from .sight import Sight, parted, sight

SECONDS = 2.0  # for each
CALIBRATING = 32  # photos: a time does not depend on how well ranges fit
THREADS = (1, 2)
FORMATS: dict[str, Format] = {"LiteRT": tflite, "ONNX Runtime": onnx}
PRECISIONS: tuple[Precision, ...] = ("float32", "int8")


def jobs(photos: Photos) -> Iterator[Job]:
    for name in REAL:
        yield Job(f"beside/{name}", partial(beside, photos, name))


def beside(photos: Photos, name: str) -> Figures:
    """Seconds by "LiteRT, int8" and the number of threads."""
    seen = sight(photos, name)
    with TemporaryDirectory() as folder:
        works = {
            f"{runtime}, {precision}, {threads}": work
            for runtime, precision in ((runtime, precision) for precision in PRECISIONS for runtime in FORMATS)
            for threads, work in written(seen, FORMATS[runtime], precision, Path(folder)).items()
        }
        times = side_by_side(works, seconds=SECONDS)
        works.clear()
    return {title: asdict(spread) for title, spread in times.items()}


def written(seen: Sight, found: Format, precision: Precision, folder: Path) -> dict[int, Work]:
    """A file, ready to run with so many threads."""
    numbers: Numbers = "uint8" if precision == "int8" and "uint8" in found.numbers else "float32"
    order = Order(seen.model, precision, numbers, pixels=True)
    if precision == "int8":
        some, _ = parted(len(seen.pixels), 0)
        order = replace(order, quantisation=found.calibrated(order, seen.pixels[some[:CALIBRATING]]))
    path = folder / f"{precision}{found.ending}"
    found.write(order, path)
    return {threads: partial(found.opened(path, order, threads), seen.pixels[:1]) for threads in THREADS}
