"""The part of a model that sees: a photo goes in, a vector comes out, and a head makes classes of it."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain
from math import ceil
from os import PathLike

import numpy as np

from .. import photos, weights
from ..engines import Session, devices
from ..errors import ArgumentError, GraphError, ImageError, light
from ..model import Model, lazy_weights
from ..network.graph import Graph
from ..network.layers import GlobalAveragePooling2D
from ..network.passes import with_input
from ..photos import Photo
from ..preprocessing import Preprocessing
from ..tools.arrays import Array
from ..tools.files import file_name
from ..tools.machine import cores
from ..tools.pipeline import batches, in_order
from ..tools.progress import Verbose, track
from ..weights import Weights
from .vector_cache import Key, VectorCache
from .views import AS_IT_IS, View, pixels

BATCH = 8  # photos that one core takes at once: one visit to the cache for all of them
LONGEST = 8192  # numbers of a vector that is kept: a whole map takes more room than it is worth
_starting = threading.Lock()


@dataclass(frozen=True)
class PhotoVectors:
    """What a body made of photos."""

    vectors: Array = field(repr=False)  # (readable photos, views, numbers) float32
    readable: Array = field(repr=False)  # (photos,) bool
    errors: tuple[ImageError, ...]  # one for each of the others

    @property
    def first(self) -> Array:
        """(readable photos, numbers): of the first view, the one that a model answers by."""
        return np.asarray(self.vectors[:, 0])


@dataclass(frozen=True)
class Body:
    """A network up to the vector that a classifier takes, with the preprocessing of its weights."""

    graph: Graph
    weights: Weights
    preprocessing: Preprocessing
    size: tuple[int, int]

    @classmethod
    def of(cls, model: Model, size: int | None = None) -> Body:
        """A model without its classifier; of a map, the mean over height and width.

        `size` is that of the square picture that it sees, in pixels, where it shall not be the model's own. Raises
        ArgumentError where the network cannot take such pictures.
        """
        graph = model.graph.cut(model.feature_layer)
        if size is not None:
            graph = _seeing(graph, size)
        if len(graph.output.shape) == 3:
            graph = Graph(GlobalAveragePooling2D()(graph.output, name="head_pooling"), graph.name)
        if graph.input.shape[-1] != 3:
            raise ArgumentError(f"{model.name} takes pictures with {graph.input.shape[-1]} channels; photos have 3")
        return cls(graph, lazy_weights(model).of(graph), model.preprocessing, (size, size) if size else model.size)

    def __repr__(self) -> str:
        return f"<Body of {self.graph.name}: {self.size[0]} × {self.size[1]} pixels to {self.width} numbers>"

    @property
    def width(self) -> int:
        """How many numbers the vector has."""
        (width,) = self.graph.output.shape
        assert width is not None
        return width

    @cached_property
    def checksum(self) -> str:
        """SHA-256 of the network and its arrays: two bodies with one checksum see alike."""
        with self.weights.borrowed() as arrays:
            return weights.checksum(self.graph, arrays)

    def see(
        self,
        found: Sequence[Photo],
        views: Sequence[View] = (AS_IT_IS,),
        verbose: Verbose = "auto",
        *,
        every_pixel: bool = False,
    ) -> PhotoVectors:
        """The vectors of photos, by all cores at once; those of files are kept in the cache by their content.

        JPEGs much larger than the network needs are decoded at a part of their size, as `Model.classify` decodes them,
        unless `every_pixel` is asked for.
        """
        read = VectorReader(self, tuple(views), self.cache, every_pixel)
        done = chain.from_iterable(in_order(read, batches(found, BATCH), cores()))
        seen = list(track(done, len(found), "looking at photos", verbose))
        vectors = [one for one in seen if isinstance(one, np.ndarray)]
        return PhotoVectors(
            np.stack(vectors) if vectors else np.empty((0, len(views), self.width), np.float32),
            np.array([isinstance(one, np.ndarray) for one in seen], bool),
            tuple(one for one in seen if isinstance(one, ImageError)),
        )

    @property
    def cache(self) -> VectorCache:
        """Its own: other vectors come of another network, other weights, or another way to prepare a photo."""
        return VectorCache(file_name(self.graph.name, self.checksum, self.preprocessing, self.size))

    @property
    def session(self) -> Session:
        """The network ready to run, each of several threads on a core of its own."""
        with _starting:
            return self._session

    @cached_property
    def _session(self) -> Session:
        return devices.engine().shared().session(self.graph, self.weights)


def _seeing(graph: Graph, size: int) -> Graph:
    try:
        other = with_input(graph, (size, size, 3))
    except GraphError as error:
        raise ArgumentError(f"size is {size}; {graph.name} cannot take such pictures: {error}") from None
    if other.weights() != graph.weights():
        raise ArgumentError(f"size is {size}; {graph.name} cannot take such pictures: its weights are for its own size")
    return other


class VectorReader:
    """What is done with a few photos at once: read, found in the cache or computed, kept there."""

    def __init__(self, body: Body, views: tuple[View, ...], cache: VectorCache, every_pixel: bool):
        self.body, self.views, self.cache = body, views, cache
        needed = max(ceil(body.preprocessing.needed(body.size) / view.part) for view in views)
        self.needed = None if every_pixel else needed

    def __call__(self, batch: list[Photo]) -> list[Array | ImageError]:
        """For each photo (views, numbers), or why it cannot be read."""
        opened = [self._opened(photo) for photo in batch]
        known = self.cache.find([key for mark, _, _ in opened for key in self._keys(mark)])
        seen: list[Array | ImageError] = []
        new: dict[Key, Array] = {}
        for mark, photo, name in opened:
            keys = self._keys(mark)
            if keys and all(key in known for key in keys):
                seen.append(np.stack([known[key] for key in keys]))
                continue
            seen.append(found := self._vectors(photo, name))
            if keys and not isinstance(found, ImageError):
                new |= zip(keys, found, strict=True)
        if new:
            self.cache.keep(new)
        return seen

    def _keys(self, mark: bytes) -> list[Key]:
        """Where the vectors of a photo lie; nowhere, where it has no mark."""
        pixels_told = "every pixel" if self.needed is None else f"{self.needed} pixels"
        return [(mark, f"{view} of {pixels_told}") for view in self.views] if mark else []

    def _opened(self, photo: Photo) -> tuple[bytes, Photo | ImageError, str]:
        """A photo with its name; a file's content and its checksum."""
        name = photos.describe(photo)
        if not isinstance(photo, str | PathLike) or photos.is_url(name):
            return b"", photo, name
        try:
            content = photos.read_file(name)
        except ImageError as error:
            return b"", light(error), name
        return hashlib.sha256(content).digest() if self.body.width <= LONGEST else b"", content, name

    def _vectors(self, photo: Photo | ImageError, name: str) -> Array | ImageError:
        if isinstance(photo, ImageError):
            return photo
        try:
            picture = photos.read(photo, name, needed=self.needed)
        except ImageError as error:
            return light(error)
        return self.body.session(pixels(picture, self.views, self.body.preprocessing, self.body.size))
