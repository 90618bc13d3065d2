"""What was measured, as JSON that grows piece by piece: a run that is killed loses the piece it was at, no more."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from hati.errors import ArgumentError
from hati.tools.measuring import Spread

from .networks import write_whole


@dataclass(frozen=True)
class Row:
    """One quantity of one peer, in its piece's unit (seconds where nothing else is said), or why there is none."""

    median: float | None = None
    low: float | None = None
    high: float | None = None
    failed: str = ""
    difference: float | None = None  # of its answer from hati's, as a part of the largest score
    memory: float | None = None  # MB at the most, of a process that did this and nothing else
    note: str = ""

    @classmethod
    def of(cls, found: list[float], **others: Any) -> "Row":
        """Of one measurement or of many."""
        spread = Spread.of(found)
        return cls(spread.median, spread.low, spread.high, **others)


Piece = dict[str, Row]  # by the peer's name


@dataclass
class Results:
    """Everything of one run, and the file that it is kept in."""

    path: Path | None = None
    about: dict[str, Any] = field(default_factory=dict)  # machine, versions, threads, date
    pieces: dict[str, Piece] = field(default_factory=dict)

    def add(self, name: str, piece: Mapping[str, Row]) -> None:
        self.pieces[name] = dict(piece)
        self.save()

    def save(self) -> None:
        if self.path is not None:
            pieces = {name: {peer: _told(row) for peer, row in piece.items()} for name, piece in self.pieces.items()}
            write_whole(self.path, {"about": self.about, "pieces": pieces})

    def median(self, piece: str, row: str) -> float | None:
        return self.pieces.get(piece, {}).get(row, Row()).median

    def ratio(self, piece: str, row: str, other: str) -> float | None:
        """How many times as long as `other` a row took."""
        above, below = self.median(piece, row), self.median(piece, other)
        return above / below if above is not None and below else None

    def memory(self, piece: str, row: str) -> float | None:
        return self.pieces.get(piece, {}).get(row, Row()).memory


def read(path: Path) -> Results:
    """What a file holds; nothing yet where there is no file. Raises ArgumentError for a file of another kind."""
    if not path.exists():
        return Results(path)
    try:
        found = json.loads(path.read_text())
        pieces = {name: {peer: Row(**row) for peer, row in piece.items()} for name, piece in found["pieces"].items()}
        return Results(path, found["about"], pieces)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ArgumentError(f"{path} holds no results of benchmarks/run ({error}); remove it") from None


def _told(row: Row) -> dict[str, Any]:
    """Without what it does not say."""
    return {key: value for key, value in asdict(row).items() if value not in (None, "")}
