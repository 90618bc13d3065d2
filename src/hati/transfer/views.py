"""Several looks at one photo: the whole and its middle, each as it is and mirrored."""

from dataclasses import dataclass, replace

import numpy as np
from PIL import Image

from ..errors import ArgumentError
from ..preprocessing import NORMALISATIONS, Preprocessing

Array = np.ndarray


@dataclass(frozen=True)
class View:
    """A look at a photo: how much of what the model sees, and whether mirrored."""

    part: float = 1.0  # of the shorter side that the model's own preprocessing takes
    mirrored: bool = False

    def __str__(self) -> str:
        return f"{self.part:g}{' mirrored' if self.mirrored else ''}"

    def pixels(self, photo: Image.Image, preprocessing: Preprocessing, size: tuple[int, int]) -> Array:
        """An RGB photo -> (height, width, 3) float32, ready for the network."""
        nearer = replace(preprocessing, crop=preprocessing.crop * self.part)
        x = nearer.resize(photo, size)
        return NORMALISATIONS[preprocessing.normalisation](x[:, ::-1] if self.mirrored else x)


AS_IT_IS = View()
VIEWS = (AS_IT_IS, View(mirrored=True), View(0.8), View(0.8, mirrored=True))


def views(count: int) -> tuple[View, ...]:
    """The first so many: as it is, mirrored, nearer, nearer and mirrored."""
    if not 1 <= count <= len(VIEWS):
        raise ArgumentError(f"views is {count}; it can be 1 to {len(VIEWS)}")
    return VIEWS[:count]
