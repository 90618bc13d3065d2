"""Whether files answer as their models do: in every precision, over several ways to part the photos."""

from collections.abc import Iterator
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from transfer.measuring import Figures, Job

from hati.exporting import export, tflite
from hati.exporting.gate import ranking
from hati.int8.calibration import METHODS

from .plan import DEFAULT, FEWER, REAL, SMALLEST, Effort, Photos
from .sight import by_method, parted, scores, sight, without_corrections


def jobs(photos: Photos, effort: Effort) -> Iterator[Job]:
    for name in REAL:
        for precision in ("float32", "float16", "int8"):
            yield Job(f"files/{name}/{precision}", partial(one_file, photos, name, precision))
    for name in (SMALLEST, DEFAULT):
        for seed in range(effort.seeds):
            yield Job(f"int8/{name}/{seed}", partial(in_int8, photos, name, seed))
    for name in REAL[2:]:
        yield Job(f"int8/{name}/0", partial(in_int8, photos, name, 0))
    for name in (SMALLEST, DEFAULT):
        yield Job(f"ways/{name}", partial(ways, photos, name))
        yield Job(f"hurts/{name}", partial(hurts, photos, name))


def one_file(photos: Photos, name: str, precision: str) -> Figures:
    """As `hati export` writes and measures it."""
    with TemporaryDirectory() as folder:
        out = Path(folder) / "model.tflite"
        calibrate = {"calibrate": photos.labelled, "agreement": 0.5} if precision == "int8" else {}
        check = {} if precision == "int8" else {"check": photos.labelled}
        found = export(photos.load(name), out, precision=precision, **calibrate, **check)  # type: ignore[arg-type]
    told = asdict(found.measured)
    return {key: told[key] for key in ("agreement", "shift", "photos", "bytes", "memory", "operators")} | {
        "latency": {str(threads): spread for threads, spread in told["latency"].items()}
    }


def in_int8(photos: Photos, name: str, seed: int) -> Figures:
    """Calibrated on some of the photos, measured on the others."""
    seen = sight(photos, name)
    some, others = parted(len(seen.pixels), seed)
    order = seen.calibrated(some)
    y, plain = (scores(one, seen.pixels[others]) for one in (order, without_corrections(order)))
    return {
        "float": seen.accuracy(seen.expected[others], others),
        "int8": seen.accuracy(y, others),
        "agreement": seen.agreement(y, others),
        "uncorrected": seen.agreement(plain, others),
        "photos": len(others),
    }


def ways(photos: Photos, name: str) -> Figures:
    """The agreement by each way to find ranges, and with fewer photos to calibrate on."""
    seen = sight(photos, name)
    some, others = parted(len(seen.pixels), 0)
    found: Figures = {}
    for method in METHODS:
        order = replace(seen.order, quantisation=by_method(seen, some, method))
        found[method] = seen.agreement(scores(order, seen.pixels[others]), others)
    for count in FEWER:
        order = seen.calibrated(some[:count])
        found[f"{count} photos"] = seen.agreement(scores(order, seen.pixels[others]), others)
    return found


def hurts(photos: Photos, name: str) -> Figures:
    """What each layer alone costs in int8, the worst first."""
    seen = sight(photos, name)
    some, _ = parted(len(seen.pixels), 0)
    with TemporaryDirectory() as folder:
        found = ranking(tflite, seen.calibrated(some), seen.pixels[some], seen.expected[some], Path(folder))
        return {"layers": list(found.ranked(0).items())[:5]}
