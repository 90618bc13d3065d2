"""What a model says of photos, and their names out of it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import overload

from ..errors import ImageError
from ..labels import Prediction
from ..photos import Photo
from ..photos.finding import Photos, is_one


@dataclass(frozen=True)
class Answer:
    """What a model says of one photo: its predictions, or the error that the photo itself is to blame for."""

    photo: str
    predictions: list[Prediction]
    error: ImageError | None = None


class Namer(ABC):
    """What can name photos because it can answer for each of them."""

    @abstractmethod
    def answers(self, photos: Photos, top: int = 3, *, every_pixel: bool = False) -> Iterator[Answer]:
        """What is said of each photo, in order; a bad photo does not stop the others."""

    @overload
    def classify(self, photos: Photo, top: int = 3, *, every_pixel: bool = False) -> list[Prediction]: ...  # type: ignore[overload-overlap]

    @overload
    def classify(
        self, photos: Iterable[Photo], top: int = 3, *, every_pixel: bool = False
    ) -> list[list[Prediction]]: ...

    def classify(
        self, photos: Photo | Iterable[Photo], top: int = 3, *, every_pixel: bool = False
    ) -> list[Prediction] | list[list[Prediction]]:
        """Name what is in a photo.

        A photo is a path, a URL, bytes, a PIL image, or an array (height, width, 3) of 0–255 RGB. One photo gives a
        list of its `top` predictions (synset, name, score), best first; several, or the path of a folder, give a list
        of such lists. JPEGs much larger than the network needs are decoded at a part of their size, unless
        `every_pixel` is asked for.

        Raises ImageError at the first photo that cannot be read, LabelsError for a model without a classifier, and
        InputError for one that takes no RGB.
        """
        found = []
        for answer in self.answers(photos, top, every_pixel=every_pixel):
            if answer.error is not None:
                raise answer.error
            found.append(answer.predictions)
        return found[0] if is_one(photos) else found
