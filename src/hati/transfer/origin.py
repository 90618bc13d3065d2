"""What a taught model's provenance says of the body and of the software."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from os import PathLike
from pathlib import Path

from .. import __version__
from ..loading import ModelLike
from ..model import Model
from ..network.taught import FINETUNE, Provenance, Score
from .body import Body

LIBRARIES = ("numpy", "onnxruntime", "scikit-learn", "torch")


def provenance(
    name: str,
    body: Body,
    method: str,
    *,
    settings: Mapping[str, str],
    photos: Mapping[str, int],
    multi_label: bool,
    score: Score | None = None,
) -> Provenance:
    """Where a model comes from that was taught just now; `name` is the body's."""
    told = tuple(settings.items()), tuple(photos.items())
    return Provenance(name, body.checksum, method, *told, multi_label, score, versions())


def name_of(asked: ModelLike, network: Model) -> str:
    """What the body is called: as in the catalog, also where a model was itself taught on it."""
    if network.taught is not None and network.taught.provenance.method != FINETUNE:
        return network.taught.provenance.body
    return Path(asked).name.removesuffix(".safetensors") if isinstance(asked, str | PathLike) else network.name


def versions() -> tuple[tuple[str, str], ...]:
    """Each piece of software that has a part in teaching, where it is installed."""
    found = [("hati", __version__), ("python", platform.python_version())]
    for library in LIBRARIES:
        with suppress(PackageNotFoundError):
            found.append((library, version(library)))
    return tuple(found)
