"""What comes over the network, in one place: every failure is one clear sentence."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import requests

from . import __version__
from .errors import ImageError

CONNECT_SECONDS, SILENCE_SECONDS = 5, 30
PIECE = 1 << 18


class DownloadError(Exception):
    """Why an address could not be read; the caller knows what it was for."""


@dataclass(frozen=True)
class Stream:
    length: int | None  # bytes, where the server tells
    pieces: Iterator[bytes]


@contextmanager
def opened(address: str) -> Iterator[Stream]:
    """The body behind an address, piece by piece. Raises DownloadError at any point."""
    agent = {"User-Agent": f"hati/{__version__}", "Accept-Encoding": "identity"}
    waits = (CONNECT_SECONDS, SILENCE_SECONDS)
    try:
        with requests.get(address, stream=True, timeout=waits, headers=agent) as answer:
            if not answer.ok:
                raise DownloadError(f"the server answered {answer.status_code} {answer.reason}")
            length = answer.headers.get("Content-Length", "")
            yield Stream(int(length) if length.isdigit() else None, answer.iter_content(PIECE))
    except requests.ConnectTimeout:
        raise DownloadError(f"no answer within {CONNECT_SECONDS} s") from None
    except requests.Timeout:
        raise DownloadError(f"nothing came for {SILENCE_SECONDS} s") from None
    except requests.ConnectionError:
        raise DownloadError("the server cannot be reached, or cut the connection") from None
    except requests.RequestException as error:
        raise DownloadError(str(error)) from None


def read_url(address: str, most: int) -> bytes:
    """A photo behind a URL. Raises ImageError where it cannot be had or is longer than `most` bytes."""
    data = bytearray()
    try:
        with opened(address) as stream:
            for piece in stream.pieces:
                data += piece
                if len(data) > most:
                    raise ImageError(f"{address}: longer than {most >> 20} MB; save it and pass the file")
            if stream.length is not None and len(data) != stream.length:
                raise DownloadError(f"only {len(data):,} of {stream.length:,} bytes came")
    except DownloadError as error:
        raise ImageError(f"{address}: {error}") from None
    return bytes(data)
