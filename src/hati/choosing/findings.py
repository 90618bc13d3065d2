"""What was found where a model was chosen."""

from dataclasses import dataclass, field

from ..tools.machine import Machine
from .candidates import Bounds, Candidate


@dataclass(frozen=True)
class Findings:
    """Every model of the catalog, measured where that could matter, and the one that was picked."""

    bounds: Bounds
    machine: Machine
    photos: str | None  # the folder whose photos were answered; None: one picture of noise, as an array
    candidates: tuple[Candidate, ...]
    front: tuple[Candidate, ...]  # that no other one beats in accuracy, latency and size at once, the fastest first
    pick: Candidate | None
    nearest: tuple[Candidate, ...]  # to the bounds, where nothing meets them all
    reason: str  # for the pick, or for there being none
    notes: tuple[str, ...]  # what else should be known
    asked: str = field(compare=False)  # when, as ISO 8601 writes it; a latency that was taken before was kept
