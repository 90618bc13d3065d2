"""A small network and small photos, so that a whole training takes a second."""

import json
import logging
import os
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from oracle import lively
from PIL import Image

from hati.network import layers
from hati.network.graph import Graph, Node
from hati.photos.sets import PhotoSet, from_labels
from hati.preprocessing import Preprocessing
from hati.transfer.body import Body
from hati.transfer.finetuning import Recipe, finetune
from hati.transfer.heads import Head
from hati.transfer.imprinting import imprint
from hati.weights import from_arrays

SIZE = (32, 32)
COLOURS = {"blue": (40, 60, 200), "green": (50, 180, 60), "red": (200, 50, 40)}


@dataclass(frozen=True)
class School:
    """Who learns, and from what."""

    body: Body
    head: Head
    train: PhotoSet
    validation: PhotoSet


def few_layers() -> Graph:
    """Two blocks with batch norm, and the mean of the map."""
    x = layers.InputLayer((*SIZE, 3))(name="picture")
    for number, filters in enumerate((8, 12)):
        x = layers.Conv2D(filters, 3, 2, "same", use_bias=False)(x, name=f"conv_{number}")
        x = layers.BatchNormalization(momentum=0.9)(x, name=f"bn_{number}")
        x = layers.Activation("relu")(x, name=f"relu_{number}")
    return Graph(layers.GlobalAveragePooling2D()(x, name="mean"), "few")


def every_layer() -> Graph:
    """A network with every kind of layer."""
    x = layers.Rescaling(0.5, 0.1)(layers.InputLayer((*SIZE, 3))(name="picture"))
    x = layers.Normalization((0.1, 0.1, 0.1), (0.5, 0.5, 0.5))(x)
    x = layers.Conv2D(8, 3, 2, activation="relu")(layers.ZeroPadding2D(((0, 1), (0, 1)))(x))
    x = layers.ReLU(6.0)(layers.BatchNormalization(momentum=0.5)(x))
    x = layers.Cropping2D(((1, 1), (1, 1)))(layers.DepthwiseConv2D(3, padding="same")(x))
    x = layers.Add()(
        x, layers.Dropout(0.2, whole=True)(layers.Activation("silu")(layers.BatchNormalization(momentum=0.5)(x)))
    )
    x = layers.Multiply()(x, _squeezed(x))
    x = layers.SeparableConv2D(12, 3, padding="same")(x)
    x = layers.Concatenate()(
        layers.MaxPooling2D(2, 2)(x),
        layers.AveragePooling2D(2, 2)(x),
    )
    y = layers.Dense(24, "gelu")(layers.LayerNormalization()(x))
    x = layers.Add()(x, layers.LayerScale()(y))
    flat = layers.Flatten()(layers.Conv2D(2, 1)(layers.AveragePooling2D(7, 7)(x)))
    return Graph(layers.Concatenate()(layers.GlobalMaxPooling2D()(x), flat), "every")


def _squeezed(x: Node) -> Node:
    width = layers.channels(x.shape)
    y = layers.Reshape((1, 1, width))(layers.GlobalAveragePooling2D()(x))
    return layers.Conv2D(width, 1, activation="sigmoid")(y)


def school(folder: Path, graph: Graph | None = None, *, each: int = 4, multi_label: bool = False) -> School:
    """A body with random weights, a head imprinted on photos of three colours, and as many to validate on."""
    body = body_of(graph or few_layers())
    train, validation = (photos(folder / name, each, multi_label) for name in ("train", "validation"))
    vectors = body.see(train.photos, verbose=0).first
    return School(body, imprint(vectors, train.targets, multi_label=multi_label), train, validation)


def body_of(graph: Graph, seed: int = 0) -> Body:
    return Body(graph, from_arrays(lively(graph, seed), graph), Preprocessing("tf", 1.0, "bilinear"), SIZE)


def photos(folder: Path, each: int, multi_label: bool = False) -> PhotoSet:
    """PNG files of 48 × 40 pixels; with several labels, the last half of each colour is called bright too."""
    folder.mkdir(parents=True, exist_ok=True)
    chance = np.random.default_rng(len(folder.name))
    paths, labels = [], []
    for name, colour in COLOURS.items():
        for number in range(each):
            bright = multi_label and 2 * number >= each
            tint = chance.normal(np.array(colour) + 50 * bright, 50)
            pixels = chance.normal(tint, 30, (40, 48, 3)).clip(0, 255)
            path = folder / f"{name}_{number}.png"
            if not path.exists():
                Image.fromarray(pixels.astype(np.uint8)).save(path)
            paths.append(str(path))
            labels.append((name, "bright") if bright else (name,))
    return from_labels(paths, labels, multi_label=multi_label)


def arrays_of(body: Body, head: Head) -> dict[str, np.ndarray]:
    return {**body.weights.arrays(), **head.arrays(), "means": head.means}


def same(one: dict[str, np.ndarray], other: dict[str, np.ndarray]) -> set[str]:
    """The names of arrays that are equal to the bit."""
    assert one.keys() == other.keys()
    return {name for name in one if np.array_equal(one[name], other[name])}


def learn(folder: str, checkpoints: str, out: str, options: str) -> None:
    """A training in a process of its own; the first of several writes what came of it."""
    import torch

    torch.set_num_threads(1)
    logging.basicConfig(format="%(message)s")
    logging.getLogger("hati").setLevel(logging.INFO)  # each epoch is told
    given = school(Path(folder))
    kept, recipe = Path(checkpoints), Recipe(**json.loads(options))
    found = finetune(
        given.body, given.head, given.train, given.validation, recipe, checkpoints=kept, device="cpu", verbose=0
    )
    if os.environ.get("RANK", "0") == "0":
        np.savez(out, **arrays_of(found.body, found.head))  # type: ignore[arg-type]


if __name__ == "__main__":
    learn(*sys.argv[1:])
