"""What comes of training: a model, and all that is to be known of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from html import escape
from os import PathLike
from pathlib import Path
from typing import Any

from ..errors import ImageError
from ..evaluating import Evaluation
from ..model import Answer, Model
from ..model.naming import Namer
from ..photos.finding import Photos
from ..tools.arrays import Floats
from ..tools.tables import table
from .duplicates import Duplicate

SHOWN = 10  # photos of a kind that are listed


@dataclass(frozen=True)
class Trained(Namer):
    """A model that has learnt a person's classes, and what is to be known of it. It answers and is saved as a Model."""

    model: Model
    method: str
    learnt_from: int  # photos
    photos: dict[str, int]  # of them in each class; in several, where a photo can have several
    evaluation: Evaluation | None  # on photos that it did not learn from; None where there were none to spare
    tried: dict[str, float | None]  # every method that was tried, and its accuracy on the validation photos
    duplicates: tuple[Duplicate, ...]  # photos that lie in both sets, or all but
    unreadable: tuple[ImageError, ...]  # photos that were skipped
    notes: tuple[str, ...]  # what a person should know
    advice: tuple[str, ...]  # what a person could do
    checkpoint: Path | None = None  # from which fine-tuning would go on

    def answers(self, photos: Photos, top: int = 3, *, every_pixel: bool = False) -> Iterator[Answer]:
        """As `Model.answers`."""
        return self.model.answers(photos, top, every_pixel=every_pixel)

    def features(self, photos: Photos, layer: str | None = None, *, every_pixel: bool = False) -> Floats:
        """As `Model.features`."""
        return self.model.features(photos, layer, every_pixel=every_pixel)

    def save(self, path: str | PathLike[str], *, light: bool = False) -> None:
        """As `Model.save`; what was kept for going on after a kill is then removed."""
        self.model.save(Path(path), light=light)
        if self.checkpoint is not None:
            self.checkpoint.unlink(missing_ok=True)

    def text(self) -> str:
        """For people: the methods that were tried, how well the model does, what stood in its way, what would help."""
        parts = [self._methods()]
        if self.evaluation is not None:
            parts.append(self.evaluation.text())
        parts += _listed("also among the photos to learn from, or all but", self.duplicates)
        parts += _listed("could not be read, and were skipped", self.unreadable)
        parts += _listed("", self.notes) + _listed("", self.advice)
        return "\n\n".join(parts)

    def to_json(self) -> dict[str, Any]:
        """For programs: numbers, texts and lists."""
        return {
            "method": self.method,
            "learnt_from": self.learnt_from,
            "photos": self.photos,
            "tried": self.tried,
            "evaluation": self.evaluation and self.evaluation.to_json(),
            "duplicates": [asdict(pair) for pair in self.duplicates],
            "unreadable": [str(error) for error in self.unreadable],
            "notes": self.notes,
            "advice": self.advice,
        }

    def __repr__(self) -> str:
        validated = "" if self.evaluation is None else f", validated {self.evaluation.accuracy:.1%}"
        return f"<hati.Trained: {len(self.photos)} classes by {self.method} from {self.learnt_from} photos{validated}>"

    def __str__(self) -> str:
        return self.text()

    def _repr_html_(self) -> str:
        """What a notebook shows."""
        return f"<pre>{escape(self.text())}</pre>"

    def _methods(self) -> str:
        rows = [
            (method, "" if accuracy is None else f"{accuracy:.1%}", "taken" if method == self.method else "")
            for method, accuracy in self.tried.items()
        ]
        photos = f"{self.learnt_from} photos of {len(self.photos)} classes"
        return table(("Method", "Validated", ""), rows, right=(1,), title=f"Learnt from {photos}")


def _listed(what: str, things: Sequence[object]) -> list[str]:
    """A heading with a count, and the first things below it; nothing where there are none."""
    if not things:
        return []
    more = [f"  and {len(things) - SHOWN} more"] if len(things) > SHOWN else []
    heading = [f"{len(things)} {what}:"] if what else []
    return ["\n".join([*heading, *(f"  {thing}" if what else str(thing) for thing in things[:SHOWN]), *more])]
