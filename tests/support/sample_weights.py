"""A small file of weights that no catalog knows, what may come in its place, and every way that a server may fail."""

import gzip
import hashlib
import io
import sys
from collections.abc import Callable
from dataclasses import astuple, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from faulty_server import Answer, Answering, File, hang_up, in_turn, redirect, status, without_end

from hati.catalog import WeightsFile
from hati.tools.download import CUT


def npz(seed: int = 0, numbers: int = 40_000) -> bytes:
    file = io.BytesIO()
    np.savez(file, kernel=np.random.default_rng(seed).normal(size=numbers))
    return file.getvalue()


CONTENT, OTHER = npz(), npz(seed=1)
LENGTH = len(CONTENT)
SHA256, MD5 = (hashlib.new(name, CONTENT).hexdigest() for name in ("sha256", "md5"))
PAGE = b"<!DOCTYPE html>\n<html><body>Please sign in</body></html>"
POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:0123\nsize 98209\n"
NAME, PATH = "weights.npz", "/published/weights.npz"
SOME = 100_000  # bytes


def file_at(address: str, content: bytes = CONTENT) -> WeightsFile:
    sha256 = hashlib.sha256(content).hexdigest()
    return WeightsFile(f"{address}/published", NAME, len(content), f"sha256:{sha256}", "MIT")


def left_in(folder: Path) -> set[str]:
    """What lies in a folder, locks aside."""
    return {path.name for path in folder.iterdir() if path.suffix != ".lock"} if folder.is_dir() else set()


WHOLE = {NAME, f"{NAME}.sha256"}
PART = {f".{NAME}.part", f".{NAME}.part.json"}


def send(answer: Answer, body: bytes = CONTENT, length: int | None = None, **headers: Any) -> None:
    """Without a validator, and without a thought for ranges."""
    answer.send(body, Content_Length=len(body) if length is None else length, **headers)


def without_length(answer: Answer, body: bytes = CONTENT) -> None:
    answer.start()
    answer.wfile.write(body)


@dataclass(frozen=True)
class Fault:
    """What a server does, and what comes of it: the file, where nothing is `said`, after so many requests."""

    answer: Callable[[], Answering]
    requests: int = 1
    said: str = ""
    left: frozenset[str] = frozenset()

    @property
    def leaves(self) -> set[str]:
        return set(self.left) if self.said else WHOLE


def always(answer: Answering, said: str = "", requests: int = 1, left: set[str] = set()) -> Fault:  # noqa: B006
    return Fault(lambda: answer, requests, said, frozenset(left))


def turns(*answers: Answering, requests: int) -> Fault:
    return Fault(lambda: in_turn(*answers), requests)


NOT_IT = "what came is not the file: "
FILE = File(CONTENT)
FAULTS = {
    "none": always(FILE),
    "no length": always(without_length),
    "packed against our wish": always(partial(send, body=gzip.compress(CONTENT), Content_Encoding="gzip")),
    "redirect": always(redirect("/elsewhere"), requests=2),
    "redirect in a circle": always(redirect(PATH), "sends from one address to the next", requests=31),
    "redirect into the disk": always(redirect("file:///etc/hostname"), "it leads to something that is no web address"),
    "cut once": turns(File(CONTENT, most=SOME), FILE, requests=2),
    "cut again and again": always(File(CONTENT, most=70_000), requests=5),
    "cut once, no ranges": turns(File(CONTENT, most=SOME, ranges=False), File(CONTENT, ranges=False), requests=2),
    "cut always, no ranges": always(File(CONTENT, most=SOME, ranges=False), f"{CUT} (4 tries)", 4, PART),
    "cut, no validator": turns(File(CONTENT, most=SOME, tag=None), File(CONTENT, tag=None), requests=2),
    "cut, then another tag": turns(File(OTHER, most=SOME, tag='"two"'), FILE, requests=2),
    "cut, then another file": turns(File(OTHER, most=SOME), FILE, requests=3),
    "cut, then another range": turns(File(CONTENT, most=SOME), File(CONTENT, shift=-7), requests=3),
    "stall once": turns(File(CONTENT, most=SOME, stall=True), FILE, requests=2),
    "stall always": always(File(CONTENT, most=0, stall=True), "nothing came for 0.2 s (4 tries)", 4),
    "length too long": always(partial(send, length=2 * LENGTH), f"{NOT_IT}it is {2 * LENGTH:,} bytes long, more than"),
    "length too short": always(partial(send, length=SOME), f"{NOT_IT}it is {SOME:,} bytes long, not {LENGTH:,}"),
    "no length, cut": always(
        partial(without_length, body=CONTENT[:SOME]), f"{NOT_IT}it is {SOME:,} bytes long, not {LENGTH:,}"
    ),
    "no length, more bytes": always(
        partial(without_length, body=CONTENT + b"more"), f"{NOT_IT}it goes on after {LENGTH:,} bytes"
    ),
    "no end": always(without_end(CONTENT), f"{NOT_IT}it goes on after {LENGTH:,} bytes"),
    "no bytes": always(partial(send, body=b""), f"{NOT_IT}the file is empty"),
    "other bytes": always(File(OTHER), f"{NOT_IT}its sha256 is {hashlib.sha256(OTHER).hexdigest()}, not {SHA256}"),
    "web page": always(partial(send, body=PAGE), f"{NOT_IT}it is a web page, not weights"),
    "pointer": always(partial(send, body=POINTER), f"{NOT_IT}it is a Git LFS pointer, not the weights themselves"),
    "403": always(status(403), "the server answered 403 Forbidden"),
    "404": always(status(404), "the server answered 404 Not Found"),
    "410": always(status(410), "the server answered 410 Gone"),
    "500 once": turns(status(500), FILE, requests=2),
    "500 always": always(status(500), "the server answered 500 Internal Server Error (4 tries)", 4),
    "503, come back at once": turns(status(503, Retry_After=0), FILE, requests=2),
    "429, come back in an hour": always(status(429, Retry_After=3600), "to be left alone for 3,600 s"),
    "hang-up once": turns(hang_up, FILE, requests=2),
    "hang-up always": always(hang_up, "the server cannot be reached, or cut the connection (4 tries)", 4),
}


PROGRAM = """
import sys
from dataclasses import replace
from hati import catalog
from hati.catalog import WeightsFile
entry = replace(catalog.find("MobileNet_0.25_224"), name="Loopback", top_file={file}, notop_file=None)
catalog.entries()["Loopback"] = entry
from hati.cli import main
main(prog_name="hati")
"""


def as_code(file: WeightsFile) -> str:
    """The file as a program spells it."""
    return f"WeightsFile(*{astuple(file)!r})"


def command(file: WeightsFile, *arguments: str | Path) -> list[str]:
    """The command line in a process of its own, whose catalog knows one more model: Loopback, with this file."""
    return [sys.executable, "-c", PROGRAM.format(file=as_code(file)), *map(str, arguments)]
