"""The quick version of benchmarks/accuracy.py: the default model on every labelled photo, as it comes."""

import csv
from pathlib import Path

import numpy as np
import pytest

import hati


def test_the_default_model_is_as_right_as_its_weights_allow(shared: Path) -> None:
    folder = shared / "imagenet_ccby"
    with (folder / "labels.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    answers = hati.load().classify((folder / row["file"] for row in rows), top=5)
    hits = np.array(
        [[found.synset == row["synset"] for found in answer] for answer, row in zip(answers, rows, strict=True)]
    )
    assert hits[:, 0].mean() >= 0.91
    assert hits.any(1).mean() >= 0.985


SKIMAGE = {  # pictures that scikit-image ships, and what may be seen in them
    "chelsea.png": {"Egyptian_cat", "tabby", "tiger_cat"},
    "coffee.png": {"espresso", "cup", "coffee_mug"},
    "rocket.jpg": {"missile", "projectile"},
    "page.png": {"book_jacket", "menu", "crossword_puzzle", "web_site", "envelope"},
}


@pytest.mark.parametrize(("picture", "names"), SKIMAGE.items(), ids=SKIMAGE)
def test_real_photos_are_named(cat: Path, picture: str, names: set[str]) -> None:
    best, *_ = hati.load().classify(cat.with_name(picture))
    assert best.name in names
