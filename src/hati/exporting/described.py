"""What an exported file says of its model, so that who has nothing but the file can answer rightly."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from .. import __version__, catalog
from ..catalog import WeightsFile
from ..labels import Label
from ..model import Model, lazy_weights
from .formats import Order


def described(order: Order) -> dict[str, str]:
    """Texts by their keys: `model` is a name, the others are JSON.

    `labels`, where the model has a classifier: each class in order, a name, or {"synset": …, "name": …}.
    `preprocessing`: how a photo becomes the file's input, as the function of that name tells. `provenance`: the hati
    that wrote it, the licence of the weights where the catalog knows it, what a taught model remembers of its lessons.
    """
    model = order.model
    labels = {"labels": _json(named(model.labels))} if model.labels is not None else {}
    return {
        "model": model.name,
        **labels,
        "preprocessing": _json(preprocessing(order)),
        "provenance": _json(provenance(order)),
    }


def named(labels: Sequence[Label]) -> list[Any]:
    """Names alone where there is nothing but names."""
    if all(label.synset == label.name for label in labels):
        return [label.name for label in labels]
    return [label._asdict() for label in labels]


def preprocessing(order: Order) -> dict[str, Any]:
    """What is done to a photo that stands upright, in RGB.

    `crop` is the part of the shorter side that is looked at: the middle of the photo, in the proportions of `size`,
    (height, width) in pixels, to which it is resized by `interpolation` (as Pillow names it). What comes of it goes
    into the file as (x / scale - mean) / deviation in float32, or as it is in uint8; (batch, height, width, RGB).
    """
    _, _, normalisation = order.network
    expected = order.model.preprocessing
    return {
        "size": list(order.model.size),
        "crop": expected.crop,
        "interpolation": expected.interpolation,
        "channels": "RGB",
        "type": "uint8" if order.pixels else "float32",
        "scale": normalisation.scale or 1.0,
        "mean": list(normalisation.mean),
        "deviation": list(normalisation.deviation or (1.0, 1.0, 1.0)),
    }


def provenance(order: Order) -> dict[str, Any]:
    taught = order.model.taught
    return {
        "hati": __version__,
        "precision": order.precision,
        "licence": licence(order.model),
        "taught": asdict(taught.provenance) if taught else None,
    }


def licence(model: Model) -> str | None:
    """That of the weights, which a taught model has from the one that it was taught on."""
    if model.taught is not None:
        entry = catalog.entries().get(model.taught.provenance.body)
        return entry.licence if entry else None
    identity = lazy_weights(model).identity
    path = Path(identity.place) if identity else None
    files = [file for entry in catalog.entries().values() for file in (entry.top_file, entry.notop_file)]
    return next((file.licence for file in files if file and path and _is_published(path, file)), None)


def _is_published(path: Path, file: WeightsFile) -> bool:
    """Whether a file is the catalog's, by its name and, where that is known, its length."""
    if path.name != Path(file.name).name or not path.is_file():
        return False
    return file.bytes is None or path.stat().st_size == file.bytes


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
