"""Class names: ImageNet's thousand, or a model's own."""

import csv
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import NamedTuple

import numpy as np

from .errors import ArgumentError


class Label(NamedTuple):
    synset: str  # WordNet's number for the class, n02504458; a name again for classes that have none
    name: str


class Prediction(NamedTuple):
    synset: str
    name: str
    score: float


@cache
def imagenet() -> tuple[Label, ...]:
    """The 1000 classes of ILSVRC 2012 in the order of Keras, with Keras' spelling."""
    with (files(__package__) / "data" / "imagenet_classes.csv").open(encoding="utf-8") as file:
        return tuple(Label(row["synset"], row["name"]) for row in csv.DictReader(file))


def numbered(classes: int) -> tuple[Label, ...]:
    """Labels for classes that nobody has named yet."""
    return tuple(Label(f"class_{number}", f"class_{number}") for number in range(classes))


def ranked(scores: np.ndarray, labels: Sequence[Label], top: int) -> list[Prediction]:
    """The `top` classes of one row of scores, best first. Raises ArgumentError for a top below 1."""
    if top < 1:
        raise ArgumentError(f"top is {top}; it can be 1 or more")
    best = np.argsort(-scores, kind="stable")[:top]
    return [Prediction(labels[i].synset, labels[i].name, float(scores[i])) for i in best]
