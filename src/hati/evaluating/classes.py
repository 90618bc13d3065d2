"""A person's names for classes, found among those that a model knows: by name, or by WordNet's number."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from difflib import get_close_matches

import numpy as np

from ..errors import ArgumentError
from ..labels import Label
from ..model import Model
from ..photos.sets import PhotoSet, folded, some


def unique_names(labels: Sequence[Label]) -> tuple[str, ...]:
    """Each class' name, with its number where another class has that name too: ImageNet has two kinds of crane."""
    times = Counter(label.name for label in labels)
    return tuple(label.name if times[label.name] == 1 else f"{label.name} ({label.synset})" for label in labels)


def matched(found: PhotoSet, model: Model, labels: Sequence[Label], place: str) -> PhotoSet:
    """The same photos with the model's classes, in its order.

    Raises ArgumentError for names that the model does not know, or that it has for several classes.
    """
    meant = _meanings(labels)
    unknown = [name for name in found.classes if _key(name) not in meant]
    if unknown:
        raise ArgumentError(
            f"{place}: {model.name} does not know {some([_with_guess(name, meant) for name in unknown])}; "
            f"it knows {some([label.name for label in labels])}. Name classes as it does"
        )
    targets = np.zeros((len(found), len(labels)), bool)
    for number, name in enumerate(found.classes):
        targets[:, _meant(name, meant[_key(name)], labels, place)] |= found.targets[:, number]
    return PhotoSet(found.photos, unique_names(labels), targets, found.multi_label)


def _meanings(labels: Sequence[Label]) -> dict[str, list[int]]:
    """For each name in its plainest spelling, the numbers of the classes that it can mean."""
    meant: dict[str, list[int]] = {}
    for number, label in enumerate(labels):
        for key in {_key(label.name), _key(label.synset)}:
            meant.setdefault(key, []).append(number)
    return meant


def _meant(name: str, numbers: Sequence[int], labels: Sequence[Label], place: str) -> int:
    exact = [number for number in numbers if name in labels[number]]
    if len(exact or numbers) > 1:
        synsets = " and ".join(labels[number].synset for number in exact or numbers)
        raise ArgumentError(f"{place}: {name} can mean {synsets}; name the class by one of these")
    return (exact or list(numbers))[0]


def _key(name: str) -> str:
    return folded(name).replace(" ", "_")


def _with_guess(name: str, meant: Mapping[str, object]) -> str:
    close = get_close_matches(_key(name), meant, 1)
    return f"{name} (did you mean {close[0]}?)" if close else name
