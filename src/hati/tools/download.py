"""What comes over the network, in one place: every failure is one clear sentence."""

from __future__ import annotations

import os
import random
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from .. import __version__
from ..errors import ImageError
from .log import log

if TYPE_CHECKING:
    import requests

CONNECT_SECONDS: float = 5
SILENCE_SECONDS: float = 30
TRIES, FIRST_WAIT_SECONDS, LONGEST_WAIT_SECONDS = 4, 1.0, 120.0
PIECE = 1 << 14  # bytes; a cut costs the piece that was on its way
PASSING = {408, 425, 429, *range(500, 600)}  # answers that another try may change
CUT = "the server cut the connection before all of it came"


class DownloadError(Exception):
    """Why an address could not be read; the caller knows what it was for."""


class PassingError(DownloadError):
    """What another try may mend; `pause` is how many seconds the server asks to be left alone."""

    def __init__(self, reason: str, pause: float = 0):
        super().__init__(reason)
        self.pause = pause


@dataclass(frozen=True)
class Stream:
    length: int | None  # bytes of the whole, where the server tells
    pieces: Iterator[bytes]
    start: int = 0  # of the first piece, in bytes
    validator: str | None = None  # by which the server knows this content again


@contextmanager
def opened(address: str, start: int = 0, validator: str | None = None) -> Iterator[Stream]:
    """The body behind an address, piece by piece, from byte `start` on where the server can go on there.

    With a `validator` it goes on only where the content is still the same. Look at the stream's own `start`: it is 0
    where everything comes anew. Raises DownloadError at any point, PassingError where another try may help.
    """
    answer = _ask(address, start, validator)
    if start and not _goes_on(answer, start):
        if answer.status_code != 200:
            answer.close()
            answer = _ask(address)
        start = 0
    with answer:
        length = _length(answer, start)
        yield Stream(length, _whole(answer, length, start), start, _validator(answer.headers))


def waits() -> Iterator[float]:
    """Seconds before each further try: they double, and chance shortens them, so that a crowd spreads out."""
    for number in range(TRIES - 1):
        yield min(FIRST_WAIT_SECONDS * 2**number, LONGEST_WAIT_SECONDS) * random.uniform(0.5, 1)


def offline() -> bool:
    """Whether HATI_OFFLINE forbids the network."""
    return os.environ.get("HATI_OFFLINE", "").lower() not in ("", "0", "false", "no", "off")


def _ask(address: str, start: int = 0, validator: str | None = None) -> requests.Response:
    """The answer to a request; with a `start`, also the refusal to begin there."""
    import requests

    if offline():
        raise DownloadError("HATI_OFFLINE is set, so nothing is fetched from the network")
    headers = {"User-Agent": f"hati/{__version__}", "Accept-Encoding": "identity"}
    if start:
        headers |= {"Range": f"bytes={start}-"} | ({"If-Range": validator} if validator else {})
    try:
        answer = requests.get(address, stream=True, timeout=(CONNECT_SECONDS, SILENCE_SECONDS), headers=headers)
    except (requests.RequestException, OSError) as error:  # a bundle of certificates that is not there is an OSError
        raise _failure(error) from None
    if start > 0 if answer.status_code in (206, 416) else answer.ok:
        return answer
    with answer:
        raise _refusal(answer)


def _refusal(answer: requests.Response) -> DownloadError:
    if answer.ok:
        return DownloadError("the server sent a part where all was asked for")
    reason = f"the server answered {answer.status_code} {answer.reason}"
    if answer.status_code not in PASSING:
        return DownloadError(reason)
    pause = _pause(answer.headers.get("Retry-After", ""))
    if pause > LONGEST_WAIT_SECONDS:
        return DownloadError(f"{reason}, and asks to be left alone for {pause:,.0f} s")
    return PassingError(reason, pause)


def _pause(retry_after: str) -> float:
    """Seconds, from a number of them or from a date."""
    if retry_after.isascii() and retry_after.isdecimal():
        return float(retry_after)
    try:
        date = parsedate_to_datetime(retry_after)
    except ValueError:
        return 0
    return max(0, (date.replace(tzinfo=date.tzinfo or UTC) - datetime.now(UTC)).total_seconds())


def _goes_on(answer: requests.Response, start: int) -> bool:
    """Whether what comes is the rest, byte for byte; of something that has ended just there, the rest is nothing."""
    first, total = _range(answer.headers)
    if answer.status_code == 416:
        return total == start
    return answer.status_code == 206 and first == start and not _packed(answer.headers)


def _range(headers: Mapping[str, str]) -> tuple[int | None, int | None]:
    """The first byte, and how many there are in all, as far as Content-Range tells."""
    found = re.match(r"bytes (\d+|\*)(?:-\d+)?/(\d+|\*)$", headers.get("Content-Range", ""), re.ASCII)
    first, total = (None if number == "*" else int(number) for number in found.groups()) if found else (None, None)
    return first, total


def _packed(headers: Mapping[str, str]) -> bool:
    return headers.get("Content-Encoding", "identity") != "identity"


def _validator(headers: Mapping[str, str]) -> str | None:
    tag = headers.get("ETag", "")
    return tag if tag.startswith('"') else headers.get("Last-Modified")  # a weak tag may stand for other bytes


def _length(answer: requests.Response, start: int) -> int | None:
    """How many bytes the whole has; a server that packs them against our wish tells of the packed ones only."""
    if answer.status_code == 416:
        return start
    length = answer.headers.get("Content-Length", "")
    return start + int(length) if length.isdecimal() and not _packed(answer.headers) else None


def _whole(answer: requests.Response, length: int | None, start: int) -> Iterator[bytes]:
    import requests

    if answer.status_code == 416:
        return
    came = start
    try:
        for piece in answer.iter_content(PIECE):
            came += len(piece)
            yield piece
    except requests.RequestException as error:
        raise _failure(error) from None
    if length is not None and came != length:
        raise PassingError(CUT)


def _failure(error: Exception) -> DownloadError:
    import requests
    from urllib3.exceptions import ReadTimeoutError

    match error:
        case requests.ConnectTimeout():
            return PassingError(f"no answer within {CONNECT_SECONDS} s")
        case requests.Timeout():
            return PassingError(f"nothing came for {SILENCE_SECONDS} s")
        case requests.exceptions.SSLError():
            return DownloadError(_untrusted(error))
        case requests.exceptions.ProxyError():
            return PassingError("the proxy cannot be reached, or refused; HTTP_PROXY, HTTPS_PROXY and NO_PROXY set it")
        case requests.ConnectionError(args=[ReadTimeoutError(), *_]):  # so requests calls silence amid a body
            return PassingError(f"nothing came for {SILENCE_SECONDS} s")
        case requests.ConnectionError():
            return PassingError("the server cannot be reached, or cut the connection")
        case requests.exceptions.ChunkedEncodingError():
            return PassingError(CUT)
        case requests.exceptions.ContentDecodingError():
            return DownloadError("what came is packed wrongly")
        case requests.TooManyRedirects():
            return DownloadError("the server sends from one address to the next without end")
        case requests.exceptions.InvalidSchema():
            return DownloadError("it leads to something that is no web address")
    return DownloadError(str(error))


def _untrusted(error: Exception) -> str:
    reason = re.search(r"certificate verify failed: ([^(]+)", str(error))
    return (
        f"its certificate is not trusted here ({reason[1].strip() if reason else 'no secure connection'}); "
        "REQUESTS_CA_BUNDLE can name a file of certificates to trust"
    )


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
    log.info("%s: fetched, %s bytes", address, f"{len(data):,}")
    return bytes(data)
