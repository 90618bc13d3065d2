"""Figures that were measured on this machine, kept in the cache as soon as they are there."""

import json
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .cache import folder
from .files import digest, whole


@dataclass(frozen=True)
class Notebook:
    """`state` is all that its figures depend on, such as this machine and versions; another one, another notebook."""

    state: tuple[object, ...]

    @property
    def place(self) -> Path:
        return folder("measured") / digest(self.state)[:16]

    def kept(self, name: str) -> Any:
        """What JSON makes of a note; None where there is none, or a damaged one: measuring again mends it."""
        try:
            return json.loads((self.place / f"{name}.json").read_bytes())
        except (OSError, ValueError, RecursionError):
            return None

    def keep(self, name: str, told: dict[str, Any]) -> None:
        """A disk that takes nothing costs time at the next call, never an answer."""
        note = self.place / f"{name}.json"
        with suppress(OSError):
            note.parent.mkdir(parents=True, exist_ok=True)
            with whole(note) as part:
                part.write_text(json.dumps(told, indent=2), encoding="utf-8")
