"""What comes of fine-tuning."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ..body import Body
from ..heads import Head


@dataclass(frozen=True)
class Epoch:
    """How far a training was; number 0 is what was there before it."""

    number: int
    loss: float | None  # the mean over its steps; None before the first
    validation_loss: float | None = None  # None, where there are no photos to validate on
    accuracy: float | None = None  # on those photos; where one can have several classes, the part of yes and no told

    def __str__(self) -> str:
        losses = (("loss", self.loss), ("validation loss", self.validation_loss))
        told = [f"{name} {value:.4f}" for name, value in losses if value is not None]
        told += [f"accuracy {100 * self.accuracy:.1f} %"] if self.accuracy is not None else []
        return f"epoch {self.number}: {', '.join(told)}" if told else f"epoch {self.number}"


@dataclass(frozen=True)
class Finetuned:
    """A body and a head that learnt together, and how."""

    body: Body
    head: Head
    epochs: tuple[Epoch, ...]  # from 0, what was there before
    best: int  # the number of the epoch that the body and the head are of
    taken: float  # how much of what that epoch changed was taken, 0 to 1
    stopped_early: bool
    notes: tuple[str, ...]  # sentences for whoever asked
    checkpoint: Path | None  # no longer needed once the result is saved
