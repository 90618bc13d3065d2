"""A small network that takes a millisecond for a picture, and pictures that it tells apart."""

import numpy as np
from oracle import lively

from hati.keras.applications.mobilenet import MobileNet
from hati.labels import Label
from hati.model import Model
from hati.preprocessing import Preprocessing
from hati.weights import from_arrays

Array = np.ndarray
SIZE = 32
MIDDLE = "conv_pw_6_relu"  # a map of 2 × 2 × 128


def small(seed: int = 0) -> Model:
    """A network that takes a millisecond for a picture."""
    graph = MobileNet(input_shape=(SIZE, SIZE, 3), alpha=0.25, weights=None, classes=10, name=f"small{seed}").graph
    labels = [Label(f"n{number}", f"class {number}") for number in range(10)]
    weights = from_arrays(lively(graph, seed), graph)
    return Model(graph, weights, Preprocessing("tf", 1.0, "bicubic"), labels=labels, size=(SIZE, SIZE))


SMALL = small()

NAMES = np.array(["sky", "brick"] * 6)


def coloured(count: int = 12) -> Array:
    """Noise, every other one bluish or reddish, as NAMES say."""
    pictures = np.random.default_rng(0).integers(0, 90, (count, 40, 48, 3), np.uint8)
    pictures[::2, :, :, 2] += 150
    pictures[1::2, :, :, 0] += 150
    return pictures


PICTURES = coloured()
