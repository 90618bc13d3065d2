"""From the names in a file to the graph's own names, every shape checked before the first array is used."""

import re
from collections.abc import Mapping

import numpy as np

from ..errors import WeightsError
from ..network.graph import Graph, Node, WeightShape
from ..network.layers import Conv2D, Dense, DepthwiseConv2D
from ..tools.arrays import Array, is_finite
from .formats.layouts import Layered, Named, Numbered, Stored, places

Arrays = dict[str, Array]

BESIDE = "beside/"  # begins the names of arrays that go with a model and are none of its weights

# the layer that makes the classes, and all that make a classifier, by the names that Keras and PyTorch give them
CLASSES = re.compile("predictions|conv_preds|logits|probs|fc1000|_fc|.*_head_dense")
CLASSIFIER = re.compile(f"{CLASSES.pattern}|fc1|fc2|conv_2|.*_head_layernorm")
WITHOUT_TOP = "Is it a file without the classifier, for include_top=False?"
WITH_TOP = "Is it a file with the classifier, for include_top=True?"
ANOTHER = "Is it a file of another network?"

PYTORCH_WEIGHTS = {
    "kernel": "weight",
    "bias": "bias",
    "gamma": "weight",
    "beta": "bias",
    "moving_mean": "running_mean",
    "moving_variance": "running_var",
}


def fit(
    stored: Stored,
    graph: Graph,
    source: str,
    pytorch_names: Mapping[str, str] | None = None,
    *,
    body_only: bool = False,
) -> Arrays:
    """The graph's arrays out of what a file holds, as float32.

    A file may use the graph's own names (`conv1_conv/kernel`), Keras' legacy lists, Keras 3's numbers, or the names of
    a PyTorch state dict, for which `pytorch_names` gives the file's layer name for each of the graph's. With
    `body_only`, a classifier that the graph does not have is passed over.

    Raises WeightsError with the first layer that does not fit.
    """
    if isinstance(stored, Layered):
        named = _from_layers(stored.layers, graph, source)
    elif isinstance(stored, Numbered):
        named = _from_places(stored, graph, source)
    elif pytorch_names and not stored.keys() & graph.weights().keys():
        named = _from_pytorch(stored, graph, pytorch_names)
    else:
        named = dict(stored)
    _check(named, graph, source, body_only)
    return {name: _as_float32(name, named[name], source) for name in graph.weights()}


def check_finite(named: Mapping[str, Array], source: str) -> None:
    """Raises WeightsError where an array holds NaN or infinity: the file is damaged, or of a training that diverged."""
    for name, array in named.items():
        if not is_finite(array):
            layer, _, key = name.rpartition("/")
            raise WeightsError(f"{source}: {layer}: its {key} holds NaN or infinity; take another file")


def _from_layers(stored: dict[str, list[Array]], graph: Graph, source: str) -> Arrays:
    """By the layers' names where they are the graph's, else by their order, which is how Keras itself loads a file."""
    units = _units(graph)
    if not (stored.keys() <= units.keys() or stored.keys() >= units.keys()):
        if len(stored) != len(units):
            raise WeightsError(f"{source}: {_miscounted(stored, graph)}")
        stored = dict(zip(units, stored.values(), strict=True))
    return _from_lists(stored, units, graph.name, source)


def _from_places(stored: Numbered, graph: Graph, source: str) -> Arrays:
    """By the layers' own names where the file tells them all and they are the graph's, else by class and number."""
    units = {node.name: _keys([node]) for node in graph.nodes if node.weights()}
    names = {place: stored.names.get(place, "") for place in stored.layers}
    told = set(names.values())
    if "" in told or len(told) < len(names) or not (told <= units.keys() or told >= units.keys()):
        names = {place: name for name, place in places(graph).items()}
    return _from_lists({names.get(place, place): x for place, x in stored.layers.items()}, units, graph.name, source)


def _from_lists(stored: dict[str, list[Array]], units: dict[str, list[str]], network: str, source: str) -> Arrays:
    named: Arrays = {}
    for unit, arrays in stored.items():
        names = units.get(unit) or [f"{unit}/{number}" for number in range(len(arrays))]
        if len(arrays) != len(names):
            keys = ", ".join(name.removeprefix(f"{unit}/") for name in names)
            raise WeightsError(f"{source}: {unit} has {len(arrays)} arrays there, {network} needs {keys}. {ANOTHER}")
        named |= dict(zip(names, arrays, strict=True))
    return named


def _units(graph: Graph) -> dict[str, list[str]]:
    """The names of the arrays of each layer; a Sequential of them is one layer to Keras' legacy files."""
    found: dict[str, list[Node]] = {}
    for node in graph.nodes:
        if node.weights():
            found.setdefault(node.group or node.name, []).append(node)
    return {unit: _keys(nodes) for unit, nodes in found.items()}


def _keys(nodes: list[Node]) -> list[str]:
    """The names of some layers' arrays in Keras' order: those that are trained come first."""
    keys = [(key in node.layer.running, f"{node.name}/{key}") for node in nodes for key in node.weights()]
    return [name for _, name in sorted(keys, key=lambda key: key[0])]


def _from_pytorch(stored: Named, graph: Graph, names: Mapping[str, str]) -> Arrays:
    """Arrays under our names and in Keras' layout; what has no counterpart here keeps its own name."""
    left = {name: array for name, array in stored.items() if not name.endswith("num_batches_tracked")}
    named: Arrays = {}
    for node in graph.nodes:
        for key in node.weights():
            theirs = f"{names.get(node.name, node.name)}.{PYTORCH_WEIGHTS[key]}"
            if theirs in left:
                named[f"{node.name}/{key}"] = _keras_layout(node, key, left.pop(theirs))
    return named | left


def _keras_layout(node: Node, key: str, array: Array) -> Array:
    if key == "kernel" and array.ndim == len(node.weights()[key]):
        match node.layer:
            case Conv2D():
                return array.transpose(2, 3, 1, 0)
            case DepthwiseConv2D():
                return array.transpose(2, 3, 0, 1)
            case Dense():
                return array.T
    return array


def _as_float32(name: str, array: Array, source: str) -> Array:
    try:
        with np.errstate(over="raise", invalid="ignore"):
            return np.asarray(array, np.float32)
    except FloatingPointError:
        layer, _, key = name.rpartition("/")
        raise WeightsError(f"{source}: {layer}: its {key} has numbers that are too large for float32") from None


def _check(named: Mapping[str, Array], graph: Graph, source: str, body_only: bool) -> None:
    needed = graph.weights()
    extra = [name for name in named if name not in needed and not name.startswith(BESIDE)]
    for name, shape in needed.items():
        layer, _, key = name.rpartition("/")
        if name not in named:
            raise WeightsError(f"{source}: {layer} has no {key} there{_advice(extra, layer)}")
        found = named[name]
        if found.shape != shape:
            shapes = f"{found.shape} there, {graph.name} needs {shape}"
            raise WeightsError(f"{source}: {layer}: its {key} is {shapes}. {_why(layer, found.shape, shape)}")
        if found.dtype.kind not in "fiu":
            raise WeightsError(f"{source}: {layer}: its {key} is of type {found.dtype}, not of numbers")
    for name in extra:
        of_classifier = CLASSIFIER.fullmatch(_layer(name))
        if not (body_only and of_classifier):
            hint = WITH_TOP if of_classifier else ANOTHER
            raise WeightsError(f"{source}: it has {name}, which {graph.name} does not. {hint}")


def _advice(extra: list[str], layer: str) -> str:
    if CLASSIFIER.fullmatch(layer):
        return f". {WITHOUT_TOP}"
    return f"; it has {', '.join(extra[:3])}. {ANOTHER}" if extra else ""


def _why(layer: str, found: WeightShape, needed: WeightShape) -> str:
    if CLASSES.fullmatch(layer) and len(found) == len(needed) and found[:-1] == needed[:-1]:
        return f"Is it a file for classes={found[-1]}?"
    return ANOTHER


def _miscounted(stored: dict[str, list[Array]], graph: Graph) -> str:
    """What to say of layers with unknown names that are more or fewer than the graph's."""
    units, shapes = _units(graph), graph.weights()
    counts = f"it has {len(stored)} layers with weights, {graph.name} has {len(units)}"
    for (unit, names), (name, arrays) in zip(units.items(), stored.items(), strict=False):
        found, needed = [array.shape for array in arrays], [shapes[key] for key in names]
        if found != needed:
            misfit = f"{name} there is {found}, not {needed}"
            return f"{counts}; {unit} is the first that does not fit: {misfit}. {ANOTHER}"
    return f"{counts}; all fit but the last ones. {WITH_TOP if len(stored) > len(units) else WITHOUT_TOP}"


def _layer(name: str) -> str:
    """The first part of an array's name, as Keras or PyTorch writes it."""
    return re.split("[/.]", name)[0]
