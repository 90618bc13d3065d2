"""Class names: the thousand of ImageNet in their order, and Keras' own decoding beside ours."""

import csv
from pathlib import Path

import numpy as np
import pytest

from hati import labels
from hati.labels import Label, Prediction


def test_there_are_a_thousand_different_classes() -> None:
    table = labels.imagenet()
    assert len(table) == len({label.synset for label in table}) == 1000
    assert all(label.synset[0] == "n" and label.synset[1:].isdigit() and len(label.synset) == 9 for label in table)
    assert all(label.name and " " not in label.name for label in table)


@pytest.mark.parametrize(
    ("index", "synset", "name"),
    [
        (0, "n01440764", "tench"),
        (101, "n01871265", "tusker"),
        (134, "n02012849", "crane"),
        (385, "n02504013", "Indian_elephant"),
        (386, "n02504458", "African_elephant"),
        (517, "n03126707", "crane"),
        (638, "n03710637", "maillot"),
        (639, "n03710721", "maillot"),
        (999, "n15075141", "toilet_tissue"),
    ],
)
def test_known_classes_stand_in_their_places(index: int, synset: str, name: str) -> None:
    assert labels.imagenet()[index] == Label(synset, name)


def test_the_labelled_photos_agree(shared: Path) -> None:
    with (shared / "imagenet_ccby" / "labels.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 400
    assert [labels.imagenet()[int(row["index"])].synset for row in rows] == [row["synset"] for row in rows]


def test_a_models_own_classes_are_ranked() -> None:
    own = [Label("ant", "ant"), Label("bee", "bee"), Label("cat", "cat")]
    found = labels.ranked(np.array([0.25, 0.5, 0.125], np.float32), own, top=2)
    assert found == [Prediction("bee", "bee", 0.5), Prediction("ant", "ant", 0.25)]


@pytest.mark.parametrize("classes", [1, 12])
def test_unnamed_classes_are_numbered(classes: int) -> None:
    found = labels.numbered(classes)
    assert len(found) == classes
    assert found[-1] == Label(f"class_{classes - 1}", f"class_{classes - 1}")
