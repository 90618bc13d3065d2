"""All that a training needs to go on after a kill, in one file that appears whole or not at all."""

from __future__ import annotations

import hashlib
import os
import pickle
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ...errors import TrainingError
from ...photos import Photo, describe
from ...photos.sets import PhotoSet
from ...tools.arrays import Array
from ...tools.files import digest, whole

FORMAT = 1  # of the file; one of another format is another training's
State = dict[str, Any]


@dataclass(frozen=True)
class Checkpoint:
    """The place of one training's state: another recipe, body or photo has another one."""

    path: Path

    def read(self) -> State | None:
        """The state that was written last; None where there is none. Raises TrainingError for a damaged file."""
        for left in self.path.parent.glob(f".{self.path.name}.*.part"):  # by a kill amid a write
            with suppress(OSError):
                left.unlink()
        if not self.path.exists():
            return None
        try:
            found: State = torch.load(self.path, map_location="cpu", weights_only=True)
            found["epochs"][-1]  # of another's file, neither a dict nor a list
        except (OSError, RuntimeError, EOFError, LookupError, TypeError, pickle.UnpicklingError) as error:
            reason = str(error).partition("\n")[0][:200]
            raise TrainingError(
                f"{self.path}: it is no checkpoint, or a damaged one ({reason}); remove it to begin anew"
            ) from None
        return found

    def write(self, state: State) -> None:
        """In the former one's place. Raises TrainingError where there is no room, and leaves the former one."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with whole(self.path) as part, part.open("wb") as file:
                torch.save(state, file)
                file.flush()
                os.fsync(file.fileno())
        except (OSError, RuntimeError) as error:  # PyTorch's own, where a write fell short
            left = "the one before is safe there" if self.path.exists() else "there is none before it"
            reason = error.strerror if isinstance(error, OSError) else _why_not(self.path.parent, error)
            raise TrainingError(
                f"{self.path}: the checkpoint cannot be written ({reason}); {left}. Make room, or give another folder, "
                "and run the same again"
            ) from None


def fingerprint(*things: object) -> str:
    """SHA-256 of what makes a training: things whose repr says all of them, and arrays."""
    return digest(FORMAT, *(_content(thing) if isinstance(thing, np.ndarray) else thing for thing in things))


def marks(found: PhotoSet | None) -> list[tuple[object, ...]]:
    """What tells photos from others: a file's name, size and time; the content of what is in memory."""
    return [] if found is None else [*map(_mark, found.photos), found.classes, _content(found.targets)]


def _mark(photo: Photo) -> tuple[object, ...]:
    if isinstance(photo, str | os.PathLike):
        with suppress(OSError, ValueError):
            state = os.stat(photo)
            return os.fspath(photo), state.st_size, state.st_mtime_ns
        return (os.fspath(photo),)
    if isinstance(photo, bytes | bytearray):
        return (hashlib.sha256(photo).hexdigest(),)
    if hasattr(photo, "read"):
        return (describe(photo),)
    return _content(np.asarray(photo))


def _content(x: Array) -> tuple[object, ...]:
    """What tells an array from others: not all of a long one is in its repr."""
    return x.shape, x.dtype.str, hashlib.sha256(np.ascontiguousarray(x).data).hexdigest()


def _why_not(folder: Path, error: Exception) -> str:
    """PyTorch says only that fewer bytes were written than it had."""
    with suppress(OSError):
        space = os.statvfs(folder)
        free = space.f_bavail * space.f_frsize
        return f"{free / 1e6:.1f} MB are free" if free < 1 << 30 else str(error).partition("\n")[0]
    return str(error).partition("\n")[0]


def copied(tensors: Iterable[tuple[str, torch.Tensor]]) -> dict[str, torch.Tensor]:
    """Tensors on the processor, that no later step changes."""
    return {name: tensor.detach().cpu().clone() for name, tensor in tensors}
