"""Figures that were measured on this machine, kept in the cache as soon as they are there."""

import json
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from .cache import folder
from .files import digest, whole
from .measuring import Spread


@dataclass(frozen=True)
class MeasurementCache:
    """`state` is all that its figures depend on, such as this machine and versions; another one, another cache."""

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

    def kept_time(self, name: str) -> Spread | None:
        """A time that may still serve; None where it is noisy or old, for then taking it again mends it."""
        try:
            found = Spread(**self.kept(name))
            return found if found.serves(datetime.now(UTC)) else None
        except (TypeError, ValueError):
            return None

    def keep_time(self, name: str, found: Spread) -> None:
        self.keep(name, asdict(found))

    def keep(self, name: str, told: dict[str, Any]) -> None:
        """A disk that takes nothing costs time at the next call, never an answer."""
        note = self.place / f"{name}.json"
        with suppress(OSError):
            note.parent.mkdir(parents=True, exist_ok=True)
            with whole(note) as part:
                part.write_text(json.dumps(told, indent=2), encoding="utf-8")
