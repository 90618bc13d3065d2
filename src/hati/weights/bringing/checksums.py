"""Whether a file of weights is what it should be: by the catalog, and by the SHA-256 noted beside it on its arrival."""

import hashlib
import re
from pathlib import Path

from ...catalog import WeightsFile
from ...errors import WeightsError
from ...tools.files import whole
from .. import reading


def fault(file: WeightsFile, path: Path, sha256: str | None = None) -> str:
    """What is wrong with a file, by the catalog and by the SHA-256 that it should have; nothing for a good one.

    Of which nothing is known must at least be weights that can be read.
    """
    try:
        reading.kind(path)
    except WeightsError as error:
        return str(error)
    expected = sorted({file.checksum or "", f"sha256:{sha256}" if sha256 else ""} - {""})
    differences = [*_length_differs(file, path), *(text for wanted in expected for text in _sum_differs(wanted, path))]
    return " and ".join(differences) if differences or expected else _unreadable(path)


def digest(path: Path, algorithm: str = "sha256") -> str:
    with path.open("rb") as content:
        return hashlib.file_digest(content, lambda: hashlib.new(algorithm, usedforsecurity=False)).hexdigest()


def note_of(path: Path) -> Path:
    """Where a file's SHA-256 is noted, as `sha256sum --check` reads it."""
    return path.with_name(f"{path.name}.sha256")


def noted(path: Path) -> str | None:
    """The SHA-256 that a file had when it arrived, where that was noted."""
    try:
        text = note_of(path).read_text(encoding="utf-8")
    except (OSError, UnicodeError):
        return None
    found = re.match(r"([0-9a-f]{64}) [ *]", text)
    return found[1] if found else None


def note(path: Path, sha256: str) -> None:
    with whole(note_of(path)) as part:
        part.write_text(f"{sha256}  {path.name}\n", encoding="utf-8")


def _length_differs(file: WeightsFile, path: Path) -> list[str]:
    length = path.stat().st_size
    return [] if file.bytes in (None, length) else [f"it is {length:,} bytes long, not {file.bytes:,}"]


def _sum_differs(wanted: str, path: Path) -> list[str]:
    algorithm, _, right = wanted.partition(":")
    found = digest(path, algorithm)
    return [] if found == right else [f"its {algorithm} is {found}, not {right}"]


def _unreadable(path: Path) -> str:
    try:
        reading.read(path)
    except WeightsError as error:
        return str(error).removeprefix(f"{path}: ")
    return ""
