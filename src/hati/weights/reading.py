"""One file of weights to arrays: its format is told by its first bytes, never by its name."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from ..errors import WeightsError
from ..tools import quiet
from .formats import mapped
from .formats.layouts import Layered, Named, Numbered, Stored

T = TypeVar("T")

READABLE = "hati reads Keras' .h5, .weights.h5 and .keras, PyTorch's .pth and .pt, .safetensors and .npz"
LONGEST_MESSAGE = 1000
INNER = "model.weights.h5"  # of a .keras archive

# A small file can claim arrays that fill the memory: compressed, of one number everywhere, or one and the same a
# million times. Arrays may take so many times the file's own length, and this much in any case.
MOST_EXPANSION, SMALL_BYTES = 50, 1 << 26


def read(path: Path) -> Stored:
    """Every array in the file, as the file names them; those that lie in it as they are needed are views of it.

    While such arrays are kept, the file may be replaced or removed, but not be written over.

    Raises WeightsError for a file that is missing, damaged, hostile, or no weights file at all.
    """
    return guarded(path, lambda: _READERS[kind(path)](mapped.content(path)))


def metadata(path: Path) -> dict[str, str]:
    """What the writer of a .safetensors file put beside its arrays; nothing for a file of another format."""

    def found() -> dict[str, str]:
        from .formats import safetensors

        return safetensors.metadata(mapped.content(path)) if kind(path) == "safetensors" else {}

    return guarded(path, found)


def guarded(path: Path, action: Callable[[], T]) -> T:
    """What an action makes of a file; whatever goes wrong becomes one WeightsError that names the file."""
    try:
        with quiet.warnings():  # a damaged .npy header is parsed as Python source, with Python's warnings
            return action()
    except WeightsError as error:
        raise WeightsError(f"{path}: {_in_one_line(error)}") from None
    except MemoryError:
        raise WeightsError(f"{path}: it asks for more memory than this machine has") from None
    except Exception as error:  # each format's library has errors of its own, and none of them names the file
        reason = _in_one_line(error) or type(error).__name__
        raise WeightsError(f"{path}: it cannot be read ({reason}); it may be damaged or cut short") from None


def _in_one_line(error: Exception) -> str:
    """What an error says, without what a hostile name could do to a terminal."""
    line = " ".join(str(error).split())[:LONGEST_MESSAGE]
    return "".join(letter if letter.isprintable() else "?" for letter in line)


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


def _most(content: memoryview) -> int:
    """The bytes that a file's arrays may take."""
    return max(SMALL_BYTES, MOST_EXPANSION * len(content))


def _read_h5(content: memoryview) -> Layered | Numbered:
    from .formats import keras_h5

    return keras_h5.read(content, _most(content))


def _read_legacy(content: memoryview) -> Named:
    from .formats import pytorch

    return pytorch.read_legacy(content, _most(content))


def _read_safetensors(content: memoryview) -> Named:
    from .formats import safetensors

    return safetensors.read(content)


def _read_zip(content: memoryview) -> Stored:
    from .formats import archives, keras_h5, pytorch

    archive = archives.Archive(content)
    names, most = archive.names, _most(content)
    if any(name.endswith("data.pkl") for name in names):
        return pytorch.read_zip(archive, most)
    if INNER in names:
        return keras_h5.read(archive.unpacked(INNER, most), most)
    if not names or not all(name.endswith(".npy") for name in names):
        raise WeightsError(f"it is a zip archive of something else ({', '.join(names[:3])}); {READABLE}")
    return archives.read_npz(archive, most)


_READERS: dict[str, Callable[[memoryview], Stored]] = {
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
