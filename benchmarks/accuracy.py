"""How often real weights name real photos rightly, and what that depends on.

    python benchmarks/accuracy.py PHOTOS [--model NAME]... [--weights FILE]

PHOTOS is a folder with a labels.csv (file, index) beside its pictures. Each model is asked as it comes, and then with
one thing about its preprocessing changed.
"""

import csv
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import click
import numpy as np

import hati
from hati import photos
from hati.errors import InputWarning
from hati.model import Model
from hati.preprocessing import Preprocessing
from hati.tools.tables import table


@dataclass(frozen=True)
class Score:
    top1: float
    top5: float


def measure(model: Model, preprocessing: Preprocessing, files: list[Path], truth: np.ndarray) -> Score:
    """The part of the photos whose label comes first, and among the first five."""
    best = []
    for start in range(0, len(files), 16):
        batch = [preprocessing(photos.read(file), model.size) for file in files[start : start + 16]]
        best.append(np.argsort(-model.predict(np.stack(batch)), axis=1)[:, :5])
    hits = np.concatenate(best) == truth[:, np.newaxis]
    return Score(float(hits[:, 0].mean()), float(hits.any(1).mean()))


def changes(own: Preprocessing) -> Iterator[tuple[str, Preprocessing]]:
    """The model's own preprocessing, then one thing about it changed at a time."""
    yield "as it comes", own
    yield "ImageNet mean and deviation", replace(own, normalisation="torch")
    for crop in (0.875, 0.9, 0.95, 1.0):
        if crop != own.crop:
            yield f"crop {crop}", replace(own, crop=crop)
    for interpolation in ("bilinear", "bicubic", "nearest"):
        if interpolation != own.interpolation:
            yield interpolation, replace(own, interpolation=interpolation)


def labelled(folder: Path) -> tuple[list[Path], np.ndarray]:
    """The pictures of a folder and the ImageNet class of each."""
    with (folder / "labels.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    return [folder / row["file"] for row in rows], np.array([int(row["index"]) for row in rows])


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--model", "names", multiple=True, default=["EfficientNetLite0"], show_default=True)
@click.option("--weights", default="imagenet", help="A file of weights, for all the models named.")
def main(folder: Path, names: tuple[str, ...], weights: str) -> None:
    """Print top-1 and top-5 on the photos of FOLDER."""
    warnings.simplefilter("ignore", InputWarning)  # wrong preprocessing is what is measured here
    files, truth = labelled(folder)
    rows = []
    for name in names:
        model = hati.load(name, weights)
        for change, preprocessing in changes(model.preprocessing):
            score = measure(model, preprocessing, files, truth)
            rows.append((name, change, f"{score.top1:.4f}", f"{score.top5:.4f}"))
    print(table(("Model", "Preprocessing", "Top-1", "Top-5"), rows, right=(2, 3), title=f"{len(files)} photos"))


if __name__ == "__main__":
    main()
