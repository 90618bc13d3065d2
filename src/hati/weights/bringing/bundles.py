"""Weights in one archive, for a machine without network: packed there, taken in here, verified on both sides.

A bundle is a zip archive of files as they are, not compressed; its first, `hati-weights.json`, names the others with
their length, SHA-256 and licence.
"""

import json
import re
import shutil
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from os import PathLike
from pathlib import Path
from typing import IO, Any

from ... import __version__, catalog
from ...catalog import WeightsFile
from ...errors import WeightsError
from ...tools import cache
from ...tools.files import whole
from ...tools.progress import bar_of_bytes
from . import checksums, holdings, store
from .fetching import Part
from .mirrors import base_name

MANIFEST = "hati-weights.json"
MOST_MANIFEST_BYTES = 1 << 20
PIECE = 1 << 20


@dataclass(frozen=True)
class Packed:
    """One file of a bundle, as its manifest tells."""

    name: str
    bytes: int
    sha256: str
    licence: str


@dataclass(frozen=True)
class Taken:
    """A file that was taken in, where it lies now, and whether it was there already."""

    name: str
    path: Path
    was_here: bool
    has_checksum: bool = True  # that it was verified by; else its length and its form were


def bundle(out: str | PathLike[str], names: Sequence[str], include_top: bool = True) -> list[Packed]:
    """Write the weights of models into one archive, fetching those that are not here; what it holds.

    Raises UnknownModel, WeightsUnavailable for what cannot be had, and WeightsError where the archive cannot be
    written or is there already.
    """
    out = Path(out)
    entries = [catalog.find(name) for name in names]
    if out.exists():
        raise WeightsError(f"{out}: it is there already; delete it, or choose another name")
    paths = {}
    for entry in entries:
        file = entry.weights_file(include_top)
        path = store.fetch(file, entry.parameters)
        store.verify(file, path)
        paths[path] = Packed(base_name(file), path.stat().st_size, checksums.digest(path), file.licence)
    try:
        _write(out, paths)
    except OSError as error:
        raise WeightsError(f"{out}: the bundle cannot be written there ({error.strerror or error})") from None
    return list(paths.values())


def may_be_one(path: Path) -> bool:
    """Whether a file says that it is a bundle, by the end of its name or by what it holds."""
    if path.suffix.lower() == ".zip":
        return True
    try:
        with zipfile.ZipFile(path) as archive:
            return MANIFEST in archive.namelist()
    except (OSError, zipfile.BadZipFile, EOFError, NotImplementedError, UnicodeError):
        return False


def import_(path: str | PathLike[str]) -> Iterator[Taken]:
    """Take every file of a bundle into the cache, each verified before it gets its name.

    All that can be told without reading the files is checked before the first is taken; those that were taken stay
    where a later one is refused. Raises WeightsError for an archive that is damaged, hostile, or no bundle, and where
    the cache cannot be written.
    """
    path, known = Path(path), {name: file for name, (file, _) in holdings.files().items()}
    with _archive(path) as archive:
        for packed in _checked(archive, path, known):
            yield _taken(archive, packed, known[packed.name], path)


def _write(out: Path, paths: dict[Path, Packed]) -> None:
    manifest = {"hati": __version__, "files": [asdict(packed) for packed in paths.values()]}
    with whole(out) as part, zipfile.ZipFile(part, "x", zipfile.ZIP_STORED) as archive:
        archive.writestr(zipfile.ZipInfo(MANIFEST), json.dumps(manifest, indent=2))
        for path, packed in paths.items():
            info = zipfile.ZipInfo(packed.name)
            info.file_size = packed.bytes
            with path.open("rb") as content, archive.open(info, "w") as member:
                shutil.copyfileobj(content, member, PIECE)


@contextmanager
def _archive(path: Path) -> Iterator[zipfile.ZipFile]:
    try:
        with zipfile.ZipFile(path) as archive:
            yield archive
    except (zipfile.BadZipFile, EOFError, NotImplementedError, UnicodeError) as error:
        raise WeightsError(f"{path}: it is no bundle of weights, or a damaged one ({error})") from None
    except OSError as error:
        raise WeightsError(f"{path}: it cannot be read ({error.strerror or error})") from None


def _checked(archive: zipfile.ZipFile, path: Path, known: dict[str, WeightsFile]) -> list[Packed]:
    """What the manifest names, once the archive holds just that, and nothing that could grow when it is read."""
    members = {info.filename: info for info in archive.infolist()}
    files = _manifest(archive, members, path)
    fault = _fault(files, archive.infolist(), known, path.stat().st_size)
    if fault:
        raise WeightsError(f"{path}: {fault}; nothing was taken from it")
    return files


def _manifest(archive: zipfile.ZipFile, members: dict[str, zipfile.ZipInfo], path: Path) -> list[Packed]:
    if MANIFEST not in members:
        raise WeightsError(f"{path}: it is no bundle of weights: it holds no {MANIFEST}")
    try:
        if not 0 < members[MANIFEST].file_size <= MOST_MANIFEST_BYTES:
            raise ValueError
        told: Any = json.loads(archive.read(MANIFEST))
        return [_packed(file) for file in told["files"]]
    except (ValueError, TypeError, LookupError, RecursionError):
        raise WeightsError(f"{path}: its {MANIFEST} is not one that hati writes; nothing was taken from it") from None


def _packed(told: dict[str, Any]) -> Packed:
    packed = Packed(**told)
    if type(packed.bytes) is not int or not all(isinstance(told[key], str) for key in ("name", "sha256", "licence")):
        raise ValueError
    return packed


def _fault(files: list[Packed], infos: list[zipfile.ZipInfo], known: dict[str, WeightsFile], length: int) -> str:
    names = [info.filename for info in infos]
    if sorted(names) != sorted([MANIFEST, *(file.name for file in files)]) or len(set(names)) < len(names):
        return f"it does not hold just the files that its {MANIFEST} names, each once"
    sizes = {info.filename: info for info in infos}
    faults = [fault for file in files if (fault := _fault_of(file, sizes[file.name], known.get(file.name)))]
    if not faults and sum(info.file_size for info in infos) > length:
        return "it claims more bytes than it has"
    return "".join(faults[:1])


def _fault_of(packed: Packed, info: zipfile.ZipInfo, known: WeightsFile | None) -> str:
    if known is None:
        return f"{packed.name[:100]!r} is no weights file that this version of hati knows"
    if info.compress_type != zipfile.ZIP_STORED or info.flag_bits & 1:
        return f"{packed.name} is compressed or encrypted in it, which hati never does"
    if info.file_size != packed.bytes or known.bytes not in (None, packed.bytes):
        return f"{packed.name} is {info.file_size:,} bytes long in it, not {known.bytes or packed.bytes:,}"
    if not re.fullmatch(r"[0-9a-f]{64}", packed.sha256):
        return f"{packed.name} has no SHA-256 in it"
    return ""


def _taken(archive: zipfile.ZipFile, packed: Packed, file: WeightsFile, path: Path) -> Taken:
    target = store.place_of(file)
    try:
        if here := _good_one_here(file, packed):
            return Taken(packed.name, here, was_here=True)
        with store.locked(target), archive.open(packed.name) as member:
            return Taken(packed.name, _arrived(member, packed, file, Part(target), path), was_here=False)
    except OSError as error:
        raise WeightsError(cache.trouble(target.parent, error)) from None


def _good_one_here(file: WeightsFile, packed: Packed) -> Path | None:
    here = store.path_of(file)
    return here if here and not checksums.fault(file, here, packed.sha256) else None


def _arrived(member: IO[bytes], packed: Packed, file: WeightsFile, part: Part, path: Path) -> Path:
    try:
        _copy(member, part, packed)
        if fault := checksums.fault(file, part.path, packed.sha256):
            raise WeightsError(f"{path}: {packed.name} in it is not the file: {fault}")
        return part.arrive()
    finally:
        part.discard()


def _copy(member: IO[bytes], part: Part, packed: Packed) -> None:
    part.begin("", None)
    with part.path.open("ab") as out, bar_of_bytes(packed.name, packed.bytes) as advance:
        while piece := member.read(PIECE):
            out.write(piece)
            advance(len(piece))
