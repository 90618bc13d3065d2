"""A real server on this machine alone that cuts, stalls, lies and refuses as its table says, path by path."""

import re
import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any


class Answer(BaseHTTPRequestHandler):
    """One request, answered as the server's table says for its path."""

    server: "Server"

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        self.server.ranges.append(self.headers.get("Range"))
        self.server.answers.get(self.path, status(404))(self)

    def do_CONNECT(self) -> None:
        """Be a proxy for a connection that only its two ends can read."""
        self.server.asked.append(self.path)
        host, _, port = self.path.rpartition(":")
        with socket.create_connection((host, int(port))) as further:
            self.send_response(200)
            self.end_headers()
            thread = threading.Thread(target=pass_on, args=(self.connection, further))
            thread.start()
            pass_on(further, self.connection)
            thread.join()

    def send(self, body: bytes, status: int = 200, **headers: Any) -> None:
        self.start(status, **{"Content_Length": len(body), **headers})
        self.wfile.write(body)

    def start(self, status: int = 200, **headers: Any) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), str(value))
        self.end_headers()

    def log_message(self, *words: Any) -> None:
        """Say nothing."""


Answering = Callable[[Answer], None]


class Server(ThreadingHTTPServer):
    """The requests it has had, and what it will say to each path."""

    scheme = "http"

    def __init__(self, answers: dict[str, Answering]) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.answers = answers
        self.asked: list[str] = []
        self.ranges: list[str | None] = []

    @property
    def address(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.server_port}"

    def handle_error(self, *words: Any) -> None:
        """A client that hangs up is no news."""


@contextmanager
def serving(answers: dict[str, Answering], certificate: Path | None = None) -> Iterator[Server]:
    """A server that runs; over TLS where it has a certificate, with its key in the same file."""
    with Server(answers) as server:
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            server.socket = context.wrap_socket(server.socket, server_side=True)
            server.scheme = "https"
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


@dataclass(frozen=True)
class File:
    """A file as a server sends it: whole, or with the faults that are set."""

    body: bytes
    ranges: bool = True  # whether it goes on from where it is asked to
    tag: str | None = '"one"'  # its validator
    most: int | None = None  # bytes that one answer sends before the connection is cut
    stall: bool = False  # whether it is silent instead, until the client hangs up
    pause: float = 0  # seconds after each piece
    piece: int = 1 << 16
    shift: int = 0  # bytes by which its answer to a range is beside what was asked for

    def __call__(self, answer: Answer) -> None:
        start = self._start(answer)
        rest = self.body[start:]
        tag = {} if self.tag is None else {"ETag": self.tag}
        if start > len(self.body) or (start and not rest):
            return answer.send(b"", 416, Content_Range=f"bytes */{len(self.body)}")
        if start:
            content = f"bytes {start}-{len(self.body) - 1}/{len(self.body)}"
            answer.start(206, Content_Length=len(rest), Content_Range=content, **tag)
        else:
            answer.start(200, Content_Length=len(rest), **tag)
        return self._write(answer, rest)

    def _start(self, answer: Answer) -> int:
        asked = re.fullmatch(r"bytes=(\d+)-", answer.headers.get("Range", ""))
        known = answer.headers.get("If-Range", self.tag) == self.tag
        return int(asked[1]) + self.shift if asked and known and self.ranges else 0

    def _write(self, answer: Answer, rest: bytes) -> None:
        for begin in range(0, len(rest[: self.most]), self.piece):
            answer.wfile.write(rest[: self.most][begin : begin + self.piece])
            time.sleep(self.pause)
        if self.stall:
            say_nothing(answer)


def in_turn(*answers: Answering) -> Answering:
    """One answer after another, the last for all that follow."""
    waiting = list(answers)
    return lambda answer: (waiting.pop(0) if waiting[1:] else waiting[0])(answer)


def status(code: int, **headers: Any) -> Answering:
    """A refusal, with the page that servers send along."""
    return lambda answer: answer.send(b"<html><body>no</body></html>", code, **headers)


def redirect(to: str) -> Answering:
    return lambda answer: answer.send(b"", 302, Location=to)


def hang_up(answer: Answer) -> None:
    answer.connection.shutdown(socket.SHUT_RDWR)


def say_nothing(answer: Answer) -> None:
    """Until the client hangs up, however long it waits."""
    answer.connection.recv(1)


def without_end(body: bytes) -> Answering:
    """It never says how long it is, and never stops."""

    def answering(answer: Answer) -> None:
        answer.start()
        while True:
            answer.wfile.write(body)

    return answering


def closed_address() -> str:
    """An address of this machine at which nobody listens."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{unused.getsockname()[1]}"


def pass_on(one: socket.socket, other: socket.socket) -> None:
    """What one end says, to the other, until either falls silent."""
    try:
        while said := one.recv(1 << 16):
            other.sendall(said)
        other.shutdown(socket.SHUT_WR)
    except OSError:
        pass


def self_signed(folder: Path) -> Path | None:
    """A certificate that nobody vouches for, and its key, in one file; None where there is no `openssl` to make it."""
    if not shutil.which("openssl"):
        return None
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    names = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", *names]
    subprocess.run([*command, "-keyout", key, "-out", certificate], check=True, capture_output=True, timeout=600)
    certificate.write_bytes(certificate.read_bytes() + key.read_bytes())
    return certificate
