"""Files that appear whole or not at all, and names for them that no other name can lead astray."""

import hashlib
import re
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

LONGEST_NAME = 60  # letters of a name that stand in a file's


def part_of(target: Path) -> Path:
    """A name of its own beside a file or folder that is on its way."""
    return target.with_name(f".{target.name}.{secrets.token_hex(4)}.part")


@contextmanager
def whole(target: Path) -> Iterator[Path]:
    """A part for a file or a folder to be written into: it takes its place at the end, whole.

    Where the work on it fails, nothing is left of it, and what was in its place stays.
    """
    part = part_of(target)
    try:
        yield part
        take_place(part, target)
    finally:
        remove(part)


@contextmanager
def workshop(target: Path) -> Iterator[Path]:
    """A folder beside the place of what is made in it, gone afterwards: what is moved from there is moved whole."""
    shop = part_of(target.absolute())
    shop.mkdir(parents=True)
    try:
        yield shop
    finally:
        remove(shop)


def take_place(part: Path, target: Path) -> None:
    """A file or a folder to its name; what had it before is gone then, or still there where the system refuses."""
    if target.is_symlink() or not target.is_dir():
        part.replace(target)
        return
    before = part_of(target.absolute())
    target.replace(before)
    try:
        part.replace(target)
    except OSError:
        before.replace(target)
        raise
    remove(before)


def remove(path: Path) -> None:
    """A file or a folder with all that is in it, as far as the system lets it go."""
    with suppress(OSError):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def file_name(name: str, *others: object) -> str:
    """What a file is called after `name` and all else that tells it from others: no path, no pattern, on any system.

    The letters of the name that every system takes stand first, for people; a digest of everything behind them.
    """
    plain = re.sub(r"[^0-9A-Za-z_.]+", "_", name).strip("._")[:LONGEST_NAME]
    return f"{plain or 'unnamed'}-{digest(name, *others)[:16]}"


def digest(*things: object) -> str:
    """SHA-256 of what things say of themselves."""
    return hashlib.sha256(repr(things).encode("utf-8", "surrogatepass")).hexdigest()
