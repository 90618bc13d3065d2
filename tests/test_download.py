"""Every way in which a server can fail, as one sentence."""

import http.server
import threading
import time
from collections.abc import Iterator

import pytest

from hati import download
from hati.download import DownloadError, opened, read_url
from hati.errors import ImageError

BODY = b"0123456789" * 100


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.close_connection = True
        match self.path:
            case "/refused":
                self.send_error(403)
            case "/loop":
                self.send_response(302)
                self.send_header("Location", "/loop")
                self.send_header("Content-Length", "0")
                self.send_header("Connection", "close")
                self.end_headers()
            case "/cut":
                self.start(length=len(BODY))
                self.wfile.write(BODY[:10])
            case "/cut-chunks":
                self.start(length=None)
                self.wfile.write(b"a\r\n0123456789\r\n")
            case "/silent":
                self.start(length=len(BODY))
                time.sleep(1.5)
            case _:
                self.start(length=len(BODY))
                self.wfile.write(BODY)

    def start(self, length: int | None) -> None:
        self.send_response(200)
        self.send_header(*("Transfer-Encoding", "chunked") if length is None else ("Content-Length", str(length)))
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setattr(download, "SILENCE_SECONDS", 0.5)
    running = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=running.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{running.server_port}"
    running.shutdown()
    running.server_close()


def test_a_body_comes_in_pieces_with_its_length(server: str) -> None:
    with opened(f"{server}/good") as stream:
        assert stream.length == len(BODY)
        assert b"".join(stream.pieces) == BODY


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("/refused", "the server answered 403 Forbidden"),
        ("/loop", "redirects"),
        ("/cut", "cut"),
        ("/cut-chunks", "cut"),
        ("/silent", "nothing came for 0.5 s"),
    ],
)
def test_a_failure_is_one_sentence(server: str, path: str, reason: str) -> None:
    with pytest.raises(DownloadError, match=reason) as caught, opened(server + path) as stream:
        list(stream.pieces)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("address", ["http://", "http://[bad", "https://localhost:99999/x"])
def test_an_address_that_is_none_is_told(address: str) -> None:
    with pytest.raises(DownloadError), opened(address):
        pass


def test_a_photo_is_read_up_to_its_limit(server: str) -> None:
    assert read_url(f"{server}/good", most=len(BODY)) == BODY
    with pytest.raises(ImageError, match="longer than"):
        read_url(f"{server}/good", most=len(BODY) - 1)
