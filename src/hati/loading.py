"""The catalog's models: one ready to answer, or all of them listed."""

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from functools import partial
from importlib import import_module
from os import PathLike, fspath
from os.path import dirname
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from . import DEFAULT_MODEL, catalog
from .catalog import Entry, WeightsFile
from .engines import Device, Precision, devices
from .errors import ArgumentError, WeightsError
from .keras.applications.building import unknown_argument
from .model import Model, lazy_weights
from .network.taught import MEANS, Taught, body_of
from .preprocessing import Preprocessing
from .weights import Arrays, beside, checksum, description, from_file, random
from .weights.bringing import store

OWN, ALIKE = ("precision", "device"), 0.8  # arguments that only `load` has, and how near a word is that means one


@dataclass(frozen=True)
class FileCard:
    """One published file of weights."""

    address: str  # on the web, or `package:`, a registry package's name and the path within it
    bytes: int | None  # where known
    checksum: str | None  # "md5:…" or "sha256:…"

    def __repr__(self) -> str:
        return f"<FileCard {self.address}>"


@dataclass(frozen=True)
class ModelCard:
    """What a person, or a program, wants to know before choosing a model."""

    name: str
    module: str  # of hati.keras.applications
    function: str  # in that module
    options: dict[str, Any]  # that the function is called with
    parameters: int
    megabytes: float  # of its weights file; 4 bytes a parameter where the file's own length is not known
    top1: float | None  # percent, as published
    top5: float | None
    size: int  # of its square input, in pixels
    preprocessing: Preprocessing
    licence: str  # of its weights
    weights: FileCard
    weights_without_top: FileCard | None  # None: they are taken from the file with the classifier
    on_this_machine: bool

    def __repr__(self) -> str:
        top1 = "" if self.top1 is None else f", top-1 {self.top1:g}"
        here = ", on this machine" if self.on_this_machine else ""
        size = f"{self.size}×{self.size} pixels, {self.parameters:,} parameters, {self.megabytes:.1f} MB"
        return f"<hati.ModelCard {self.name}: {size}{top1}{here}>"


class HasModel(Protocol):
    """What carries a model, as the result of a training does."""

    @property
    def model(self) -> Model: ...


ModelLike = Model | HasModel | str | PathLike[str]  # what a verb takes for a model


def list_models() -> list[ModelCard]:
    """A card for every model of the catalog, in its order."""
    return [_card(entry) for entry in catalog.entries().values()]


def load(
    name: str | PathLike[str] = DEFAULT_MODEL,
    weights: str | PathLike[str] | None = "imagenet",
    *,
    precision: Precision = "float32",
    device: Device = "cpu",
    **options: Any,
) -> Model:
    """A model of the catalog (`hati models` lists them), or one that `Model.save` wrote, ready to answer.

    `name` is the model's, or the path of a file, which ends in `.safetensors` or has a folder before it. For a model of
    the catalog `weights` is "imagenet", the path of a file, or None for random ones; `options` are those of its
    function in `hati.keras.applications`.

    `device` is "cpu" or "cuda". `precision` is "float32"; on a GPU also "float16"; on the processor also "int8", as
    `hati optimise` found it on this machine: where int8 is slower or names too many photos otherwise, the float model
    comes, with a PrecisionWarning.

    Raises UnknownModel, and what that function raises; WeightsError for a file that holds no whole model; ArgumentError
    for a device that is not here, or int8 before `hati optimise`.
    """
    _check(name, options)
    int8 = device == "cpu" and precision == "int8"
    engine = None if int8 else devices.engine(device, precision)  # refused before anything is fetched
    model = _in_float32(name, weights, options)
    if engine is None:
        from .int8.outcomes import in_int8

        return in_int8(model, fspath(name))
    return model if (device, precision) == ("cpu", "float32") else model.running_on(engine)


def model_of(asked: ModelLike) -> Model:
    """A model, however it is given: itself, what carries one, its name or its file. Else raises ArgumentError."""
    if isinstance(asked, Model):
        return asked
    if isinstance(asked, str | PathLike):
        return load(asked)
    found = getattr(asked, "model", None)
    if isinstance(found, Model):
        return found
    raise ArgumentError(
        f"a {type(asked).__name__} came for a model; it can be a name of the catalog, the path of a .safetensors file, "
        "a hati.Model, or what hati.train gives"
    )


def _check(name: Any, options: Iterable[str]) -> None:
    if not isinstance(name, str | PathLike):
        raise ArgumentError(f"name is {name!r:.80}; a model's name, or the path of a file, was expected")
    for option in options:
        if get_close_matches(option, OWN, cutoff=ALIKE):
            raise unknown_argument("load", option, OWN)


def _in_float32(name: str | PathLike[str], weights: str | PathLike[str] | None, options: dict[str, Any]) -> Model:
    if _is_file(name):
        return _saved(Path(name), weights, options)
    entry = catalog.find(fspath(name))
    build = getattr(import_module(f"hati.keras.applications.{entry.module}"), entry.function)
    model = build(weights=weights, **entry.options | options)
    assert isinstance(model, Model)
    return model


def _is_file(name: str | PathLike[str]) -> bool:
    """A text without a folder or an ending is a model's name, whatever lies in the folder under it."""
    return not isinstance(name, str) or dirname(name) != "" or name.endswith(".safetensors")


def _saved(path: Path, weights: str | PathLike[str] | None, options: dict[str, Any]) -> Model:
    if options:
        raise ArgumentError(f"{path} is a whole model, whose network is drawn; {', '.join(options)} cannot be given")
    told = description.read(path)
    source = path if weights == "imagenet" else weights
    if source is None:
        found = random(told.graph)
    elif told.light and source == path:
        found = from_file(path, told.graph, rest=partial(_published_body, path, told))
    else:
        found = from_file(Path(source), told.graph, told.pytorch_names)
    return Model(
        told.graph,
        found,
        told.preprocessing,
        labels=told.labels,
        size=told.size,
        pytorch_names=told.pytorch_names,
        taught=_taught(path, told),
    )


def _taught(path: Path, told: description.Description) -> Taught | None:
    """What a taught model keeps beside its weights. Raises WeightsError where its file has lost it."""
    if told.provenance is None:
        return None
    means = beside(path).get(MEANS)
    classes, numbers = told.graph.output.shape[0], body_of(told.graph).output.shape[0]
    if means is None or means.shape != (classes, numbers) or means.dtype != np.float32:
        raise WeightsError(f"{path}: its {MEANS} are missing, or not of float32 and shape {classes, numbers}")
    return Taught(told.provenance, means)


def _published_body(path: Path, told: description.Description) -> Arrays:
    """The body of a light file: of the catalog's model that it was taught on."""
    assert told.provenance is not None, "a description of a light file has one"
    name, body = told.provenance.body, body_of(told.graph)
    published = lazy_weights(load(name)).arrays()
    arrays = {key: published[key] for key in body.weights() if key in published}
    if len(arrays) < len(body.weights()) or checksum(body, arrays) != told.provenance.body_checksum:
        raise WeightsError(f"{path}: it was taught on another {name} than the one that is here")
    return arrays


def _card(entry: Entry) -> ModelCard:
    return ModelCard(
        name=entry.name,
        module=entry.module,
        function=entry.function,
        options=entry.options,
        parameters=entry.parameters,
        megabytes=(entry.top_file.bytes or 4 * entry.parameters) / 1e6,
        top1=entry.top1,
        top5=entry.top5,
        size=entry.size,
        preprocessing=entry.preprocessing,
        licence=entry.licence,
        weights=_file_card(entry.top_file),
        weights_without_top=_file_card(entry.notop_file) if entry.notop_file else None,
        on_this_machine=store.path_of(entry.top_file) is not None,
    )


def _file_card(file: WeightsFile) -> FileCard:
    return FileCard(file.address, file.bytes, file.checksum)
