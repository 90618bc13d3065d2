"""One file on its way here: in a part beside its place, gone on with after a cut, and named only when it is right."""

import json
import os
import shutil
import time
from dataclasses import dataclass
from errno import ENOSPC
from glob import escape
from pathlib import Path
from typing import Any

from ...catalog import WeightsFile
from ...tools.cache import NO_ROOM
from ...tools.download import TRIES, DownloadError, PassingError, Stream, waits
from ...tools.log import log
from ...tools.progress import bar_of_bytes
from . import checksums
from .mirrors import Source, opened

NOT_IT = "what came is not the file: "


class RefusedError(Exception):
    """No source gave the file: the addresses that were tried, and why each did not."""

    def __init__(self, reasons: dict[str, str]):
        super().__init__(reasons)
        self.reasons = reasons


@dataclass(frozen=True)
class Part:
    """What has come of a file so far, and from where. Whoever touches it holds the file's lock."""

    target: Path

    @property
    def path(self) -> Path:
        return self.target.with_name(f".{self.target.name}.part")

    @property
    def origin(self) -> Path:
        return self.target.with_name(f".{self.target.name}.part.json")

    def size(self) -> int:
        return self.path.stat().st_size if self.path.is_file() else 0

    def begin(self, address: str, validator: str | None) -> None:
        self.origin.unlink(missing_ok=True)
        self.path.write_bytes(b"")
        self.origin.write_text(json.dumps({"address": address, "validator": validator}), encoding="utf-8")

    def validator(self, address: str) -> str | None:
        """What an address calls the content that the part began with."""
        try:
            origin: Any = json.loads(self.origin.read_text(encoding="utf-8"))
            return str(origin["validator"]) if origin["address"] == address and origin["validator"] else None
        except (OSError, ValueError, TypeError, LookupError):  # not noted, or cut short by a kill
            return None

    def arrive(self) -> Path:
        """Give the part its name, which nothing but whole and checked files have; its SHA-256 is noted first."""
        with self.path.open("rb+") as content:
            os.fsync(content.fileno())
        checksums.note(self.target, checksums.digest(self.path))
        self.path.replace(self.target)
        self.discard()
        return self.target

    def left(self) -> list[Path]:
        """All that is left of the file's way here, by others before too."""
        return list(self.target.parent.glob(f".{escape(self.target.name)}.*part*"))

    def discard(self) -> int:
        """Take all of that away; how many bytes it was."""
        return sum(map(delete, self.left()))


def delete(path: Path) -> int:
    """How many bytes that freed; none where there is no such file."""
    freed = path.stat().st_size if path.is_file() else 0
    path.unlink(missing_ok=True)
    return freed


def bring(file: WeightsFile, target: Path, sources: list[Source], most: int) -> Path:
    """The file from the first source that gives it whole and right; where its length is not known, of `most` bytes.

    Raises RefusedError where none does, and OSError where it cannot be written.
    """
    delivery = _Delivery(file, Part(target), file.bytes or most)
    try:
        return delivery.from_before() or delivery.from_any(sources)
    except OSError as error:
        if error.errno in NO_ROOM:
            delivery.part.discard()
        raise


@dataclass(frozen=True)
class _Delivery:
    file: WeightsFile
    part: Part
    most: int

    def from_before(self) -> Path | None:
        """The file, where a kill came between its last byte and its name."""
        if self.file.bytes is None or self.part.size() < self.file.bytes:
            return None
        if not self.fault():
            return self.part.arrive()
        self.part.discard()
        return None

    def from_any(self, sources: list[Source]) -> Path:
        reasons = {}
        for source in sources:
            for address in source:
                try:
                    return self.from_one(address)
                except PassingError as error:
                    reasons[address] = str(error)
                    break  # whoever does not answer is not asked for the file's other name
                except DownloadError as error:
                    reasons[address] = str(error)
        if not self.part.size():
            self.part.discard()
        raise RefusedError(reasons)

    def from_one(self, address: str) -> Path:
        gone_on_with, fault = self.patiently(address), self.fault()
        if gone_on_with and fault:  # it may be of two files
            self.part.discard()
            self.patiently(address)
            fault = self.fault()
        if fault:
            self.part.discard()
            raise DownloadError(NOT_IT + fault)
        log.info("%s: whole and as it should be: %s", self.part.target.name, self.part.target)
        return self.part.arrive()

    def patiently(self, address: str) -> bool:
        """Try until all has come, or until tries in a row bring nothing new; whether an earlier part was kept."""
        furthest, pauses = self.part.size(), waits()
        while True:
            try:
                return self.once(address)
            except PassingError as error:
                if self.part.size() > furthest:
                    furthest, pauses = self.part.size(), waits()
                pause = next(pauses, None)
                if pause is None:
                    raise PassingError(f"{error} ({TRIES} tries)") from None
                log.info("%s: %s; trying it again", self.part.target.name, error)
                time.sleep(max(pause, error.pause))

    def once(self, address: str) -> bool:
        with opened(address, *self.known_start(address)) as stream:
            if stream.length is not None and stream.length > self.most:
                raise DownloadError(f"{NOT_IT}it is {stream.length:,} bytes long, more than {self.most:,}")
            log.info("%s: %s %s", self.part.target.name, "going on with" if stream.start else "fetching", address)
            if stream.start == 0:
                self.part.begin(address, stream.validator)
            self.keep(stream)
        return stream.start > 0

    def known_start(self, address: str) -> tuple[int, str | None]:
        """Where to go on, and by what the server knows that it still may; a checksum lets any server go on."""
        validator = self.part.validator(address)
        may = validator is not None or self.file.checksum is not None
        return (self.part.size() if may else 0), validator

    def keep(self, stream: Stream) -> None:
        length = stream.length or self.file.bytes
        _make_sure_of_room(self.part.target.parent, (length or 0) - stream.start)
        with (
            self.part.path.open("ab") as out,
            bar_of_bytes(self.part.target.name, length) as advance,
        ):
            advance(stream.start)
            for piece in stream.pieces:
                out.write(piece)
                advance(len(piece))
                if out.tell() > self.most:
                    self.part.discard()
                    raise DownloadError(f"{NOT_IT}it goes on after {self.most:,} bytes")

    def fault(self) -> str:
        return checksums.fault(self.file, self.part.path)


def _make_sure_of_room(folder: Path, needed: int) -> None:
    room = shutil.disk_usage(folder)
    if needed > room.free and room.total:  # some disks do not tell
        raise OSError(ENOSPC, f"{needed / 1e6:,.1f} MB are needed, {room.free / 1e6:,.1f} MB are free")
