"""A model as the file that a phone, a Raspberry Pi or a Coral runs, proved there before it is written."""

from __future__ import annotations

import math
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import mkdtemp

from ..errors import ArgumentError, WeightsError
from ..int8.agreement import better_in_int8
from ..model import Model
from ..tools.arrays import Array
from ..tools.progress import Verbose
from . import formats
from . import kit as kits
from .edge_tpu import EdgeTPU, edge_tpu
from .formats import Format, Numbers, Order, Precision
from .gate import STEPS, Hurting, Measured, in_batches, measured
from .trial import Photos, Trial, gathered

__all__ = ["Exported", "export"]


FLOORS: dict[Precision, float] = {"float32": 0.99, "float16": 0.98, "int8": 0.9}  # of agreement, by default


@dataclass(frozen=True)
class Exported:
    """What was written, or why nothing was, and what was measured before."""

    model: str
    format: str
    precision: Precision
    takes: Numbers  # that go in
    gives: Numbers  # and come out
    takes_pixels: bool  # whether preprocessing is inside
    path: Path
    written: bool
    reason: str  # one sentence
    floor: float  # the agreement that was asked for
    measured: Measured
    calibrated_on: int  # photos
    samples: bool  # whether it was measured with hati's own photos
    unreadable: int  # photos
    kept: tuple[str, ...]  # layers in float
    hurts: tuple[tuple[str, float], ...]  # layers in int8, and what each changes; where that was looked for
    edge_tpu: EdgeTPU | None  # of a TFLite file
    advice: tuple[str, ...]
    kit: kits.Kit | None = None


def export(
    model: Model,
    out: str | os.PathLike[str],
    *,
    to: str | None = None,
    precision: Precision = "float32",
    io: Numbers | None = None,
    pixels: bool = False,
    calibrate: Photos | None = None,
    check: Photos | None = None,
    agreement: float | None = None,
    keep: Sequence[str] = (),
    rank: bool = False,
    opset: int | None = None,
    kit: str | os.PathLike[str] | None = None,
    verbose: Verbose = "auto",
) -> Exported:
    """Write a model into a file for another runtime, once that runtime has shown that it answers the same.

    `to` is "tflite", "onnx", "openvino", "torch" or "coreml"; by the ending of `out` where it is not given. `io` are
    the numbers that a file in int8 takes and gives, "uint8" where nothing else is said; bytes are pixels as they are,
    and with `pixels` floats are, too. int8 needs `calibrate`, a folder or photos, of which a third is calibrated on
    and the others are checked with, unless `check` gives others. `agreement` is the least part of photos that file and
    model name alike: below it nothing is written. `keep` are layers that stay in float, `rank` tells what each costs.
    `kit` is a folder for the file and all that a device needs to run it, check itself, and learn new classes.

    Raises ArgumentError for what cannot be written, with every layer that has no rule; WeightsError where the disk is
    full or may not be written.
    """
    path = Path(out)
    name = to or _by_ending(path)
    found = formats.find(name)
    numbers = io or ("uint8" if precision == "int8" and "uint8" in found.numbers else "float32")
    order = Order(model, precision, numbers, pixels or numbers != "float32", opset, keep=tuple(keep))
    _check(found, name, order, path, agreement, calibrate)
    if kit is not None:
        kits.check(Path(kit), name, order, path)
    trial = gathered(model, calibrate, check, verbose)
    if precision == "int8":
        order = replace(order, quantisation=found.calibrated(order, trial.calibrating))
    floor = FLOORS[precision] if agreement is None else agreement
    with _workshop(path) as shop:
        exported = _judged(found, name, order, path, shop, trial, floor, rank, verbose)
    if kit is None or not exported.written:
        return exported
    return replace(exported, kit=kits.write(Path(kit), found, order, path, trial, floor))


def _check(
    found: Format, name: str, order: Order, path: Path, agreement: float | None, calibrate: Photos | None
) -> None:
    """Refuse what cannot be, before anything is read or computed."""
    if path.suffix != found.ending:
        raise ArgumentError(f"{path}: a file for {name} ends in {found.ending}")
    if not path.absolute().parent.is_dir():
        raise ArgumentError(f"{path}: its folder is not there; make it first")
    if agreement is not None and not 0 <= agreement <= 1:
        raise ArgumentError(f"agreement is {agreement}; it can be 0 to 1, the part of photos that are named alike")
    taken, given = order.model.graph.input.shape, order.model.graph.output.shape
    if taken[-1] != 3:
        raise ArgumentError(f"{order.model.name} takes pictures of {taken[-1]} channels, and photos are RGB")
    if len(given) != 1:
        raise ArgumentError(f"{order.model.name} gives maps of shape {given}; only scores or features can be exported")
    if order.precision == "int8" and calibrate is None:
        raise ArgumentError("int8 needs photos like those that it will see: give a folder of them to calibrate on")
    if order.keep and order.precision != "int8":
        raise ArgumentError(f"layers can stay in float where the others are in int8; precision is {order.precision!r}")
    formats.check(found, name, order)


def _judged(
    found: Format,
    name: str,
    order: Order,
    path: Path,
    shop: Path,
    trial: Trial,
    floor: float,
    rank: bool,
    verbose: Verbose,
) -> Exported:
    """Written aside and measured; it goes to its place where it is good enough."""
    part = shop / "written" / path.name
    part.parent.mkdir()
    with _disk(path):
        found.write(order, part)
    figures = measured(found, part, order, trial.checking, _scores(order.model, trial.checking))
    good = figures.agreement >= floor
    hurts: dict[str, float] = {}
    advice: tuple[str, ...] = ()
    if order.precision == "int8" and (rank or not good):
        learnt = _scores(order.model, trial.calibrating)
        hurting = Hurting(found, order, trial.calibrating, learnt, shop)
        hurts = hurting.ranked(verbose)
        advice = () if good else _advice(order, figures, hurting.enough(floor, hurts), hurts)
    if good:
        with _disk(path):
            for written in part.parent.iterdir():
                _move(written, path.parent / written.name)
    return Exported(
        model=order.model.name,
        format=name,
        precision=order.precision,
        takes=found.taken(order),
        gives=order.numbers,
        takes_pixels=order.pixels,
        path=path,
        written=good,
        reason=_sentence(figures, floor, path, good, names=order.model.labels is not None),
        floor=floor,
        measured=figures,
        calibrated_on=len(trial.calibrating),
        samples=trial.samples,
        unreadable=trial.unreadable,
        kept=order.keep,
        hurts=tuple(hurts.items()),
        edge_tpu=edge_tpu(figures.operators, order.precision, order.numbers) if name == "tflite" else None,
        advice=advice,
    )


def _scores(model: Model, pixels: Array) -> Array:
    """The model's own, which a file's are compared with."""
    return in_batches(lambda some: model.predict(model.normalisation(some), verbose=0), pixels)


def _sentence(figures: Measured, floor: float, path: Path, good: bool, *, names: bool) -> str:
    alike = f"it names {figures.agreement:.1%} of {figures.photos} photos as the model does"
    if not names:
        alike = f"its features have a cosine of {figures.agreement:.3f} with the model's, over {figures.photos} photos"
    if good:
        return f"{path.name} is written: {alike}."
    return f"Nothing is written: {alike}; {floor:.1%} were asked for."


def _advice(order: Order, figures: Measured, kept: tuple[str, ...] | None, hurts: dict[str, float]) -> tuple[str, ...]:
    """What a person can do where int8 names too many photos otherwise."""
    worst = next(iter(hurts))
    options = " ".join(f"--keep {name}" for name in kept or ())
    better = better_in_int8(order.model, figures.agreement)
    return (
        f"{worst} hurts most: alone in int8 it changes log-probabilities by {hurts[worst]:.2g}, squared",
        f"with these layers in float it is good enough on the photos that it was calibrated on: {options}"
        if kept
        else f"no {STEPS[-1]} layers in float are enough on the photos that it was calibrated on",
        *([better] if better else []),
        "--precision float16 is half the size of float32, and changes next to nothing",
        f"--agreement {math.floor(100 * figures.agreement) / 100:g} would let this one pass",
    )


def _by_ending(path: Path) -> str:
    endings = {".tflite": "tflite", ".onnx": "onnx", ".xml": "openvino", ".pt2": "torch", ".mlpackage": "coreml"}
    if path.suffix not in endings:
        raise ArgumentError(f"{path}: what is it to be? Its name can end in {', '.join(endings)}, or say it with `to`")
    return endings[path.suffix]


def _move(written: Path, place: Path) -> None:
    if place.is_dir() and not place.is_symlink():  # a package, as Core ML has them
        shutil.rmtree(place)
    os.replace(written, place)


@contextmanager
def _workshop(path: Path) -> Iterator[Path]:
    """A folder beside the place that a file is for, gone afterwards: what is moved from there is moved whole."""
    with _disk(path):
        shop = Path(mkdtemp(prefix=f".{path.name}.", suffix=".part", dir=path.absolute().parent))
    try:
        yield shop
    finally:
        shutil.rmtree(shop, ignore_errors=True)


@contextmanager
def _disk(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise WeightsError(f"{path} cannot be written: {error.strerror or error}") from None
