"""Weights that a person has at hand, into the cache: a bundle of them, or one file that the catalog knows."""

from collections.abc import Iterator
from os import SEEK_END, PathLike
from pathlib import Path

from ...catalog import WeightsFile
from ...errors import WeightsError
from ...tools import cache
from .. import reading
from . import bundles, checksums, fetching, holdings, store
from .bundles import Taken

ALGORITHMS = ("md5", "sha256")  # that the catalog's checksums are of


def import_(path: str | PathLike[str]) -> Iterator[Taken]:
    """Take a bundle's files, or one file by its published name, each verified before it gets its place.

    A file without a published checksum must have the published length, where that is known, and be weights.

    Raises WeightsError for a file that is not the published one, or is none, and says what it is as far as its checksum
    tells; for a bundle as `bundles.import_` does; and where the cache cannot be written.
    """
    path, known = Path(path), {name: file for name, (file, _) in holdings.files().items()}
    length = _length(path)
    if path.name in known:
        yield _taken(path, length, known[path.name])
    elif bundles.may_be_one(path):
        yield from bundles.import_(path)
    else:
        raise WeightsError(f"{path}: {_what_it_is(path) or _no_known_weights(path)}")


def _length(path: Path) -> int:
    try:
        with path.open("rb") as file:
            return file.seek(0, SEEK_END)
    except OSError as error:
        raise WeightsError(f"{path}: it cannot be read ({error.strerror or error})") from None


def _taken(path: Path, length: int, file: WeightsFile) -> Taken:
    if file.checksum is None and (another := _what_it_is(path)):
        raise WeightsError(f"{path}: {another}")
    if (here := store.path_of(file)) and not checksums.fault(file, here, checksums.digest(path)):
        return Taken(path.name, here, was_here=True, has_checksum=file.checksum is not None)
    return Taken(path.name, _brought(path, length, file), was_here=False, has_checksum=file.checksum is not None)


def _brought(path: Path, length: int, file: WeightsFile) -> Path:
    target = store.place_of(file)
    try:
        with store.locked(target):
            return fetching.bring(file, target, [(str(path.absolute()),)], length)
    except fetching.RefusedError as refused:
        (reason,) = refused.reasons.values()
        told = "; ".join(filter(None, (reason.removeprefix(fetching.NOT_IT), _what_it_is(path))))
        raise WeightsError(f"{path}: it is not the file that is published by that name: {told}") from None
    except OSError as error:
        raise WeightsError(cache.trouble(target.parent, error)) from None


def _what_it_is(path: Path) -> str:
    """The published file that has the same checksum, in words; nothing where there is none."""
    sums = {f"{algorithm}:{checksums.digest(path, algorithm)}" for algorithm in ALGORITHMS}
    for name, (file, models) in holdings.files().items():
        if file.checksum in sums:
            return f"by its checksum it is {name}, the weights of {models[0]}; give it that name, and import it again"
    return ""


def _no_known_weights(path: Path) -> str:
    try:
        reading.kind(path)
    except WeightsError as error:
        return str(error)
    return (
        "neither its name nor its checksum is that of a published file; weights of your own need no import: "
        f"load them with --weights {path}"
    )
