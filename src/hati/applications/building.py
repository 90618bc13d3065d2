"""What every function of `hati.applications` does: Keras' arguments, Keras' refusals, and a Model at the end."""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from os import PathLike, fspath
from pathlib import Path
from typing import Any, get_args

from .. import labels
from ..architectures.blocks import Head, Pooling
from ..catalog import Entry, find
from ..errors import ArgumentError
from ..graph import Graph, Shape
from ..layers import Function
from ..model import Model
from ..summary import totals
from ..weights import Weights, from_file, random, store

Architecture = Callable[[Shape, Head], Graph]
PytorchNames = Callable[[Graph], dict[str, str]]


@dataclass(frozen=True)
class Request:
    """Keras' arguments, as the caller gave them."""

    include_top: bool = True
    weights: str | PathLike[str] | None = "imagenet"
    input_tensor: Any = None
    input_shape: tuple[int | None, ...] | None = None
    pooling: Pooling | None = None
    classes: int = 1000
    classifier_activation: Function | None = "softmax"
    name: str | None = None

    @property
    def imagenet(self) -> bool:
        return self.weights == "imagenet"


@dataclass(frozen=True)
class Application:
    """A model by its name, called with Keras' arguments.

    `include_top` keeps the classifier; without it `pooling` ("avg", "max" or None) ends the network. `weights` is
    "imagenet", the path of a file, or None for random ones. `input_shape` is (height, width, channels) in pixels;
    without a classifier height and width may be None. `classes` and `classifier_activation` shape the classifier.

    Raises ArgumentError for a combination that means nothing, WeightsError for a file that does not fit, and
    WeightsUnavailable where the file cannot be had.
    """

    catalog_name: str
    architecture: Architecture
    smallest: int = 32  # pixels of height and width
    pytorch_names: PytorchNames | None = None

    def __call__(
        self,
        include_top: bool = True,
        weights: str | PathLike[str] | None = "imagenet",
        input_tensor: Any = None,
        input_shape: tuple[int | None, ...] | None = None,
        pooling: Pooling | None = None,
        classes: int = 1000,
        classifier_activation: Function | None = "softmax",
        name: str | None = None,
    ) -> Model:
        request = Request(
            include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation, name
        )
        return build(self.architecture, find(self.catalog_name), request, self.smallest, self.pytorch_names)


def build(
    architecture: Architecture,
    entry: Entry,
    request: Request,
    smallest: int,
    pytorch_names: PytorchNames | None = None,
) -> Model:
    """A Model out of an architecture, its entry in the catalog and Keras' arguments. It refuses before it fetches."""
    check(request)
    shape = input_shape(request, entry.size, smallest)
    head = Head(request.include_top, request.classes, request.classifier_activation or "linear", request.pooling)
    graph = architecture(shape, head)
    if request.name:
        graph = Graph(graph.output, request.name)
    names = pytorch_names(graph) if pytorch_names else None
    return Model(
        graph,
        _weights(request, entry, graph, names),
        entry.preprocessing,
        labels=_labels(request),
        size=(shape[0] or entry.size, shape[1] or entry.size),
        pytorch_names=names,
    )


def check(request: Request) -> None:
    """Keras' refusals that need no shape."""
    if request.input_tensor is not None:
        raise ArgumentError("input_tensor means nothing here: a hati model takes arrays; give input_shape instead")
    if not request.imagenet and request.weights is not None and not Path(request.weights).is_file():
        raise ArgumentError(
            f"weights is {fspath(request.weights)!r}; it can be 'imagenet', None, or the path of a file that exists"
        )
    if request.imagenet and request.include_top and request.classes != 1000:
        raise ArgumentError(
            f"classes is {request.classes}, but weights='imagenet' with include_top=True has 1000; "
            "take weights=None, or include_top=False and a head of your own"
        )
    if not isinstance(request.classes, int) or request.classes < 1:
        raise ArgumentError(f"classes is {request.classes}; it can be a whole number from 1 on")
    if request.pooling not in (None, *get_args(Pooling)):
        raise ArgumentError(f"pooling is {request.pooling!r}; it can be None, 'avg' or 'max'")
    _check_activation(request)


def input_shape(request: Request, default_size: int, smallest: int) -> Shape:
    """The shape of the network's input, by Keras' rules."""
    given = request.input_shape
    default: Shape = (default_size, default_size, 3)
    if given is None:
        return default if request.include_top else (None, None, 3)
    if (
        not isinstance(given, tuple | list)
        or len(given) != 3
        or not all(isinstance(size, int | None) for size in given)
    ):
        raise ArgumentError(f"input_shape is {given}; three whole numbers were expected, (height, width, channels)")
    height, width, channels = given = tuple(given)
    if channels is None or channels < 1:
        raise ArgumentError(f"input_shape is {given}; its last number, the channels, must be known")
    if request.imagenet and request.include_top and given != default:
        raise ArgumentError(f"input_shape is {given}, but weights='imagenet' with include_top=True needs {default}")
    if request.imagenet and channels != 3:
        raise ArgumentError(f"input_shape is {given}; weights='imagenet' needs 3 channels")
    if any(size is not None and size < smallest for size in (height, width)):
        raise ArgumentError(f"input_shape is {given}; height and width can be {smallest} or more")
    if request.include_top and None in given:
        raise ArgumentError(f"input_shape is {given}; with include_top=True its height and width must be known")
    if channels not in (1, 3):
        warnings.warn(f"input_shape has {channels} channels; 1 or 3 are usual", UserWarning, stacklevel=4)
    return given


def _check_activation(request: Request) -> None:
    activation = request.classifier_activation
    if not request.include_top:
        return
    if activation not in (None, *get_args(Function)):
        raise ArgumentError(
            f"classifier_activation is {activation!r}; it can be None or {', '.join(get_args(Function))}"
        )
    if request.weights is not None and activation not in (None, "softmax"):
        raise ArgumentError(
            f"classifier_activation is {activation!r}; with pretrained weights it can be None or 'softmax'"
        )


def _weights(request: Request, entry: Entry, graph: Graph, names: dict[str, str] | None) -> Weights:
    if request.weights is None:
        return random(graph)
    body_only = not request.include_top and entry.notop_file is None
    if not request.imagenet:
        return from_file(Path(request.weights), graph, names, body_only=body_only)
    file = entry.weights_file(request.include_top)
    path = store.fetch(file, totals(graph).parameters)
    return from_file(path, graph, names, body_only=body_only, verify=partial(store.verify, file, path))


def _labels(request: Request) -> tuple[labels.Label, ...] | None:
    if not request.include_top:
        return None
    return labels.imagenet() if request.classes == 1000 else labels.numbered(request.classes)
