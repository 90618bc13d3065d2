"""Bodies stay in memory once they are loaded: the copies that a grid search makes of an estimator share them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import ArgumentError, ImageError
from ..loading import ModelLike, model_of
from ..model import Model, lazy_weights
from ..network.graph import Graph, Layer
from ..network.layers import Flatten, GlobalAveragePooling2D, GlobalMaxPooling2D
from ..network.passes import with_input
from ..photos import Photo
from ..tools.arrays import Array
from ..transfer.body import Body, PhotoVectors
from ..transfer.views import AS_IT_IS, View
from ..weights import Weights

if TYPE_CHECKING:
    from sklearn.utils import Tags

HELD = 4  # bodies, the ones used last
POOLINGS: dict[str | None, Layer] = {"avg": GlobalAveragePooling2D(), "max": GlobalMaxPooling2D(), None: Flatten()}


def loaded_once(asked: ModelLike) -> Model:
    """As `model_of`; a name or a file is loaded once, as long as the file stays as it is."""
    if not isinstance(asked, str | PathLike):
        return model_of(asked)
    place = asked if isinstance(asked, str) else Path(asked)
    return _loaded(place, _state(place))


def body_of(network: ModelLike, layer: str | None = None, pooling: str | None = "avg") -> Body:
    """A model up to one of its layers, whose map is pooled over height and width, or with None laid out flat.

    Raises GraphError for a layer that is not there, and what `hati.load` raises.
    """
    if pooling not in POOLINGS:
        raise ArgumentError(f"pooling is {pooling!r}; it can be {', '.join(map(repr, POOLINGS))}")
    model = loaded_once(network)
    return _body(model, lazy_weights(model), layer, pooling)


def see(body: Body, found: Sequence[Photo], views: Sequence[View] = (AS_IT_IS,), *, every_pixel: bool = False) -> Array:
    """(photos, views, numbers) float32. Raises ImageError where a photo cannot be read, and says which."""
    seen = body.see(found, views, verbose=0, every_pixel=every_pixel)
    if seen.errors:
        raise _first_error(seen)
    return seen.vectors


def tagged(tags: Tags) -> Tags:
    """What scikit-learn is told of an input of photos."""
    tags.input_tags.one_d_array = tags.input_tags.string = True
    tags.input_tags.two_d_array = False
    return tags


def _first_error(seen: PhotoVectors) -> ImageError:
    error, others = seen.errors[0], len(seen.errors) - 1
    more = f" ({others} more cannot be read)" if others else ""
    return type(error)(f"X[{int(seen.readable.argmin())}]: {error}{more}")


@lru_cache(HELD)
def _loaded(asked: str | Path, state: tuple[int, ...]) -> Model:
    return model_of(asked)


def _state(file: str | Path) -> tuple[int, ...]:
    """What changes with a file's content; nothing for a name of the catalog."""
    if not os.path.isfile(file):
        return ()
    found = os.stat(file)
    return found.st_size, found.st_mtime_ns, found.st_ino


@lru_cache(HELD)
def _body(model: Model, weights: Weights, layer: str | None, pooling: str | None) -> Body:
    """`weights` are the model's own: others can take their place."""
    body = Body.of(model)
    if layer is None and pooling == "avg":
        return body
    graph = model.graph.cut(layer or model.feature_layer)
    if len(graph.output.shape) > 1:
        graph = with_input(graph, (*body.size, 3))
        graph = Graph(POOLINGS[pooling](graph.output, name="pooling"), graph.name)
    return replace(body, graph=graph, weights=weights.of(graph))
