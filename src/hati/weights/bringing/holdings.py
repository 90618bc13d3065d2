"""The weights on this machine by the names of their models: bring, list, check, find and take away."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from os.path import isfile
from pathlib import Path

from ... import catalog
from ...catalog import Entry, WeightsFile
from ...errors import WeightsError, WeightsUnavailable
from . import checksums, store
from .fetching import Part
from .mirrors import base_name


@dataclass(frozen=True)
class Holding:
    """One file of the catalog, as far as it is on this machine; several models may share it."""

    file: str
    models: tuple[str, ...]
    bytes: int
    whole: bool  # or a part of it, from a download that was cut
    sha256: str | None  # noted when it arrived
    licence: str
    path: str


@dataclass(frozen=True)
class Outcome:
    """What became of one file: where it lies, or why it is not as it should be."""

    model: str
    path: Path | None
    error: WeightsError | None = None


def fetch(names: Sequence[str], include_top: bool = True) -> Iterator[Outcome]:
    """Bring the weights of models, each checked, in the order of their names; one that fails does not stop the others.

    Raises UnknownModel before anything is fetched.
    """
    entries = [catalog.find(name) for name in names]
    return (_fetched(entry, entry.weights_file(include_top)) for entry in entries)


def holdings() -> list[Holding]:
    """All that is here, in the catalog's order."""
    return [holding for file, models in files().values() if (holding := _holding(file, tuple(models)))]


def verify(names: Sequence[str] = ()) -> Iterator[Outcome]:
    """Check the files of the models named, or every file on this machine, against all their checksums.

    Raises UnknownModel before anything is checked.
    """
    entries = [catalog.find(name) for name in names]
    if not entries:
        return (_verified(models[0], file) for file, models in files().values() if store.path_of(file))
    return (outcome for entry in entries for outcome in _all_verified(entry))


def where(name: str, include_top: bool = True) -> Path:
    """The path of a model's weights. Raises UnknownModel, and WeightsUnavailable where they are not on this machine."""
    entry = catalog.find(name)
    file = entry.weights_file(include_top)
    if path := store.path_of(file):
        return path
    raise _missing(entry.name, file, "" if file == entry.top_file else " --without-top")


def remove(names: Sequence[str] = ()) -> int:
    """Take the files of the models named, or all, out of the cache; how many bytes that gave back.

    Raises UnknownModel before anything is removed, and WeightsError for a file that has to stay.
    """
    entries = [catalog.find(name) for name in names] or catalog.entries().values()
    return sum(store.remove(file) for entry in entries for file in _files_of(entry))


def files() -> dict[str, tuple[WeightsFile, list[str]]]:
    """Every file of the catalog once, by its bare name, with the models that use it."""
    found: dict[str, tuple[WeightsFile, list[str]]] = {}
    for entry in catalog.entries().values():
        for file in _files_of(entry):
            found.setdefault(base_name(file), (file, []))[1].append(entry.name)
    return found


def _fetched(entry: Entry, file: WeightsFile) -> Outcome:
    try:
        path = store.fetch(file, entry.parameters)
        store.verify(file, path)
    except WeightsError as error:
        return Outcome(entry.name, None, error)
    return Outcome(entry.name, path)


def _verified(model: str, file: WeightsFile) -> Outcome:
    path = store.path_of(file)
    try:
        if path is None:
            raise _missing(model, file)
        store.verify(file, path)
    except WeightsError as error:
        return Outcome(model, path, error)
    return Outcome(model, path)


def _all_verified(entry: Entry) -> list[Outcome]:
    here = [file for file in _files_of(entry) if store.path_of(file)]
    return [_verified(entry.name, file) for file in here or [entry.top_file]]


def _missing(model: str, file: WeightsFile, option: str = "") -> WeightsUnavailable:
    return WeightsUnavailable(
        f"{model}: {base_name(file)} is not on this machine; `hati weights fetch {model}{option}` brings it"
    )


def _files_of(entry: Entry) -> list[WeightsFile]:
    return [file for file in (entry.top_file, entry.notop_file) if file]


def _holding(file: WeightsFile, models: tuple[str, ...]) -> Holding | None:
    whole = store.path_of(file)
    path = whole or Part(store.place_of(file)).path
    if not isfile(path):
        return None
    length, sha256 = path.stat().st_size, checksums.noted(path)
    return Holding(base_name(file), models, length, whole is not None, sha256, file.licence, str(path))
