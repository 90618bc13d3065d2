"""The catalog's models: one ready to answer, or all of them listed."""

from dataclasses import dataclass
from importlib import import_module
from os import PathLike
from typing import Any

from . import DEFAULT_MODEL, catalog
from .model import Model
from .weights import store


@dataclass(frozen=True)
class ModelCard:
    """What a person wants to know before choosing a model."""

    name: str
    parameters: int
    megabytes: float  # of its weights file; 4 bytes a parameter where the file's own length is not known
    top1: float | None  # percent, as published
    top5: float | None
    size: int  # of its square input, in pixels
    licence: str
    on_this_machine: bool


def models() -> list[ModelCard]:
    """A card for every model of the catalog, in its order."""
    return [
        ModelCard(
            entry.name,
            entry.parameters,
            (entry.top_file.bytes or 4 * entry.parameters) / 1e6,
            entry.top1,
            entry.top5,
            entry.size,
            entry.licence,
            store.path_of(entry.top_file) is not None,
        )
        for entry in catalog.entries().values()
    ]


def load(name: str = DEFAULT_MODEL, weights: str | PathLike[str] | None = "imagenet", **options: Any) -> Model:
    """A model of the catalog (`hati models` lists them), ready to answer.

    `weights` is "imagenet", the path of a file, or None for random ones; `options` are those of its function in
    `hati.applications`.

    Raises UnknownModel, and what that function raises.
    """
    entry = catalog.find(name)
    build = getattr(import_module(f"hati.applications.{entry.module}"), entry.function)
    model = build(weights=weights, **entry.options | options)
    assert isinstance(model, Model)
    return model
