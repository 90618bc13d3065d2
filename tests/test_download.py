"""What comes from a real server on this machine, in every way that it can go wrong."""

import gzip
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from hati import __version__, download
from hati.download import DownloadError, opened, read_url
from hati.errors import ImageError

BODY = bytes(range(256)) * 2048  # longer than one piece


class Answer(BaseHTTPRequestHandler):
    """One request, answered as the server's table says for its path."""

    server: "Server"

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        self.server.answers[self.path](self)

    def send(self, body: bytes, status: int = 200, **headers: Any) -> None:
        self.send_response(status)
        for name, value in {"Content_Length": len(body), **headers}.items():
            self.send_header(name.replace("_", "-"), str(value))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *words: Any) -> None:
        """Say nothing."""


class Server(ThreadingHTTPServer):
    """A server on this machine alone, with the requests it has had."""

    def __init__(self, answers: dict[str, Callable[[Answer], None]]) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.answers = answers
        self.asked: list[str] = []

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def handle_error(self, *words: Any) -> None:
        """A client that hangs up is no news."""


@contextmanager
def serving(answers: dict[str, Callable[[Answer], None]]) -> Iterator[Server]:
    with Server(answers) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def closed_address() -> str:
    """An address of this machine at which nobody listens."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{unused.getsockname()[1]}"


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


def silent(answer: Answer) -> None:
    time.sleep(0.6)


def silent_amid(answer: Answer) -> None:
    answer.send(BODY, Content_Length=2 * len(BODY))
    answer.wfile.flush()
    time.sleep(0.6)


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
    nowhere: "Exceeded 30 redirects.",
    into_the_disk: "No connection adapters were found for 'file:///etc/hostname'",
    cut: CUT,
    cut_at_the_start: CUT,
    cut_chunks: CUT,
    badly_packed: "what came is packed wrongly",
    hung_up: "the server cannot be reached, or cut the connection",
    no_http: "the server cannot be reached, or cut the connection",
    silent: "nothing came for 0.2 s",
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
        ("file:///etc/hostname", "No connection adapters"),
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
