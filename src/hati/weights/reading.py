"""One file of weights to arrays: its format is told by its first bytes, never by its name."""

import warnings
import zipfile
from collections.abc import Callable, Mapping
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

# A small file can claim arrays that fill the memory: compressed, of one number everywhere, or one and the same a
# million times. Arrays may take so many times the file's own length, and this much in any case.
MOST_EXPANSION, SMALL_BYTES = 50, 1 << 26


def read(path: Path) -> Named | Layered:
    """Every array in the file, as the file names them.

    Raises WeightsError for a file that is missing, damaged, hostile, or no weights file at all.
    """
    try:
        with warnings.catch_warnings():  # a damaged .npy header is parsed as Python source, with Python's warnings
            warnings.simplefilter("ignore")
            return _READERS[kind(path)](path, max(SMALL_BYTES, MOST_EXPANSION * path.stat().st_size))
    except WeightsError as error:
        raise WeightsError(f"{path}: {error}") from None
    except MemoryError:
        raise WeightsError(f"{path}: it asks for more memory than this machine has") from None
    except Exception as error:  # each format's library has errors of its own, and none of them names the file
        reason = str(error) or type(error).__name__
        raise WeightsError(f"{path}: it cannot be read ({reason}); it may be damaged or cut short") from None


def kind(path: Path) -> str:
    """The format, by the file's first bytes. Raises WeightsError for a file of no known one."""
    if path.is_dir():
        raise WeightsError(f"it is a folder; {READABLE}")
    if not path.is_file():
        raise WeightsError("there is no such file")
    with path.open("rb") as file:
        start = file.read(512)
    if start.startswith(b"\x89HDF\r\n\x1a\n"):
        return "keras_h5"
    if start.startswith(b"PK\x03\x04"):
        return "zip"
    if start.startswith(b"\x80") and start[1:2] in b"\x02\x03\x04\x05":
        return "legacy"
    if start[8:9] == b"{":
        return "safetensors"
    raise WeightsError(_what_it_is(start))


def _read_h5(path: Path, most: int) -> Layered:
    from . import keras_h5

    return Layered(keras_h5.read(path, most))


def _read_legacy(path: Path, most: int) -> Named:
    from . import pytorch

    return pytorch.read_legacy(path, most)


def _read_safetensors(path: Path, most: int) -> Named:
    from safetensors.numpy import load_file

    return load_file(path)


def _read_zip(path: Path, most: int) -> Named:
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        if any(name.endswith("data.pkl") for name in names):
            from . import pytorch

            return pytorch.read_zip(path, most)
        if not names or not all(name.endswith(".npy") for name in names):
            raise WeightsError(f"it is a zip archive of something else ({', '.join(names[:3])}); {READABLE}")
        claimed = sum(member.file_size for member in archive.infolist())
        if claimed > most:
            raise WeightsError(f"it claims arrays of {claimed:,} bytes, too many to be true of a file of its length")
        return {name.removesuffix(".npy"): _npy(archive, name) for name in names}


def _npy(archive: zipfile.ZipFile, name: str) -> Array:
    with archive.open(name) as member:
        return np.lib.format.read_array(member, allow_pickle=False)


_READERS: dict[str, Callable[[Path, int], Named | Layered]] = {
    "keras_h5": _read_h5,
    "legacy": _read_legacy,
    "safetensors": _read_safetensors,
    "zip": _read_zip,
}


def _what_it_is(start: bytes) -> str:
    text = start.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if not text:
        return "the file is empty"
    if text.startswith(b"<"):
        return "it is a web page, not weights: the address it was saved from answered with an error or a login"
    if text.startswith(b"version https://git-lfs"):
        return "it is a Git LFS pointer, not the weights themselves: fetch them with `git lfs pull`"
    return f"its first bytes {start[:8]!r} are of no format known here; {READABLE}"
