"""How a model does on labelled photos, as numbers and names."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from ..errors import ImageError
from ..tools.arrays import Array

THRESHOLD = 0.5  # score, from where a photo that can have several classes is said to have one


@dataclass(frozen=True)
class ClassResult:
    """How a model does on one class; a part of nothing is 0."""

    name: str
    photos: int  # of this class
    precision: float  # of the photos said to be of it, the part that is
    recall: float  # of its photos, the part said to be of it
    f1: float  # 2 precision · recall / (precision + recall)
    average_precision: float | None = None  # over all thresholds, where photos can have several classes


@dataclass(frozen=True)
class Mistake:
    """A wrong answer; where a photo can have several classes, about one of them, that is there or is not."""

    photo: str
    truth: str  # several classes have a comma between them
    said: str
    score: float  # of the class that was said


@dataclass(frozen=True)
class Metrics:
    """How a model does on labelled photos."""

    model: str
    photos: int  # judged
    accuracy: float  # 0 to 1; where a photo can have several classes, the mean average precision
    interval: tuple[float, float] | None  # where the true accuracy lies, 95 times of 100: Wilson's, or by drawing again
    by_class: tuple[ClassResult, ...]  # of those that a photo has or that were said, in the model's order
    confusion: Array | None  # (truth, said) counts, of these classes; None where a photo can have several
    wrong: tuple[Mistake, ...]  # ten, the most confident ones first
    unreadable: tuple[ImageError, ...]  # photos that were left out
    multi_label: bool = False

    @property
    def classes(self) -> tuple[str, ...]:
        return tuple(one.name for one in self.by_class)

    def to_json(self) -> dict[str, Any]:
        """For programs: numbers, texts and lists."""
        told = asdict(self)
        score = {"mean_average_precision" if self.multi_label else "accuracy": told.pop("accuracy")}
        confusion = None if self.confusion is None else self.confusion.tolist()
        told |= {"confusion": confusion, "unreadable": [str(error) for error in self.unreadable]}
        return {"model": told.pop("model"), "photos": told.pop("photos"), **score, **told}
