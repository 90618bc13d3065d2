"""How often a model in int8 names what it names in float: counted, and as it came with hati for published weights.

`benchmarks/run_devices` measured the latter on photos that were not calibrated with: `data/int8_agreement.csv`.
"""

import csv
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from math import log

import numpy as np

from ..catalog import Entry, entries
from ..model import Model
from ..tools.arrays import Array
from ..tools.measuring import likely_share

TABLE = "int8_agreement.csv"


@dataclass(frozen=True)
class Agreement:
    """Of an int8 TFLite file and the float model that it was made of."""

    share: float  # of photos whose first name is the same
    interval: tuple[float, float]  # where the true share lies, 95 times of 100 (Wilson, 1927)
    photos: int  # that it was measured with
    calibrated_on: int  # other photos
    source: str  # who measured it, in words

    def __repr__(self) -> str:
        low, high = self.interval
        return f"<Agreement {self.share:.1%} ({low:.1%}–{high:.1%}) of {self.photos} photos; {self.source}>"


def agreeing(expected: Array, scores: Array) -> tuple[float, tuple[float, float]]:
    """The part of photos that both name alike, and between what parts the true one lies, 95 times of 100.

    Scores that are no numbers name nothing.
    """
    numbers = np.isfinite(scores).all(1) & np.isfinite(expected).all(1)
    alike = int(((scores.argmax(1) == expected.argmax(1)) & numbers).sum())
    return alike / len(scores), likely_share(alike, len(scores))


@cache
def shipped() -> dict[str, Agreement]:
    """By the catalog's names. A figure of other weights than the catalog's is none of that model's, and left out."""
    with (files("hati") / "data" / TABLE).open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    known = {name: entry.top_file.checksum for name, entry in entries().items()}
    return {row["model"]: _agreement(row) for row in rows if known.get(row["model"]) == row["checksum"]}


def better_in_int8(model: Model, share: float) -> str | None:
    """A sentence on the model nearest in size of which a larger share was measured; None where there is none."""
    body = model.taught.provenance.body if model.taught else None
    size = model.count_params()
    able = [
        entry
        for name, entry in entries().items()
        if name in shipped() and shipped()[name].share > share and name != body and entry.parameters != size
    ]
    if not able:
        return None
    best = min(able, key=lambda entry: _unlike(entry, size))
    told = shipped()[best.name]
    sizes = f"{best.parameters / 1e6:.1f} million parameters, {size / 1e6:.1f} here"
    return f"{best.name} in int8 named {told.share:.1%} of {told.photos} photos as in float ({sizes})"


def _unlike(entry: Entry, size: int) -> float:
    return abs(log(entry.parameters / size))


def _agreement(row: dict[str, str]) -> Agreement:
    return Agreement(
        share=float(row["agreement"]),
        interval=(float(row["lowest"]), float(row["highest"])),
        photos=int(row["photos"]),
        calibrated_on=int(row["calibrated_on"]),
        source=f"came with hati: measured on {row['data']} by hati {row['hati']} and {row['runtime']}",
    )
