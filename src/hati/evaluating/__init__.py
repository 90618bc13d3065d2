"""How well a model names photos whose classes are known."""

from __future__ import annotations

import os

import numpy as np

from ..errors import ArgumentError, ImageError
from ..loading import ModelLike, model_of
from ..model import Model
from ..photos import sets
from ..tools.progress import Verbose, track
from .classes import matched
from .evaluation import Evaluation, measured
from .metrics import ClassResult, Mistake

__all__ = ["ClassResult", "Evaluation", "Mistake", "evaluate", "measured"]


def evaluate(
    model: ModelLike,
    source: str | os.PathLike[str],
    *,
    multi_label: bool | None = None,
    verbose: Verbose = "auto",
) -> Evaluation:
    """Judge a model by photos whose classes are known: a folder with one folder for each, or a CSV of path,label.

    `model` is a Model, a name of the catalog, a .safetensors file, or what `hati.train` gives. Classes are named as the
    model names them, or by their synsets; there can be fewer than it knows. With `multi_label` a photo can have several
    classes; None takes that from how the model was taught. Photos that cannot be read are skipped and told of.

    Raises ArgumentError for classes that the model does not know, or where no photo can be read.
    """
    network = model_of(model)
    several = _was_taught_several(network) if multi_label is None else multi_label
    if network.labels is None:
        raise ArgumentError(f"{network.name} has no classifier to judge; take one with include_top=True, or teach it")
    found = sets.read(source, multi_label=several, fewest=1)
    found = matched(found, network, network.labels, os.fspath(source))
    outputs = [y for _, y in track(network.scores(found.photos), len(found), "judging photos", verbose)]
    unreadable = [y for y in outputs if isinstance(y, ImageError)]
    readable = np.array([not isinstance(y, ImageError) for y in outputs])
    scores = np.array([y for y in outputs if not isinstance(y, ImageError)])
    return measured(found.take(readable), scores, unreadable, network.name)


def _was_taught_several(model: Model) -> bool:
    return model.taught is not None and model.taught.provenance.multi_label
