"""A model: architecture, weights, preprocessing and labels, never apart."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import catalog, weights
from ..engines import devices
from ..errors import ArgumentError, GraphError, ImageError, InputError, LabelsError, WeightsError
from ..labels import Label, Prediction, ranked
from ..network import graph_json, summary
from ..network.graph import Graph, Node, Shape
from ..network.layers import Dropout
from ..network.passes import with_input
from ..network.taught import FINETUNE, MEANS, Taught, body_of, has_head, head_weights
from ..photos import Photo, describe, read
from ..photos.finding import Photos, each, is_one
from ..preprocessing import NORMALISATIONS, Normalisation, Preprocessing
from ..tools.arrays import Array, Floats, as_array, is_finite
from ..tools.progress import Verbose, track
from ..weights import Weights, writing
from ..weights.description import Description
from . import inputs
from .looking import Seen, outputs
from .naming import Answer, Namer

if TYPE_CHECKING:
    from ..engines import Engine, Precision, Session

__all__ = ["Answer", "Model", "lazy_weights"]


class Model(Namer):
    """A network that is ready to answer.

    `labels` name its classes, in order; None for a network without a classifier. `size` is the (height, width) in
    pixels that photos are brought to. `taught` is what a model that a person has taught remembers of its lessons.
    `engine` computes: ONNX Runtime on the processor, where none is given. Weights that come from a file are checked
    here, at once.

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
        taught: Taught | None = None,
        engine: Engine | None = None,
    ):
        self.graph, self.preprocessing, self.size, self.taught = graph, preprocessing, size, taught
        self.labels = tuple(labels) if labels is not None else None
        self._pytorch_names = pytorch_names
        self._fitting: set[Shape] = {graph.input.shape}  # input shapes that are known to go through
        self._lock = threading.Lock()
        self._engine = engine or devices.engine()
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
    def device(self) -> str:
        """What computes: "cpu", "cuda", or one of several GPUs such as "cuda:1"."""
        return self._engine.device

    @property
    def precision(self) -> Precision:
        """In which numbers: "float32", "float16" or "int8"."""
        return self._engine.precision

    @property
    def layers(self) -> tuple[Node, ...]:
        return self.graph.nodes

    @property
    def input_shape(self) -> Shape:
        return (None, *self.graph.input.shape)

    @property
    def output_shape(self) -> Shape:
        return (None, *self.graph.output.shape)

    @property
    def feature_layer(self) -> str:
        """The name of the layer whose output the classifier takes; the last one where there is no classifier."""
        if has_head(self.graph):
            return body_of(self.graph).output.name
        if self.labels is None:
            return self.graph.output.name
        node = next(node for node in reversed(self.graph.nodes) if node.weights())
        (node,) = node.inputs
        while isinstance(node.layer, Dropout):
            (node,) = node.inputs
        return node.name

    def count_params(self) -> int:
        return summary.totals(self.graph).parameters

    def summary(self, print_fn: Callable[[str], Any] = print) -> None:
        """Print Keras' table: layer, output shape, parameters, inputs, and the totals."""
        print_fn(summary.text(self.graph))

    def predict(self, x: Any, batch_size: int | None = 32, verbose: Verbose = "auto") -> Floats:
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
        run = self._run(self.graph)
        parts = []
        for start in track(range(0, len(x), batch_size), -(-len(x) // batch_size), "predict", verbose):
            part = np.ascontiguousarray(x[start : start + batch_size], np.float32)
            inputs.check_values(part, self.normalisation, stacklevel=2)
            parts.append(run(part))
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    def answers(self, photos: Photos, top: int = 3, *, every_pixel: bool = False) -> Iterator[Answer]:
        """What the model says of each photo, in order, as soon as it is known; a bad photo does not stop the others.

        `photos` are several, one, or the path of a folder, which is searched to its bottom. They are read and computed
        by all cores at once. `every_pixel` as in `classify`.
        """
        labels = self._names()
        if top < 1:
            raise ArgumentError(f"top is {top}; it can be 1 or more")
        for photo, output in self.scores(photos, every_pixel=every_pixel):
            yield (
                Answer(describe(photo), [], output)
                if isinstance(output, ImageError)
                else Answer(describe(photo), ranked(output, labels, top))
            )

    def scores(self, photos: Photos, *, every_pixel: bool = False) -> Iterator[Seen]:
        """Each photo with its scores (classes,), or why it cannot be read: in order, as soon as they are known.

        Raises LabelsError for a model without a classifier.
        """
        self._names()
        return self._outputs(self.graph, photos, every_pixel)

    def features(self, photos: Photos, layer: str | None = None, *, every_pixel: bool = False) -> Floats:
        """What the network sees in a photo, as numbers: the vector that its classifier would get.

        One photo gives (d,), several, or the path of a folder, (n, d), float32. `layer` names another layer to take; a
        map is averaged over its height and width. `every_pixel` as in `classify`.

        Raises ImageError at the first photo that cannot be read, GraphError for an unknown layer.
        """
        graph = self.graph.cut(layer or self.feature_layer)
        vectors = []
        for _, y in self._outputs(graph, photos, every_pixel):
            if isinstance(y, ImageError):
                raise y
            vectors.append(y.mean((0, 1)) if y.ndim == 3 else y)
        if is_one(photos):
            return vectors[0]
        return np.stack(vectors) if vectors else np.empty((0, graph.output.shape[-1] or 0), np.float32)

    def decode_predictions(self, preds: Any, top: int = 5) -> list[list[Prediction]]:
        """Scores (batch, classes) -> for each picture its `top` (synset, name, score) of this model's own classes.

        Raises LabelsError for scores of another shape, or a model without a classifier.
        """
        scores = as_array(preds)
        labels = self._names()
        if scores.ndim != 2 or scores.shape[1] != len(labels):
            raise LabelsError(f"scores of shape {scores.shape} came; (batch, {len(labels)}) was expected")
        return [ranked(row, labels, top) for row in scores]

    def get_weights(self) -> list[Floats]:
        """A copy of every array, in Keras' order."""
        with self._weights.borrowed() as arrays:
            return [array.copy() for array in arrays.values()]

    def set_weights(self, arrays: Sequence[Array]) -> None:
        """Take arrays in Keras' order. Raises WeightsError, and keeps the old ones, where they do not fit."""
        names = list(self.graph.weights())
        if len(arrays) != len(names):
            raise ArgumentError(f"{len(arrays)} arrays came; {self.name} has {len(names)}")
        self._use(weights.from_arrays(dict(zip(names, map(_copied, arrays), strict=True)), self.graph))

    def load_weights(self, path: str | Path) -> None:
        """Take the weights of a file. Raises WeightsError, and keeps the old ones, where they do not fit."""
        self._use(weights.from_file(Path(path), self.graph, self._pytorch_names))

    def save(self, path: str | Path, *, light: bool = False) -> None:
        """Write the whole model, with its preprocessing and labels, into one .safetensors file for `hati.load`.

        `light` leaves out the body of a taught model where it is the catalog's: the file keeps its checksum.

        Raises ArgumentError for another ending, or a body that the catalog does not have; WeightsError where the file
        cannot be written.
        """
        taught = self.taught
        if light:
            self._check_body_is_published()
        told = Description(
            self.graph,
            self.preprocessing,
            self.labels,
            self.size,
            self._pytorch_names,
            taught.provenance if taught else None,
            light,
        )
        beside = {MEANS: taught.means} if taught else {}
        with self._weights.borrowed() as arrays:
            kept = {name: x for name, x in arrays.items() if not light or name in head_weights(self.graph)}
            writing.write_model(Path(path), {**kept, **beside}, told)

    def save_weights(self, path: str | Path) -> None:
        """Write the weights alone: .weights.h5, as Keras loads them, or .safetensors by the graph's own names.

        Raises ArgumentError for another ending, WeightsError where they cannot be written.
        """
        with self._weights.borrowed() as arrays:
            writing.write_weights(Path(path), arrays, self.graph)

    def running_on(self, engine: Engine) -> Model:
        """The same model, computed by another engine."""
        return Model(self.graph, self._weights, self.preprocessing, **self._settings, engine=engine)

    def __deepcopy__(self, memo: object) -> Model:
        """A model of its own. Weights are never changed, only replaced: both models hold the same."""
        return self.running_on(self._engine)

    def __reduce__(self) -> tuple[Any, ...]:
        """For pickle: the parts of a model, and nothing that is running."""
        parts = self._weights, self.preprocessing, self._settings, self._engine
        return _unpickled, (graph_json.to_json(self.graph), *parts)

    @property
    def _settings(self) -> dict[str, Any]:
        names = self._pytorch_names
        return {"labels": self.labels, "size": self.size, "pytorch_names": names, "taught": self.taught}

    def _names(self) -> tuple[Label, ...]:
        if self.labels is None:
            raise LabelsError(
                f"{self.name} has no classifier to name classes with; take include_top=True, or ask for features"
            )
        return self.labels

    def _check_body_is_published(self) -> None:
        """Refuse to leave out a body that cannot be had again."""
        if self.taught is None:
            raise ArgumentError(f"{self.name} was not taught: it has no body that a light file could leave out")
        body = self.taught.provenance.body
        if self.taught.provenance.method == FINETUNE or body not in catalog.entries():
            why = "fine-tuning changed it" if body in catalog.entries() else f"{body} is not in the catalog"
            raise ArgumentError(f"a light file leaves out the body, but {why}; save the whole model instead")

    def _use(self, new: Weights) -> None:
        ready: dict[tuple[str, bool], Session] = {}
        if new.identity is not None:
            if session := self._engine.cached(self.graph, new):
                ready[self.graph.output.name, False] = session
            else:
                new.arrays()  # read and checked now, so that a wrong file is refused here and not at the first picture
        with self._lock:
            self._weights, self._sessions = new, ready

    def _session(self, graph: Graph, shared: bool = False) -> Session:
        """The graph ready to run by all cores or, `shared`, by each of several threads on a core of its own."""
        key = graph.output.name, shared
        with self._lock:
            if key not in self._sessions:
                part = self._weights.of(graph) if graph is not self.graph else self._weights
                engine = self._engine.shared() if shared else self._engine
                self._sessions[key] = engine.session(graph, part)
            return self._sessions[key]

    def _run(self, graph: Graph, shared: bool = False) -> Session:
        """The same, and what comes out is made sure to be numbers."""
        session = self._session(graph, shared)

        def run(x: Array) -> Array:
            y = session(x)
            if not is_finite(y):
                raise WeightsError(f"{self.name} gives NaN or infinity: {self._why_no_numbers()}")
            return y

        return run

    def _why_no_numbers(self) -> str:
        if self.precision == "float16":
            return "its weights are damaged, or too large for float16; take precision='float32'"
        return "its weights are damaged; take them from another file"

    def _check_size(self, shape: tuple[int, ...]) -> None:
        """Where the network leaves the size open, refuse pictures that vanish on their way through it."""
        if shape in self._fitting:
            return
        try:
            with_input(self.graph, shape)
        except GraphError as error:
            raise InputError(f"pictures of shape {shape} are too small for {self.name}: {error}") from None
        self._fitting.add(shape)

    def _outputs(self, graph: Graph, photos: Photos, every_pixel: bool) -> Iterator[Seen]:
        """Each photo with what the graph gives for it."""
        channels = self.graph.input.shape[-1]
        if channels != 3:
            raise InputError(
                f"{self.name} takes pictures with {channels} channels, photos have 3; give arrays to predict"
            )
        needed = None if every_pixel else self.preprocessing.needed(self.size)

        def prepare(photo: Photo) -> Array:
            return self.preprocessing(read(photo, needed=needed), self.size)

        return outputs(each(photos), prepare, partial(self._run, graph))


def _copied(x: Any) -> Array:
    return np.array(as_array(x))


def lazy_weights(model: Model) -> Weights:
    """A model's weights for hati's other rooms: read when they are first needed, shared and never changed."""
    return model._weights


def _unpickled(graph: Any, weights: Weights, preprocessing: Preprocessing, rest: Any, engine: Engine) -> Model:
    return Model(graph_json.from_json(graph), weights, preprocessing, **rest, engine=engine)
