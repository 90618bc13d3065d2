"""Several looks at one photo: the whole and its middle, each as it is and mirrored."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from PIL import Image

from ..errors import ArgumentError
from ..preprocessing import Preprocessing
from ..tools.arrays import Array


@dataclass(frozen=True)
class View:
    """A look at a photo: how much of what the model sees, and whether mirrored."""

    part: float = 1.0  # of the shorter side that the model's own preprocessing takes
    mirrored: bool = False

    def __str__(self) -> str:
        return f"{self.part:g}{' mirrored' if self.mirrored else ''}"


AS_IT_IS = View()
VIEWS = (AS_IT_IS, View(mirrored=True), View(0.8), View(0.8, mirrored=True))


def views(count: int) -> tuple[View, ...]:
    """The first so many: as it is, mirrored, nearer, nearer and mirrored."""
    if not 1 <= count <= len(VIEWS):
        raise ArgumentError(f"views is {count}; it can be 1 to {len(VIEWS)}")
    return VIEWS[:count]


def pixels(photo: Image.Image, chosen: Sequence[View], preprocessing: Preprocessing, size: tuple[int, int]) -> Array:
    """An RGB photo -> (views, height, width, 3) float32, ready for the network."""
    parts = {
        part: replace(preprocessing, crop=preprocessing.crop * part)(photo, size)
        for part in dict.fromkeys(view.part for view in chosen)
    }
    return np.stack([parts[view.part][:, ::-1] if view.mirrored else parts[view.part] for view in chosen])
