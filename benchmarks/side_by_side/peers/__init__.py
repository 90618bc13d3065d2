"""One module for each peer. Each has `prepare(folder, way, …)`: a network's folder -> a call that gives its answer."""

import json
from pathlib import Path
from typing import Any

import numpy as np

THREADS = 2


def pictures(folder: Path, batch: int) -> np.ndarray:
    """(batch, height, width, 3) float32, as the network's own preprocessing gives them."""
    return np.ascontiguousarray(np.load(folder / "pictures.npy")[:batch])


def facts(folder: Path) -> dict[str, Any]:
    """What is known of the network in a folder: name, options, normalisation, size."""
    return json.loads((folder / "facts.json").read_text())


def weights(folder: Path) -> Path:
    return folder / "random.weights.h5"
