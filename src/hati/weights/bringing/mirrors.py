"""Where a file of weights may be had: from the mirrors in HATI_MIRROR, in turn, and then from where it is published."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit
from urllib.request import url2pathname

from ...catalog import WeightsFile
from ...tools import download
from ...tools.download import DownloadError, Stream

PIECE = 1 << 20
Source = tuple[str, ...]  # the addresses that one server, or one folder, may have it under


def base_name(file: WeightsFile) -> str:
    """What a file is called wherever it lies on its own; a package keeps it under a path."""
    return file.name.rpartition("/")[2]


def sources(file: WeightsFile) -> list[Source]:
    """Every source in the order in which they are asked; none for what only a registry package holds.

    A mirror is a folder, or an http, https or file address. It may hold the file under its bare name, or under the
    path that it is published under.
    """
    mirrors = [mirror.strip() for mirror in os.environ.get("HATI_MIRROR", "").split(",")]
    published = [] if file.package is not None else [(file.address,)]
    return [*(_in_mirror(mirror.rstrip("/"), file) for mirror in mirrors if mirror), *published]


@contextmanager
def opened(address: str, start: int = 0, validator: str | None = None) -> Iterator[Stream]:
    """The bytes behind an address, from `start` on where it can go on there; a file's as `download.opened` a page's."""
    if urlsplit(address).scheme in ("http", "https"):
        with download.opened(address, start, validator) as stream:
            yield stream
        return
    with _file(address) as file:
        state = os.fstat(file.fileno())
        stamp = f"{state.st_size} {state.st_mtime_ns}"
        goes_on = start <= state.st_size and validator in (None, stamp)
        yield Stream(state.st_size, _pieces(file), file.seek(start if goes_on else 0), stamp)


def _in_mirror(mirror: str, file: WeightsFile) -> Source:
    path = file.name if file.package is not None else urlsplit(file.address).path.lstrip("/")
    return tuple(dict.fromkeys((f"{mirror}/{base_name(file)}", f"{mirror}/{path}")))


def _file(address: str) -> IO[bytes]:
    local = urlsplit(address)
    path = Path(url2pathname(local.path) if local.scheme == "file" else address).expanduser()
    try:
        if not path.is_file():
            raise DownloadError("there is no such file")
        return path.open("rb")
    except OSError as error:
        raise _unreadable(error) from None


def _pieces(file: IO[bytes]) -> Iterator[bytes]:
    try:
        while piece := file.read(PIECE):
            yield piece
    except OSError as error:
        raise _unreadable(error) from None


def _unreadable(error: OSError) -> DownloadError:
    return DownloadError(f"it cannot be read ({error.strerror or error})")
