"""A model as the file that a phone, a Raspberry Pi or a Coral runs, proved there before it is written."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ..errors import ArgumentError, ImageError
from ..int8.agreement import better_in_int8
from ..loading import ModelLike, model_of
from ..tools.progress import Verbose
from . import formats
from . import kit as kits
from .draft import Draft, drafted
from .edge_tpu import EdgeTPU, edge_tpu
from .formats import Format, Numbers, Order, Precision
from .gate import Measured
from .trial import Photos, gathered

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
    unreadable: tuple[ImageError, ...]  # photos that were left out
    kept: tuple[str, ...]  # layers in float
    hurts: tuple[tuple[str, float], ...]  # layers in int8, and what each changes; where that was looked for
    edge_tpu: EdgeTPU | None  # of a TFLite file
    advice: tuple[str, ...]
    kit: kits.Kit | None = None

    def __repr__(self) -> str:
        told = [self.reason, self.measured.costs, *([self.kit.reason] if self.kit else [])]
        return f"<hati.Exported {self.model} as {self.format} in {self.precision}: {' '.join(told)}>"


def export(
    model: ModelLike,
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

    `model` is a Model, a name of the catalog, a .safetensors file, or what `hati.train` gives. `to` is "tflite",
    "onnx", "openvino", "torch" or "coreml"; by the ending of `out` where it is not given. `io` are the numbers that a
    file in int8 takes and gives, "uint8" where nothing else is said; bytes are pixels as they are, and with `pixels`
    floats are, too. int8 needs `calibrate`, a folder or photos, of which a third is calibrated on and the others are
    checked with, unless `check` gives others. `agreement` is the least part of photos that file and model name alike:
    below it nothing is written. `keep` are layers that stay in float, `rank` tells what each costs. `kit` is a folder
    for the file and all that a device needs to run it, check itself, and learn new classes.

    Raises ArgumentError for what cannot be written, with every layer that has no rule; WeightsError where the disk is
    full or may not be written.
    """
    path = Path(out)
    found = formats.find(to or _by_ending(path))
    numbers = io or ("uint8" if precision == "int8" and "uint8" in found.numbers else "float32")
    order = Order(model_of(model), precision, numbers, pixels or numbers != "float32", opset, keep=tuple(keep))
    _check(found, order, path, agreement, calibrate)
    if kit is not None:
        kits.check(Path(kit), found, order, path)
    trial = gathered(order.model, calibrate, check, verbose)
    if precision == "int8":
        order = replace(order, quantisation=found.calibrated(order, trial.calibrating))
    floor = FLOORS[precision] if agreement is None else agreement
    with drafted(found, order, path, trial) as draft:
        exported = _judged(draft, floor, rank, verbose)
    if kit is None or not exported.written:
        return exported
    return replace(exported, kit=kits.write(Path(kit), found, order, path, trial, floor))


def _check(found: Format, order: Order, path: Path, agreement: float | None, calibrate: Photos | None) -> None:
    """Refuse what cannot be, before anything is read or computed."""
    if path.suffix != found.ending:
        raise ArgumentError(f"{path}: a file for {found.name} ends in {found.ending}")
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
    formats.check(found, order)


def _judged(draft: Draft, floor: float, rank: bool, verbose: Verbose) -> Exported:
    """It goes to its place where it is good enough; where it is not, or as asked for, its layers are ranked."""
    found, order, path, trial = draft.found, draft.order, draft.place, draft.trial
    figures = draft.measured()
    good = figures.agreement >= floor
    hurts: dict[str, float] = {}
    advice: tuple[str, ...] = ()
    if order.precision == "int8" and (rank or not good):
        ranking = draft.ranking()
        hurts = ranking.ranked(verbose)
        advice = () if good else _advice(order, figures, next(ranking.reaching(floor, hurts), None), hurts)
    if good:
        draft.move()
    return Exported(
        model=order.model.name,
        format=found.name,
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
        edge_tpu=edge_tpu(figures.operators, order.precision, order.numbers) if found.name == "tflite" else None,
        advice=advice,
    )


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
        else "no few layers in float are enough on the photos that it was calibrated on",
        *([better] if better else []),
        "--precision float16 is half the size of float32, and changes next to nothing",
        f"--agreement {math.floor(100 * figures.agreement) / 100:g} would let this one pass",
    )


def _by_ending(path: Path) -> str:
    endings = {".tflite": "tflite", ".onnx": "onnx", ".xml": "openvino", ".pt2": "torch", ".mlpackage": "coreml"}
    if path.suffix not in endings:
        raise ArgumentError(f"{path}: what is it to be? Its name can end in {', '.join(endings)}, or say it with `to`")
    return endings[path.suffix]
