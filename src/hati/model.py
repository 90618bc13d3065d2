"""A model: architecture, weights, preprocessing and labels, never apart."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeGuard, cast, overload

import numpy as np

from . import inputs, photos, summary, weights
from .errors import ArgumentError, GraphError, ImageError, InputError, LabelsError
from .graph import Graph, Node, Shape
from .labels import Label, Prediction, ranked
from .layers import Dropout
from .passes import with_input
from .photos import Photo
from .preprocessing import NORMALISATIONS, Normalisation, Preprocessing
from .progress import Verbose, track
from .weights import Weights, writing
from .weights.description import Description

if TYPE_CHECKING:
    from .engines import Engine, Session

Array = np.ndarray


@dataclass(frozen=True)
class Answer:
    """What a model says of one photo: its predictions, or the error that the photo itself is to blame for."""

    photo: str
    predictions: list[Prediction]
    error: ImageError | None = None


class Model:
    """A network that is ready to answer.

    `labels` name its classes, in order; None for a network without a classifier. `size` is the (height, width) in
    pixels that photos are brought to. `engine` computes: ONNX Runtime on the processor, where none is given. Weights
    that come from a file are checked here, at once.

    Raises WeightsError where the weights do not fit the graph.
    """

    def __init__(
        self,
        graph: Graph,
        weights: Weights,
        preprocessing: Preprocessing,
        *,
        labels: Sequence[Label] | None,
        size: tuple[int, int],
        pytorch_names: dict[str, str] | None = None,
        engine: Engine | None = None,
    ):
        self.graph, self.preprocessing, self.size = graph, preprocessing, size
        self.labels = tuple(labels) if labels is not None else None
        self._pytorch_names = pytorch_names
        self._fitting: set[Shape] = {graph.input.shape}  # input shapes that are known to go through
        self._lock = threading.Lock()
        self._engine = engine or _onnx_runtime()
        self._use(weights)

    def __repr__(self) -> str:
        return (
            f"<hati.Model {self.name}: {self.input_shape} -> {self.output_shape}, {self.count_params():,} parameters>"
        )

    @property
    def name(self) -> str:
        return self.graph.name

    @property
    def normalisation(self) -> Normalisation:
        return NORMALISATIONS[self.preprocessing.normalisation]

    @property
    def layers(self) -> tuple[Node, ...]:
        return self.graph.nodes

    @property
    def input_shape(self) -> Shape:
        return (None, *self.graph.input.shape)

    @property
    def output_shape(self) -> Shape:
        return (None, *self.graph.output.shape)

    def count_params(self) -> int:
        return summary.totals(self.graph).parameters

    def summary(self, print_fn: Callable[[str], Any] = print) -> None:
        """Print Keras' table: layer, output shape, parameters, inputs, and the totals."""
        print_fn(summary.text(self.graph))

    def predict(self, x: Any, batch_size: int | None = 32, verbose: Verbose = "auto") -> Array:
        """The network's output for preprocessed pictures.

        x: (n, height, width, channels), as the model's `preprocess_input` gives them; any n, any real type.
        Returns (n, *output_shape[1:]) float32. `verbose` 1 shows a progress bar, 0 none, "auto" one in a terminal when
        the work is long.

        Raises InputError for a wrong shape, NaN or infinity; gives an InputWarning for values that the model's
        preprocessing cannot have made.
        """
        batch_size = 32 if batch_size is None else batch_size
        if batch_size < 1:
            raise ArgumentError(f"batch_size is {batch_size}; it can be 1 or more")
        x = inputs.batch(x, self.graph.input.shape)
        if not len(x):
            return np.empty((0, *(size or 0 for size in self.graph.output.shape)), np.float32)
        self._check_size(x.shape[1:])
        session = self._session(self.graph)
        parts = []
        for start in track(range(0, len(x), batch_size), -(-len(x) // batch_size), "predict", verbose):
            part = np.ascontiguousarray(x[start : start + batch_size], np.float32)
            inputs.check_values(part, self.normalisation, stacklevel=2)
            parts.append(session(part))
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    @overload
    def classify(self, photos: Photo, top: int = 3) -> list[Prediction]: ...  # type: ignore[overload-overlap]

    @overload
    def classify(self, photos: Iterable[Photo], top: int = 3) -> list[list[Prediction]]: ...

    def classify(self, photos: Photo | Iterable[Photo], top: int = 3) -> list[Prediction] | list[list[Prediction]]:
        """Name what is in a photo.

        A photo is a path, a URL, bytes, a PIL image, or an array (height, width, 3) of 0–255 RGB. One photo gives a
        list of its `top` predictions (synset, name, score), best first; several give a list of such lists.

        Raises ImageError at the first photo that cannot be read, LabelsError for a model without a classifier, and
        InputError for one that takes no RGB.
        """
        if _is_one(photos):
            return self.classify([photos], top)[0]
        found = []
        for answer in self.answers(cast(Iterable[Photo], photos), top):
            if answer.error is not None:
                raise answer.error
            found.append(answer.predictions)
        return found

    def answers(self, photos: Iterable[Photo], top: int = 3, batch_size: int = 8) -> Iterator[Answer]:
        """What the model says of each photo, in order, as soon as it is known; a bad photo does not stop the others."""
        if self.labels is None:
            raise LabelsError(
                f"{self.name} has no classifier to name classes with; take include_top=True, or ask for features"
            )
        if top < 1:
            raise ArgumentError(f"top is {top}; it can be 1 or more")
        waiting = iter(photos)
        while batch := list(islice(waiting, batch_size)):
            yield from self._answer_batch(batch, top, self.labels)

    def features(self, photos: Photo | Iterable[Photo], layer: str | None = None) -> Array:
        """What the network sees in a photo, as numbers: the vector that its classifier would get.

        One photo gives (d,), several (n, d), float32. `layer` names another layer to take; a map is averaged over its
        height and width.

        Raises ImageError at the first photo that cannot be read, GraphError for an unknown layer.
        """
        if _is_one(photos):
            return self.features([photos], layer)[0]
        graph = self.graph.cut(layer or self._feature_layer())
        waiting = iter(cast(Iterable[Photo], photos))
        vectors = [np.empty((0, graph.output.shape[-1] or 0), np.float32)]
        while batch := list(islice(waiting, 8)):
            y = self._session(graph)(np.stack([self._read(photo) for photo in batch]))
            vectors.append(y.mean((1, 2)) if y.ndim == 4 else y)
        return np.concatenate(vectors)

    def get_weights(self) -> list[Array]:
        """A copy of every array, in Keras' order."""
        with self._weights.borrowed() as arrays:
            return [array.copy() for array in arrays.values()]

    def set_weights(self, arrays: Sequence[Array]) -> None:
        """Take arrays in Keras' order. Raises WeightsError, and keeps the old ones, where they do not fit."""
        names = list(self.graph.weights())
        if len(arrays) != len(names):
            raise ArgumentError(f"{len(arrays)} arrays came; {self.name} has {len(names)}")
        self._use(weights.from_arrays(dict(zip(names, map(np.array, arrays), strict=True)), self.graph))

    def load_weights(self, path: str | Path) -> None:
        """Take the weights of a file. Raises WeightsError, and keeps the old ones, where they do not fit."""
        self._use(weights.from_file(Path(path), self.graph, self._pytorch_names))

    def save(self, path: str | Path) -> None:
        """Write the whole model, with its preprocessing and labels, into one .safetensors file for `hati.load`.

        Raises ArgumentError for another ending, WeightsError where it cannot be written.
        """
        told = Description(self.graph, self.preprocessing, self.labels, self.size, self._pytorch_names)
        with self._weights.borrowed() as arrays:
            writing.write_model(Path(path), arrays, told)

    def save_weights(self, path: str | Path) -> None:
        """Write the weights alone: .weights.h5, as Keras loads them, or .safetensors by the graph's own names.

        Raises ArgumentError for another ending, WeightsError where they cannot be written.
        """
        with self._weights.borrowed() as arrays:
            writing.write_weights(Path(path), arrays, self.graph)

    def running_on(self, engine: Engine) -> Model:
        """The same model, computed by another engine."""
        return Model(
            self.graph,
            self._weights,
            self.preprocessing,
            labels=self.labels,
            size=self.size,
            pytorch_names=self._pytorch_names,
            engine=engine,
        )

    def _use(self, new: Weights) -> None:
        ready: dict[str, Session] = {}
        if new.identity is not None:
            if session := self._engine.cached(self.graph, new):
                ready[self.graph.output.name] = session
            else:
                new.arrays()  # read and checked now, so that a wrong file is refused here and not at the first picture
        with self._lock:
            self._weights, self._sessions = new, ready

    def _session(self, graph: Graph) -> Session:
        output = graph.output.name
        with self._lock:
            if output not in self._sessions:
                part = self._weights.of(graph) if graph is not self.graph else self._weights
                self._sessions[output] = self._engine.session(graph, part)
            return self._sessions[output]

    def _check_size(self, shape: tuple[int, ...]) -> None:
        """Where the network leaves the size open, refuse pictures that vanish on their way through it."""
        if shape in self._fitting:
            return
        try:
            with_input(self.graph, shape)
        except GraphError as error:
            raise InputError(f"pictures of shape {shape} are too small for {self.name}: {error}") from None
        self._fitting.add(shape)

    def _answer_batch(self, batch: list[Photo], top: int, labels: Sequence[Label]) -> Iterator[Answer]:
        pictures: list[Array | ImageError] = []
        for photo in batch:
            try:
                pictures.append(self._read(photo))
            except ImageError as error:
                pictures.append(error)
        readable = [picture for picture in pictures if isinstance(picture, np.ndarray)]
        scores = iter(self._session(self.graph)(np.stack(readable)) if readable else ())
        for photo, picture in zip(batch, pictures, strict=True):
            if isinstance(picture, ImageError):
                yield Answer(photos.describe(photo), [], picture)
            else:
                yield Answer(photos.describe(photo), ranked(next(scores), labels, top))

    def _read(self, photo: Photo) -> Array:
        channels = self.graph.input.shape[-1]
        if channels != 3:
            raise InputError(
                f"{self.name} takes pictures with {channels} channels, photos have 3; give arrays to predict"
            )
        return self.preprocessing(photos.read(photo), self.size)

    def _feature_layer(self) -> str:
        """The layer whose output the classifier takes; the last one where there is no classifier."""
        if self.labels is None:
            return self.graph.output.name
        node = next(node for node in reversed(self.graph.nodes) if node.weights())
        (node,) = node.inputs
        while isinstance(node.layer, Dropout):
            (node,) = node.inputs
        return node.name


def _onnx_runtime() -> Engine:
    from .engines.run_onnx import OnnxRuntime

    return OnnxRuntime()


def _is_one(photos: Photo | Iterable[Photo]) -> TypeGuard[Photo]:
    if isinstance(photos, np.ndarray):
        return photos.ndim < 4
    one = isinstance(photos, str | bytes | bytearray) or hasattr(photos, "read")
    return one or not hasattr(photos, "__iter__")
