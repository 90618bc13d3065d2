"""What a person reads after training."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from ..tools.tables import table

if TYPE_CHECKING:
    from .training import Trained

SHOWN = 10  # photos of a kind that are listed


def text(trained: Trained) -> str:
    """The methods that were tried, how well the model does, what stood in the way, and what would help."""
    parts = [_tried(trained)]
    if trained.evaluation is not None:
        parts.append(trained.evaluation.text())
    parts += _listed("also among the photos to learn from, or all but", _pairs(trained))
    parts += _listed("could not be read, and were skipped", [str(error) for error in trained.unreadable])
    parts += _listed("", trained.notes) + _listed("", trained.advice)
    return "\n\n".join(parts)


def to_json(trained: Trained) -> dict[str, Any]:
    """The same for programs."""
    return {
        "method": trained.method,
        "learnt_from": trained.learnt_from,
        "photos": trained.photos,
        "tried": trained.tried,
        "evaluation": trained.evaluation and trained.evaluation.to_json(),
        "duplicates": [asdict(pair) for pair in trained.duplicates],
        "unreadable": [str(error) for error in trained.unreadable],
        "notes": trained.notes,
        "advice": trained.advice,
    }


def _tried(trained: Trained) -> str:
    rows = [
        (method, "" if accuracy is None else f"{accuracy:.1%}", "taken" if method == trained.method else "")
        for method, accuracy in trained.tried.items()
    ]
    photos = f"{trained.learnt_from} photos of {len(trained.photos)} classes"
    return table(("Method", "Validated", ""), rows, right=(1,), title=f"Learnt from {photos}")


def _pairs(trained: Trained) -> list[str]:
    return [f"{pair.validation}  is like  {pair.train}  ({pair.likeness:.3f})" for pair in trained.duplicates]


def _listed(what: str, lines: Any) -> list[str]:
    """A heading with a count, and the first lines below it; nothing where there are none."""
    lines = list(lines)
    if not lines:
        return []
    more = [f"  and {len(lines) - SHOWN} more"] if len(lines) > SHOWN else []
    heading = [f"{len(lines)} {what}:"] if what else []
    return ["\n".join([*heading, *(f"  {line}" if what else line for line in lines[:SHOWN]), *more])]
