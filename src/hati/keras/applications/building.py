"""What every function of `hati.keras.applications` does: Keras' arguments, Keras' refusals, and a Model at the end."""

import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from functools import partial
from inspect import BoundArguments, Parameter, Signature
from numbers import Integral
from os import PathLike
from pathlib import Path
from typing import Any, Literal, TypedDict, Unpack, get_args

from ... import labels
from ...catalog import Entry, entries
from ...errors import ArgumentError
from ...model import Model
from ...network.architectures.blocks import Pooling, Top
from ...network.graph import Graph, Shape
from ...network.layers import Function
from ...network.summary import totals
from ...preprocessing import DataFormat, Preprocessing
from ...tools.arrays import Array
from ...weights import Weights, from_file, random
from ...weights.bringing import store
from .imagenet_utils import Mode, preprocess_input

PytorchNames = Callable[[Graph], dict[str, str]]
Options = Mapping[str, Any]
Size = Literal["open", "known with a classifier", "known"]  # of the input: where its height and width must be known

USUAL = "include_top weights input_tensor input_shape pooling classes classifier_activation name"
DEFAULTS: Options = {
    "include_top": True,
    "weights": "imagenet",
    "input_tensor": None,
    "input_shape": None,
    "pooling": None,
    "classes": 1000,
    "classifier_activation": "softmax",
    "name": None,
}


class Arguments(TypedDict, total=False):
    """What a caller may name; the last six are some families' own."""

    include_top: bool
    weights: str | PathLike[str] | None
    input_tensor: Any
    input_shape: tuple[int | None, ...] | None
    pooling: Pooling | None
    classes: int
    classifier_activation: Function | None
    name: str | None
    alpha: float
    depth_multiplier: int
    dropout: float
    dropout_rate: float
    minimalistic: bool
    include_preprocessing: bool


@dataclass(frozen=True)
class Request:
    """Keras' usual arguments, as the caller gave them, and the options of the one family."""

    include_top: bool
    weights: str | PathLike[str] | None
    input_tensor: Any
    input_shape: tuple[int | None, ...] | None
    pooling: Pooling | None
    classes: int
    classifier_activation: Function | None
    name: str | None
    options: Options

    def __post_init__(self) -> None:
        vars(self).update(classes=_plain(self.classes), input_shape=_plain(self.input_shape))

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

    function: str  # its name
    architecture: Callable[..., Graph]
    smallest: int = 32  # pixels of height and width
    order: str = USUAL  # of the arguments, as in Keras
    options: Options | None = None  # the family's own arguments with their defaults
    size: Size = "known with a classifier"
    titled: Callable[[Options, int | None], str] | None = None  # the model's name, by options and trained size
    without_preprocessing: str = ""  # the normalisation that a graph needs which is built without its own
    pytorch_names: PytorchNames | None = None

    def __post_init__(self) -> None:
        """What a function has, for `help`, notebooks and whoever prints it."""
        names = dict.fromkeys(("__name__", "__qualname__"), self.function)
        module = f"{__package__}.{entries()[self.function].module}"
        words = str(Application.__doc__).replace("A model by its name", self.function)
        vars(self).update(names, __module__=module, __doc__=words)

    def __repr__(self) -> str:
        return f"<hati.keras.applications.{self.function}>"

    def __call__(self, *positional: Any, **named: Unpack[Arguments]) -> Model:
        bound = self._bound(positional, named)
        bound.apply_defaults()
        usual = {key: bound.arguments[key] for key in DEFAULTS}
        return self.build(Request(**usual, options={key: bound.arguments[key] for key in self.options or {}}))

    @property
    def __signature__(self) -> Signature:
        defaults = {**DEFAULTS, **(self.options or {})}
        kind = Parameter.POSITIONAL_OR_KEYWORD
        return Signature([Parameter(name, kind, default=defaults[name]) for name in self.order.split()])

    def _bound(self, positional: Sequence[Any], named: Mapping[str, Any]) -> BoundArguments:
        """Each argument by its name. Raises ArgumentError for one that there is not, with the likeliest one."""
        known = self.order.split()
        for name in named:
            if name not in known:
                raise unknown_argument(self.function, name, known)
        try:
            return self.__signature__.bind(*positional, **named)
        except TypeError as error:
            raise ArgumentError(f"{self.function}(): {error}; it takes {', '.join(known)}") from None

    def build(self, request: Request) -> Model:
        """It refuses before it fetches."""
        check(request)
        entry = self.entry(request)
        shape = input_shape(request, entry.size, self.smallest, self.size)
        try:
            graph = self.draw(shape, _top(request), request)
        except (TypeError, ValueError) as error:
            raise ArgumentError(f"{self.function}: these arguments make no network: {error}") from None
        name = request.name or (self.titled(request.options, _height(request, entry, shape)) if self.titled else "")
        graph = Graph(graph.output, name) if name else graph
        names = self.pytorch_names(graph) if self.pytorch_names else None
        return Model(
            graph,
            _weights(request, entry, graph, names),
            self.preprocessing(entry, request),
            labels=_labels(request),
            size=(shape[0] or entry.size, shape[1] or entry.size),
            pytorch_names=names,
        )

    def draw(self, shape: Shape, top: Top, request: Request) -> Graph:
        return self.architecture(shape, top, **request.options)

    def preprocessing(self, entry: Entry, request: Request) -> Preprocessing:
        if request.options.get("include_preprocessing", True):
            return entry.preprocessing
        return replace(entry.preprocessing, normalisation=self.without_preprocessing)

    def entry(self, request: Request) -> Entry:
        """The catalog's entry for the options and the size asked for.

        Options that have no published weights share the first entry's preprocessing.
        """
        ours = [entry for entry in entries().values() if entry.function == self.function]
        fitting = [entry for entry in ours if entry.settings.items() <= request.options.items()]
        if request.imagenet and not fitting:
            asked = ", ".join(f"{key} is {request.options[key]}" for key in ours[0].settings)
            published = dict.fromkeys(" ".join(f"{k}={v}" for k, v in entry.settings.items()) for entry in ours)
            raise ArgumentError(f"{asked}; weights='imagenet' has {', '.join(published)}")
        by_size = {entry.size: entry for entry in fitting or ours}
        return by_size.get(_side(request.input_shape), by_size[max(by_size)])


def unknown_argument(function: str, name: str, known: Iterable[str]) -> ArgumentError:
    """What to raise for an argument that a function does not have: with the likeliest one, or all that it has."""
    known = list(known)
    close = get_close_matches(name, known, n=1)
    hint = f"did you mean {close[0]!r}?" if close else f"it takes {', '.join(known)}"
    return ArgumentError(f"{function}() has no argument {name!r}; {hint}")


def check(request: Request) -> None:
    """Keras' refusals that need no shape."""
    if request.input_tensor is not None:
        raise ArgumentError("input_tensor means nothing here: a hati model takes arrays; give input_shape instead")
    if not request.imagenet and request.weights is not None and not _is_file(request.weights):
        raise ArgumentError(
            f"weights is {str(request.weights)!r}; it can be 'imagenet', None, or the path of a file that exists"
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


def input_shape(request: Request, default_size: int, smallest: int, size: Size) -> Shape:
    """The shape of the network's input, by Keras' rules."""
    given = request.input_shape
    default: Shape = (default_size, default_size, 3)
    may_be_open = size == "open" or (size == "known with a classifier" and not request.include_top)
    if given is None:
        return (None, None, 3) if may_be_open else default
    if not isinstance(given, tuple) or len(given) != 3 or not all(isinstance(number, int | None) for number in given):
        raise ArgumentError(f"input_shape is {given}; three whole numbers were expected, (height, width, channels)")
    height, width, channels = given
    if channels is None or channels < 1:
        raise ArgumentError(f"input_shape is {given}; its last number, the channels, must be known")
    if request.imagenet and request.include_top and size != "open" and given != default:
        raise ArgumentError(f"input_shape is {given}, but weights='imagenet' with include_top=True needs {default}")
    if request.imagenet and channels != 3:
        raise ArgumentError(f"input_shape is {given}; weights='imagenet' needs 3 channels")
    if any(number is not None and number < smallest for number in (height, width)):
        raise ArgumentError(f"input_shape is {given}; height and width can be {smallest} or more")
    if not may_be_open and None in given:
        raise ArgumentError(f"input_shape is {given}; height and width must be known here")
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


def _side(shape: tuple[int | None, ...] | None) -> int:
    """Of a square picture's shape; 0 for any other."""
    height, width = shape[:2] if isinstance(shape, tuple) and len(shape) == 3 else (None, None)
    return height if height == width and isinstance(height, int) else 0


def _plain(value: Any) -> Any:
    """NumPy's whole numbers as ints, a list as a tuple; anything else as it is, to be refused by its name."""
    if isinstance(value, tuple | list):
        return tuple(map(_plain, value))
    return int(value) if isinstance(value, Integral) and not isinstance(value, bool) else value


def _is_file(path: Any) -> bool:
    return isinstance(path, str | PathLike) and Path(path).is_file()


def _top(request: Request) -> Top:
    return Top(request.include_top, request.classes, request.classifier_activation or "linear", request.pooling)


def _height(request: Request, entry: Entry, shape: Shape) -> int | None:
    """What Keras puts into the name of a MobileNet."""
    return entry.size if request.imagenet else shape[0]


def unchanged(x: Array, data_format: DataFormat | None = None) -> Array:
    """x as it is: the network itself takes 0–255 RGB."""
    return x


def by_mode(mode: Mode) -> Callable[..., Array]:
    return partial(preprocess_input, mode=mode)
