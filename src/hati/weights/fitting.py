"""From the names in a file to the graph's own names, every shape checked before the first array is used."""

from collections.abc import Mapping

import numpy as np

from ..errors import WeightsError
from ..graph import Graph, Node, WeightShape
from ..layers import Conv2D, Dense, DepthwiseConv2D
from .reading import Layered, Named

Array = np.ndarray
Arrays = dict[str, Array]

PYTORCH_WEIGHTS = {
    "kernel": "weight",
    "bias": "bias",
    "gamma": "weight",
    "beta": "bias",
    "moving_mean": "running_mean",
    "moving_variance": "running_var",
}


def fit(
    stored: Named | Layered,
    graph: Graph,
    source: str,
    pytorch_names: Mapping[str, str] | None = None,
    *,
    body_only: bool = False,
) -> Arrays:
    """The graph's arrays out of what a file holds, as float32.

    A file may use the graph's own names (`conv1_conv/kernel`), Keras' legacy lists, or the names of a PyTorch state
    dict, for which `pytorch_names` gives the file's layer name for each of the graph's. With `body_only`, layers that
    the graph does not have are passed over.

    Raises WeightsError with the first layer that does not fit.
    """
    if isinstance(stored, Layered):
        named = _from_layers(stored.layers, graph, source)
    elif pytorch_names and not stored.keys() & graph.weights().keys():
        named = _from_pytorch(stored, graph, pytorch_names)
    else:
        named = dict(stored)
    _check(named, graph, source, body_only)
    return {name: np.asarray(named[name], np.float32) for name in graph.weights()}


def _from_layers(stored: dict[str, list[Array]], graph: Graph, source: str) -> Arrays:
    """By the layers' names where all are known, else by their order, which is how Keras itself loads such a file."""
    nodes = [node for node in graph.nodes if node.weights()]
    by_name = stored.keys() == {node.name for node in nodes}
    if not by_name and len(stored) != len(nodes):
        raise WeightsError(_miscounted(stored, nodes, graph, source))
    layers = [stored[node.name] for node in nodes] if by_name else list(stored.values())
    named: Arrays = {}
    for node, arrays in zip(nodes, layers, strict=True):
        keys = list(node.weights())
        if len(arrays) != len(keys):
            raise WeightsError(
                f"{source}: {node.name} has {len(arrays)} arrays there, {graph.name} needs {', '.join(keys)}"
            )
        named |= {f"{node.name}/{key}": array for key, array in zip(keys, arrays, strict=True)}
    return named


def _from_pytorch(stored: Named, graph: Graph, names: Mapping[str, str]) -> Arrays:
    """Arrays under our names and in Keras' layout; what has no counterpart here keeps its own name."""
    left = {name: array for name, array in stored.items() if not name.endswith("num_batches_tracked")}
    named: Arrays = {}
    for node in graph.nodes:
        for key in node.weights():
            theirs = f"{names[node.name]}.{PYTORCH_WEIGHTS[key]}"
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


def _check(named: Mapping[str, Array], graph: Graph, source: str, body_only: bool) -> None:
    needed = graph.weights()
    for name, shape in needed.items():
        layer, _, key = name.rpartition("/")
        if name not in named:
            raise WeightsError(f"{source}: {layer} has no {key} there{_advice(named.keys() - needed.keys(), layer)}")
        found = named[name]
        if found.shape != shape:
            shapes = f"{found.shape} there, {graph.name} needs {shape}"
            raise WeightsError(f"{source}: {layer}: its {key} is {shapes}{_why(found.shape, shape)}")
        if found.dtype.kind not in "fiu":
            raise WeightsError(f"{source}: {layer}: its {key} is of type {found.dtype}, not of numbers")
    extra = [name for name in named if name not in needed]
    if extra and not body_only:
        top = " Is it a file with the classifier, for include_top=True?" if _is_classifier(extra[0]) else ""
        raise WeightsError(f"{source}: it has {extra[0]}, which {graph.name} does not.{top}")


def _advice(unknown: set[str], layer: str) -> str:
    if _is_classifier(layer):
        return ". Is it a file without the classifier, for include_top=False?"
    return f"; it has {', '.join(sorted(unknown)[:3])}. Is it of another network?" if unknown else ""


def _why(found: WeightShape, needed: WeightShape) -> str:
    same_network = len(found) == len(needed) and found[:-1] == needed[:-1] and len(found) in (1, 2)
    return f". Is it a file for classes={found[-1]}?" if same_network else ". Is it a file of another network?"


def _miscounted(stored: dict[str, list[Array]], nodes: list[Node], graph: Graph, source: str) -> str:
    counts = f"{source}: it has {len(stored)} layers with weights, {graph.name} has {len(nodes)}"
    missing = [node.name for node in nodes if node.name not in stored]
    extra = [name for name in stored if name not in {node.name for node in nodes}]
    if missing and all(map(_is_classifier, missing)):
        return f"{counts}; {missing[0]} is not in it. Is it a file without the classifier, for include_top=False?"
    if extra and all(map(_is_classifier, extra)):
        return f"{counts}; {extra[0]} is too much. Is it a file with the classifier, for include_top=True?"
    for node, (name, arrays) in zip(nodes, stored.items(), strict=False):
        shapes = [array.shape for array in arrays]
        if shapes != list(node.weights().values()):
            return f"{counts}; {node.name} is the first that does not fit: {name} there is {shapes}. Another network?"
    return f"{counts}; all fit but the last ones. Is it of another network?"


def _is_classifier(name: str) -> bool:
    return name.partition("/")[0] in ("predictions", "conv_preds", "probs", "fc1", "fc2", "fc1000")
