"""The folder on this machine that hati may fill and empty: downloaded weights and compiled graphs."""

import os
import secrets
from pathlib import Path


def folder(part: str) -> Path:
    """`HATI_CACHE`, or the system's place for caches; the part of it that is asked for need not exist yet."""
    if chosen := os.environ.get("HATI_CACHE"):
        return Path(chosen).expanduser() / part
    from platformdirs import user_cache_path

    return user_cache_path("hati", appauthor=False) / part


def part_of(target: Path) -> Path:
    """A name of its own beside a file that is on its way: written there, it appears whole or not at all."""
    return target.with_name(f".{target.name}.{secrets.token_hex(4)}.part")
