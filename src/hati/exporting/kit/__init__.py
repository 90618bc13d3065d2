"""A folder with all that a small device needs: the gated file, a program to run it, and pictures to check itself by."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ...errors import ArgumentError, WeightsError
from ...tools.files import take_place, workshop
from ..formats import Format, Order
from ..trial import Trial
from . import features, golden, micro, pages
from .arena import Arena
from .contents import GOLDEN, Contents
from .features import Features

__all__ = ["Kit", "check", "write"]

FORMATS = ("tflite", "onnx")  # whose runtimes are small enough
KNOWN = {"model", "features", "golden", "golden.json", "head.npz", "kit.json", "labels.txt"}
KNOWN |= {"README.md", "requirements.txt", "classify.py", "teaching.py", "model.h", "__pycache__"}


@dataclass(frozen=True)
class Kit:
    """What was written, or why nothing was."""

    path: Path
    written: bool
    reason: str  # one sentence
    bytes: int  # of all its files
    features: Features  # of the network without its classifier, which a device teaches with
    arena: Arena | None  # of model.h for microcontrollers, where there is one
    not_micro: str  # why there is none; "" where there is

    @property
    def notes(self) -> tuple[str, ...]:
        """What a person wants to know of it."""
        if not self.written:
            return ()
        arena, seen = self.arena, self.features
        micro = f"needs an arena of about {arena.total / 1000:.0f} kB" if arena else f"is not there: {self.not_micro}"
        return (
            f"{self.bytes / 1e6:.2f} MB in all; features' cosine with the model's own: {seen.least:.4f} at the least",
            f"model.h {micro}",
        )


def check(folder: Path, name: str, order: Order, out: Path) -> None:
    """Raises ArgumentError for what cannot become a kit, before anything is computed."""
    if name not in FORMATS:
        raise ArgumentError(f"a kit is made of {' or '.join(FORMATS)}, whose runtimes fit small devices; not of {name}")
    labels = order.model.labels
    if labels is None:
        raise ArgumentError(f"{order.model.name} has no classifier, and a kit names what is in photos")
    broken = [label.name for label in labels if "\n" in label.name]
    if broken:
        raise ArgumentError(f"the class {broken[0]!r} has a line's end in its name; a kit lists one class a line")
    if out.absolute().parent == folder.absolute():
        raise ArgumentError(
            f"{out} lies in the kit, which is replaced as a whole; the kit has that file as model.{name}"
        )
    _check_folder(folder)


def _check_folder(folder: Path) -> None:
    """Only what hati put there may be replaced."""
    if not folder.absolute().parent.is_dir():
        raise ArgumentError(f"{folder}: its folder is not there; make it first")
    if not folder.exists():
        return
    if not folder.is_dir():
        raise ArgumentError(f"{folder} is a file; a kit is a folder")
    found = {path.name for path in folder.iterdir()}
    if found and "kit.json" not in found:
        raise ArgumentError(f"{folder} is no kit, and not empty; give another folder, or an empty one")
    strange = sorted(name for name in found if name not in KNOWN and Path(name).stem not in ("model", "features"))
    if strange:
        raise ArgumentError(f"{folder} has {', '.join(strange)}, which hati did not put there; move them away first")


def write(folder: Path, found: Format, order: Order, file: Path, trial: Trial, floor: float) -> Kit:
    """The kit of a file that has passed the gate, moved to its place whole.

    Raises WeightsError where the disk is full or may not be written.
    """
    with _aside(folder) as part:
        contents = Contents(part, found, order)
        shutil.copyfile(file, contents.model)
        tried = features.write(contents, trial)
        if tried.cosine < floor:
            return Kit(folder, False, _refusal(folder, tried, floor), 0, tried, None, "")
        golden.write(contents)
        reason = micro.unfit(contents)
        arena = None if reason else micro.write(contents)
        pages.write(contents, arena, reason)
        size = sum(path.stat().st_size for path in part.rglob("*") if path.is_file())
        _check_folder(folder)
        take_place(part, folder)
    return Kit(folder, True, f"{folder} is a kit: copy it to the device.", size, tried, arena, reason)


def _refusal(folder: Path, tried: Features, floor: float) -> str:
    return (
        f"{folder} is not written: the features' mean cosine with the model's own is {tried.cosine:.3f}, "
        f"{floor:g} was asked for; take --precision float16, or keep layers in float"
    )


@contextmanager
def _aside(folder: Path) -> Iterator[Path]:
    """A folder beside the kit's place, gone afterwards unless it was moved there."""
    try:
        with workshop(folder) as part:
            (part / GOLDEN).mkdir()
            yield part
    except OSError as error:
        raise WeightsError(f"{folder} cannot be written: {error.strerror or error}") from None
