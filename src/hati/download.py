"""What comes over the network, in one place: every failure is one clear sentence."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from . import __version__
from .errors import ImageError

if TYPE_CHECKING:
    import requests

CONNECT_SECONDS, SILENCE_SECONDS = 5, 30
PIECE = 1 << 18
CUT = "the server cut the connection before all of it came"


class DownloadError(Exception):
    """Why an address could not be read; the caller knows what it was for."""


@dataclass(frozen=True)
class Stream:
    length: int | None  # bytes, where the server tells
    pieces: Iterator[bytes]


@contextmanager
def opened(address: str) -> Iterator[Stream]:
    """The body behind an address, piece by piece. Raises DownloadError at any point."""
    import requests

    agent = {"User-Agent": f"hati/{__version__}", "Accept-Encoding": "identity"}
    waits = (CONNECT_SECONDS, SILENCE_SECONDS)
    try:
        with requests.get(address, stream=True, timeout=waits, headers=agent) as answer:
            if not answer.ok:
                raise DownloadError(f"the server answered {answer.status_code} {answer.reason}")
            length = _length(answer.headers)
            yield Stream(length, _whole(answer.iter_content(PIECE), length))
    except requests.RequestException as error:
        raise DownloadError(_reason(error)) from None


def _length(headers: Mapping[str, str]) -> int | None:
    """How many bytes will come out; a server that packs them against our wish tells of the packed ones only."""
    length = headers.get("Content-Length", "")
    packed = headers.get("Content-Encoding", "identity") != "identity"
    return int(length) if length.isdecimal() and not packed else None


def _whole(pieces: Iterator[bytes], length: int | None) -> Iterator[bytes]:
    came = 0
    for piece in pieces:
        came += len(piece)
        yield piece
    if length is not None and came != length:
        raise DownloadError(CUT)


def _reason(error: requests.RequestException) -> str:
    import requests
    from urllib3.exceptions import ReadTimeoutError

    match error:
        case requests.ConnectTimeout():
            return f"no answer within {CONNECT_SECONDS} s"
        case requests.Timeout():
            return f"nothing came for {SILENCE_SECONDS} s"
        case requests.ConnectionError(args=[ReadTimeoutError(), *_]):  # so requests calls silence amid a body
            return f"nothing came for {SILENCE_SECONDS} s"
        case requests.ConnectionError():
            return "the server cannot be reached, or cut the connection"
        case requests.exceptions.ChunkedEncodingError():
            return CUT
        case requests.exceptions.ContentDecodingError():
            return "what came is packed wrongly"
    return str(error)


def read_url(address: str, most: int) -> bytes:
    """A photo behind a URL. Raises ImageError where it cannot be had or is longer than `most` bytes."""
    data = bytearray()
    try:
        with opened(address) as stream:
            for piece in stream.pieces:
                data += piece
                if len(data) > most:
                    raise ImageError(f"{address}: longer than {most >> 20} MB; save it and pass the file")
    except DownloadError as error:
        raise ImageError(f"{address}: {error}") from None
    return bytes(data)
