"""What comes from a real server on this machine, in every way that it can go wrong."""

import gzip
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email.utils import formatdate
from functools import partial
from typing import Any

import pytest
from faulty_server import Answer, Answering, File, Server, closed_address, say_nothing, serving, status

from hati import __version__
from hati.errors import ImageError
from hati.tools import download
from hati.tools.download import DownloadError, PassingError, opened, read_url, waits

BODY = bytes(range(256)) * 2048  # longer than one piece


def whole(answer: Answer) -> None:
    answer.send(BODY)


def of_unknown_length(answer: Answer) -> None:
    answer.send_response(200)
    answer.end_headers()
    answer.wfile.write(BODY)


def in_chunks(answer: Answer) -> None:
    answer.protocol_version = "HTTP/1.1"
    answer.send_response(200)
    answer.send_header("Transfer-Encoding", "chunked")
    answer.end_headers()
    answer.wfile.write(b"%x\r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY))


def packed_against_our_wish(answer: Answer) -> None:
    answer.send(gzip.compress(BODY), Content_Encoding="gzip")


def of_a_length_that_is_no_number(answer: Answer) -> None:
    answer.send(BODY, Content_Length="²")


def elsewhere(answer: Answer) -> None:
    answer.send(b"", 302, Location="/whole")


def nowhere(answer: Answer) -> None:
    answer.send(b"", 302, Location="/nowhere")


def into_the_disk(answer: Answer) -> None:
    answer.send(b"", 302, Location="file:///etc/hostname")


def cut(answer: Answer) -> None:
    answer.send(BODY, Content_Length=2 * len(BODY))


def cut_at_the_start(answer: Answer) -> None:
    answer.send(b"abcd", Content_Length=900)


def cut_chunks(answer: Answer) -> None:
    answer.protocol_version = "HTTP/1.1"
    answer.send_response(200)
    answer.send_header("Transfer-Encoding", "chunked")
    answer.end_headers()
    answer.wfile.write(b"fffff\r\nabcd")


def badly_packed(answer: Answer) -> None:
    answer.send(BODY, Content_Encoding="gzip")


def hung_up(answer: Answer) -> None:
    answer.connection.shutdown(socket.SHUT_RDWR)


def no_http(answer: Answer) -> None:
    answer.wfile.write(b"220 mail.example ESMTP\r\n\r\n")


def silent_amid(answer: Answer) -> None:
    answer.send(BODY, Content_Length=2 * len(BODY))
    answer.wfile.flush()
    say_nothing(answer)


def forbidden(answer: Answer) -> None:
    answer.send(b"<html>no</html>", 403)


def missing(answer: Answer) -> None:
    answer.send(b"<html>no</html>", 404)


def broken(answer: Answer) -> None:
    answer.send_response(503, "Come back later")
    answer.end_headers()


GOOD = (whole, of_unknown_length, in_chunks, packed_against_our_wish, of_a_length_that_is_no_number, elsewhere)
CUT = "the server cut the connection before all of it came"
BAD: dict[Callable[[Answer], None], str] = {
    nowhere: "the server sends from one address to the next without end",
    into_the_disk: "it leads to something that is no web address",
    cut: CUT,
    cut_at_the_start: CUT,
    cut_chunks: CUT,
    badly_packed: "what came is packed wrongly",
    hung_up: "the server cannot be reached, or cut the connection",
    no_http: "the server cannot be reached, or cut the connection",
    say_nothing: "nothing came for 0.2 s",
    silent_amid: "nothing came for 0.2 s",
    forbidden: "the server answered 403 Forbidden",
    missing: "the server answered 404 Not Found",
    broken: "the server answered 503 Come back later",
}


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serving({f"/{answer.__name__}": answer for answer in (*GOOD, *BAD)}) as server:
        yield server


@pytest.mark.parametrize("answer", GOOD, ids=lambda answer: answer.__name__)
def test_a_body_comes_whole_however_it_is_sent(server: Server, answer: Callable[[Answer], None]) -> None:
    with opened(f"{server.address}/{answer.__name__}") as stream:
        assert b"".join(stream.pieces) == BODY
        assert stream.length in (None, len(BODY))
    assert (stream.length is None) == (answer not in (whole, elsewhere))


@pytest.mark.parametrize("answer", BAD, ids=lambda answer: answer.__name__)
def test_a_body_that_does_not_come_whole_is_one_clear_sentence(
    server: Server, answer: Callable[[Answer], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    if answer in (say_nothing, silent_amid):  # a busy machine may keep the others waiting
        monkeypatch.setattr(download, "SILENCE_SECONDS", 0.2)
    with (
        pytest.raises(DownloadError) as failed,
        opened(f"{server.address}/{answer.__name__}") as stream,
    ):
        b"".join(stream.pieces)
    assert str(failed.value) == BAD[answer]


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("http://[::1", "Failed to parse"),
        ("nonsense", "No scheme supplied"),
        ("http://", "No host supplied"),
        ("file:///etc/hostname", "it leads to something that is no web address"),
    ],
)
def test_an_address_that_leads_nowhere_is_told_of(address: str, reason: str) -> None:
    with pytest.raises(DownloadError, match=reason), opened(address):
        pass


def test_a_machine_on_which_nobody_listens_cannot_be_reached() -> None:
    with pytest.raises(DownloadError, match="cannot be reached"), opened(closed_address()):
        pass


def test_a_server_that_takes_no_connection_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download, "CONNECT_SECONDS", 0.2)
    with full_listener() as address, pytest.raises(DownloadError, match=r"no answer within 0\.2 s"), opened(address):
        pass


@contextmanager
def full_listener() -> Iterator[str]:
    """The address of a machine that lets nobody in: the one place in its queue is taken."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        with socket.create_connection(listener.getsockname()):
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"


def test_the_server_is_told_who_asks_and_to_send_bytes_as_they_are() -> None:
    headers: dict[str, str] = {}

    def noting(answer: Answer) -> None:
        headers.update(answer.headers.items())
        answer.send(BODY)

    with serving({"/": noting}) as server, opened(f"{server.address}/"):
        pass
    assert headers["User-Agent"] == f"hati/{__version__}"
    assert headers["Accept-Encoding"] == "identity"


def test_a_fault_of_the_reader_is_not_taken_for_the_servers(server: Server) -> None:
    with pytest.raises(ZeroDivisionError), opened(f"{server.address}/whole"):
        _ = 1 / 0


@pytest.mark.parametrize("answer", GOOD, ids=lambda answer: answer.__name__)
def test_a_photo_is_read_whole(server: Server, answer: Callable[[Answer], None]) -> None:
    assert read_url(f"{server.address}/{answer.__name__}", len(BODY)) == BODY


@pytest.mark.parametrize("answer", [cut, missing, hung_up], ids=lambda answer: answer.__name__)
def test_a_photo_that_does_not_come_is_an_image_error(server: Server, answer: Callable[[Answer], None]) -> None:
    address = f"{server.address}/{answer.__name__}"
    with pytest.raises(ImageError) as failed:
        read_url(address, 1 << 30)
    assert str(failed.value) == f"{address}: {BAD[answer]}"


@pytest.mark.parametrize("answer", [whole, of_unknown_length, packed_against_our_wish])
def test_a_photo_longer_than_asked_for_is_left(server: Server, answer: Callable[[Answer], None]) -> None:
    with pytest.raises(ImageError, match=r"/\w+: longer than 0 MB; save it and pass the file$"):
        read_url(f"{server.address}/{answer.__name__}", len(BODY) - 1)


HALF = len(BODY) // 2


def read(address: str, start: int = 0, validator: str | None = None) -> tuple[int, bytes]:
    with opened(address, start, validator) as stream:
        assert stream.length in (None, len(BODY))
        return stream.start, b"".join(stream.pieces)


def of_another_range(answer: Answer) -> None:
    """The bytes before those that were asked for, honestly told of."""
    File(BODY, shift=-7)(answer)


def packed_from_the_middle(answer: Answer) -> None:
    if answer.headers["Range"]:
        answer.send(b"?", 206, Content_Range=f"bytes {HALF}-{len(BODY) - 1}/{len(BODY)}", Content_Encoding="gzip")
    else:
        answer.send(BODY)


def a_part_without_its_place(answer: Answer) -> None:
    answer.send(BODY[HALF:], 206) if answer.headers["Range"] else answer.send(BODY)


@pytest.mark.parametrize(
    ("answer", "start", "validator", "came", "requests"),
    [
        (File(BODY), HALF, None, HALF, 1),
        (File(BODY), HALF, '"one"', HALF, 1),
        (File(BODY), HALF, '"two"', 0, 1),
        (File(BODY), len(BODY), None, len(BODY), 1),
        (File(BODY), len(BODY) + 9, None, 0, 2),
        (File(BODY, ranges=False), HALF, None, 0, 1),
        (of_another_range, HALF, None, 0, 2),
        (packed_from_the_middle, HALF, None, 0, 2),
        (a_part_without_its_place, HALF, None, 0, 2),
    ],
    ids=["rest", "same", "changed", "ended", "too far", "no ranges", "another range", "packed", "no place"],
)
def test_a_body_is_gone_on_with_where_that_is_safe(
    answer: Answering, start: int, validator: str | None, came: int, requests: int
) -> None:
    with serving({"/": answer}) as server:
        assert read(f"{server.address}/", start, validator) == (came, BODY[came:])
        assert server.ranges == [f"bytes={start}-", None][:requests]


def test_a_rest_that_is_cut_is_told_of() -> None:
    with (
        serving({"/": File(BODY, most=1000)}) as server,
        pytest.raises(PassingError, match=CUT),
    ):
        read(f"{server.address}/", HALF)


def test_a_part_that_nobody_asked_for_is_refused() -> None:
    part = partial(Answer.send, body=BODY, status=206, Content_Range="bytes 0-9/10")
    with (
        serving({"/": part}) as server,
        pytest.raises(DownloadError, match="a part where all was asked for"),
        opened(f"{server.address}/"),
    ):
        pass


def send_with(headers: dict[str, Any], answer: Answer) -> None:
    answer.send(BODY, **headers)


@pytest.mark.parametrize(
    ("headers", "validator"),
    [
        ({"ETag": '"a"', "Last-Modified": "then"}, '"a"'),
        ({"ETag": 'W/"a"', "Last-Modified": "then"}, "then"),
        ({"ETag": 'W/"a"'}, None),
        ({}, None),
    ],
)
def test_a_server_knows_its_content_again_by_a_strong_validator(headers: dict[str, str], validator: str | None) -> None:
    with serving({"/": partial(send_with, headers)}) as server, opened(f"{server.address}/") as stream:
        assert stream.validator == validator


def in_seconds(seconds: float) -> str:
    return formatdate(time.time() + seconds, usegmt=True)


@pytest.mark.parametrize(
    ("code", "asks", "pause"),
    [
        (503, "7", 7),
        (429, "0", 0),
        (503, 100, 100),
        (503, -50, 0),
        (500, "soon", 0),
        (408, "²", 0),
    ],
)
def test_a_refusal_that_passes_tells_how_long_to_wait(code: int, asks: str | float, pause: float) -> None:
    """As a text; a number here stands for the date so many seconds from now."""
    told = asks if isinstance(asks, str) else in_seconds(asks)
    with (
        serving({"/": status(code, Retry_After=told)}) as server,
        pytest.raises(PassingError) as failed,
        opened(f"{server.address}/"),
    ):
        pass
    assert failed.value.pause == pytest.approx(pause, abs=0 if told == asks else 60)


@pytest.mark.parametrize("code", [400, 401, 403, 404, 410, 416, 451])
def test_a_refusal_that_stays_is_not_one_that_passes(code: int) -> None:
    with (
        serving({"/": status(code)}) as server,
        pytest.raises(DownloadError, match=f"the server answered {code} ") as failed,
        opened(f"{server.address}/"),
    ):
        pass
    assert not isinstance(failed.value, PassingError)


def test_a_server_that_wants_to_be_left_alone_for_long_is_given_up() -> None:
    with (
        serving({"/": status(503, Retry_After="4000")}) as server,
        pytest.raises(DownloadError, match="asks to be left alone for 4,000 s") as failed,
        opened(f"{server.address}/"),
    ):
        pass
    assert not isinstance(failed.value, PassingError)


def test_waits_grow_and_are_never_alike() -> None:
    many = [list(waits()) for _ in range(50)]
    assert {len(some) for some in many} == {download.TRIES - 1}
    assert len({some[0] for some in many}) > 40
    for number in range(download.TRIES - 1):
        assert all(2**number / 2 <= some[number] <= 2**number for some in many)


@pytest.mark.parametrize(("value", "forbidden"), [("1", True), ("yes", True), ("0", False), ("", False), ("no", False)])
def test_offline_forbids_the_network(
    server: Server, monkeypatch: pytest.MonkeyPatch, value: str, forbidden: bool
) -> None:
    monkeypatch.setenv("HATI_OFFLINE", value)
    server.asked.clear()
    if not forbidden:
        assert read_url(f"{server.address}/whole", len(BODY)) == BODY
        return
    with pytest.raises(ImageError, match="/whole: HATI_OFFLINE is set, so nothing is fetched from the network"):
        read_url(f"{server.address}/whole", len(BODY))
    assert server.asked == []
