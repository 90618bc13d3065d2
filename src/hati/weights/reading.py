"""One file of weights to arrays: its format is told by its first bytes, never by its name."""

import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..errors import WeightsError

Array = np.ndarray
Named = Mapping[str, Array]


@dataclass(frozen=True)
class Layered:
    """Keras' legacy order: each layer's arrays, by the layer's name."""

    layers: dict[str, list[Array]]


READABLE = "hati reads Keras' legacy .h5, PyTorch's .pth and .pt, .safetensors and .npz"


def read(path: Path) -> Named | Layered:
    """Every array in the file, as the file names them.

    Raises WeightsError for a file that is missing, damaged, hostile, or no weights file at all.
    """
    if not path.is_file():
        raise WeightsError(f"{path}: there is no such file")
    try:
        return _read(path, path.open("rb").read(512))
    except WeightsError as error:
        raise WeightsError(f"{path}: {error}") from None
    except MemoryError:
        raise WeightsError(f"{path}: it asks for more memory than this machine has") from None
    except Exception as error:  # each format's library has errors of its own, and none of them names the file
        raise WeightsError(f"{path}: the file is damaged or cut short ({str(error) or type(error).__name__})") from None


def _read(path: Path, start: bytes) -> Named | Layered:
    if start.startswith(b"\x89HDF\r\n\x1a\n"):
        from . import keras_h5

        return Layered(keras_h5.read(path))
    if start.startswith(b"PK\x03\x04"):
        return _read_zip(path)
    if start.startswith(b"\x80") and start[1:2] in b"\x02\x03\x04\x05":
        from . import pytorch

        return pytorch.read_legacy(path)
    if len(start) > 8 and start[8:9] == b"{":
        from safetensors.numpy import load_file

        return load_file(path)
    raise WeightsError(_what_it_is(start))


def _read_zip(path: Path) -> Named:
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
    if any(name.endswith("data.pkl") for name in names):
        from . import pytorch

        return pytorch.read_zip(path)
    if names and all(name.endswith(".npy") for name in names):
        with np.load(path, allow_pickle=False) as arrays:
            return dict(arrays)
    raise WeightsError(f"it is a zip archive of something else ({', '.join(names[:3])}); {READABLE}")


def _what_it_is(start: bytes) -> str:
    text = start.lstrip().lower()
    if not text:
        return "the file is empty"
    if text.startswith((b"<!doctype", b"<html", b"<?xml")):
        return "it is a web page, not weights: the address it was saved from answered with an error or a login"
    if text.startswith(b"version https://git-lfs"):
        return "it is a Git LFS pointer, not the weights themselves: fetch them with `git lfs pull`"
    return f"its first bytes {start[:8]!r} are of no format known here; {READABLE}"
