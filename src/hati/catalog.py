"""Every model that can be asked for by name: the table `data/catalog.csv`, one row for each set of weights.

Names, addresses and checksums are those in Keras' source; parameters are as Keras counts them. Top-1 and top-5, in
percent of ImageNet's validation pictures, are published: in Keras' table, for the other widths and sizes of MobileNet
on TensorFlow's pages and in Keras' MobileNetV3, for EfficientNet-Lite on its own page. Licences are as Keras'
documentation or the weights' authors state them. The lengths of files are as Keras' downloads tell them; those of files
that were at hand are their own, and so are their checksums where Keras has none.
"""

import csv
import difflib
from ast import literal_eval
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any

from .errors import UnknownModel
from .preprocessing import Preprocessing

PACKAGE = "package:"


@dataclass(frozen=True)
class WeightsFile:
    """Where one file of weights comes from: a web address, or `package:` and a registry package that holds it."""

    folder: str
    name: str
    bytes: int | None
    checksum: str | None  # "md5:…" or "sha256:…"
    licence: str

    def __repr__(self) -> str:
        return f"<WeightsFile {self.address}>"

    @property
    def package(self) -> str | None:
        return self.folder.removeprefix(PACKAGE) if self.folder.startswith(PACKAGE) else None

    @property
    def address(self) -> str:
        return f"{self.folder}/{self.name}"


@dataclass(frozen=True)
class Entry:
    name: str
    module: str  # of hati.keras.applications
    function: str
    settings: Mapping[str, Any] = field(hash=False)  # the function's own arguments that the weights were trained with
    size: int  # of the square picture that the weights were trained on, in pixels
    parameters: int
    top1: float | None
    top5: float | None
    preprocessing: Preprocessing
    licence: str
    top_file: WeightsFile
    notop_file: WeightsFile | None  # None: the body is taken from the file with the classifier

    def __repr__(self) -> str:
        return f"<Entry {self.name}: {self.size}×{self.size} pixels, {self.parameters:,} parameters>"

    @property
    def options(self) -> dict[str, Any]:
        """What the model's function is called with to be these weights' network."""
        usual = entries()[self.function].size
        return {**self.settings, **({} if self.size == usual else {"input_shape": (self.size, self.size, 3)})}

    def weights_file(self, include_top: bool) -> WeightsFile:
        return self.top_file if include_top or self.notop_file is None else self.notop_file


@cache
def entries() -> dict[str, Entry]:
    """Every entry by its name."""
    with (files(__package__) / "data" / "catalog.csv").open(encoding="utf-8") as file:
        return {row["name"]: _entry(row) for row in csv.DictReader(file)}


def find(name: str) -> Entry:
    """An entry by its name, capitals aside. Raises UnknownModel with the names that come close."""
    by_lower = _by_lower()
    if name.lower() in by_lower:
        return by_lower[name.lower()]
    close = [by_lower[match].name for match in difflib.get_close_matches(name.lower(), by_lower, n=3, cutoff=0.5)]
    hint = f"did you mean {' or '.join(close)}?" if close else "`hati models` lists all"
    raise UnknownModel(f"there is no model called {name!r}; {hint}")


def _by_lower() -> dict[str, Entry]:
    return {name.lower(): entry for name, entry in entries().items()}


def _entry(row: dict[str, str]) -> Entry:
    notop = _file(row, "notop_") if row["notop_file"] else None
    return Entry(
        name=row["name"],
        module=row["module"],
        function=row["function"],
        settings=_settings(row["options"]),
        size=int(row["size"]),
        parameters=int(row["parameters"]),
        top1=float(row["top1"]) if row["top1"] else None,
        top5=float(row["top5"]) if row["top5"] else None,
        preprocessing=Preprocessing(row["normalisation"], float(row["crop"]), row["interpolation"]),
        licence=row["licence"],
        top_file=_file(row, ""),
        notop_file=notop,
    )


def _settings(options: str) -> dict[str, Any]:
    """`alpha=0.75 minimalistic=False` -> {"alpha": 0.75, "minimalistic": False}"""
    pairs = (option.partition("=") for option in options.split())
    return {key: literal_eval(value) for key, _, value in pairs}


def _file(row: dict[str, str], which: str) -> WeightsFile:
    size = row[f"{which}bytes"]
    return WeightsFile(
        row["folder"], row[f"{which}file"], int(size) if size else None, row[f"{which}checksum"] or None, row["licence"]
    )
