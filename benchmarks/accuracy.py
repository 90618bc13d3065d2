"""How often real weights name real photos rightly, and what that depends on.

    python benchmarks/accuracy.py PHOTOS [--weights FILE]

PHOTOS is a folder with a labels.csv (file, index) beside its pictures. Each model is asked as it comes, and then with
its preprocessing changed, one thing at a time.
"""

import csv
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import click
import numpy as np

import hati
from hati import photos
from hati.model import Model
from hati.preprocessing import NORMALISATIONS, Preprocessing
from hati.tables import table


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
    for crop in (0.875, 0.9, 0.95, 1.0):
        if crop != own.crop:
            yield f"crop {crop}", replace(own, crop=crop)
    for interpolation in ("bilinear", "bicubic", "nearest"):
        if interpolation != own.interpolation:
            yield interpolation, replace(own, interpolation=interpolation)


def labelled(folder: Path) -> tuple[list[Path], np.ndarray]:
    with (folder / "labels.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    return [folder / row["file"] for row in rows], np.array([int(row["index"]) for row in rows])


def wrong_normalisation(model: Model, files: list[Path], truth: np.ndarray) -> Score:
    """With the ImageNet mean and deviation in place of the weights' own."""
    import warnings

    own, other = (NORMALISATIONS[name] for name in (model.preprocessing.normalisation, "torch"))
    del own, other
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", hati.errors.InputWarning)
        return measure(model, replace(model.preprocessing, normalisation="torch"), files, truth)


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--mobilenet", type=click.Path(exists=True, path_type=Path), help="Keras' weights of MobileNet_0.25_224.")
def main(folder: Path, mobilenet: Path | None) -> None:
    files, truth = labelled(folder)
    models = [hati.load(f"EfficientNetLite{number}") for number in range(3)]
    if mobilenet:
        models.append(hati.load("MobileNet_0.25_224", weights=mobilenet))
    rows = []
    for model in models:
        for name, preprocessing in changes(model.preprocessing):
            score = measure(model, preprocessing, files, truth)
            rows.append((model.name, name, f"{score.top1:.4f}", f"{score.top5:.4f}"))
        score = wrong_normalisation(model, files, truth)
        rows.append((model.name, "ImageNet mean and deviation", f"{score.top1:.4f}", f"{score.top5:.4f}"))
    print(table(("Model", "Preprocessing", "Top-1", "Top-5"), rows, right=(2, 3), title=f"{len(files)} photos"))


if __name__ == "__main__":
    main()
