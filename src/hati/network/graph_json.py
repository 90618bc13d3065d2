"""A network as JSON and back: what a file says of its layers is checked before any of it is believed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import MISSING, fields
from functools import cache
from math import prod
from typing import Any, TypeVar

from ..errors import GraphError
from . import layers, settings
from .graph import Graph, Layer, Node, Shape
from .layers import InputLayer

Record = TypeVar("Record")

MOST_NODES, MOST_INPUTS = 10_000, 100_000
MOST_AXES = 4
MOST_VALUES = 1 << 31  # of one picture in one layer
LONGEST_NAME = 200


def to_json(graph: Graph) -> dict[str, Any]:
    """The graph's name and its nodes, in order."""
    return {"name": _file_name(graph.name), "nodes": [_node_to_json(node) for node in graph.nodes]}


def from_json(value: Any) -> Graph:
    """The same graph again. Raises GraphError where the value describes none, or an absurd one."""
    try:
        return _graph(value)
    except RecursionError:
        raise GraphError("a layer is described by lists in lists without end") from None


def _graph(value: Any) -> Graph:
    match value:
        case {"name": str(name), "nodes": list(described)} if 0 < len(described) <= MOST_NODES:
            nodes = _nodes(described)
            graph = Graph(nodes[-1], _file_name(name))
            if [node.name for node in graph.nodes] != [node.name for node in nodes]:
                raise GraphError(f"the layers of {name} are not in their order, or some lead nowhere")
            return graph
    raise GraphError(f"it describes no graph of 1 to {MOST_NODES:,} layers")


def record_to_json(record: Any) -> dict[str, Any]:
    """A dataclass' fields."""
    return {field.name: getattr(record, field.name) for field in fields(record)}


def record_from_json(kind: Callable[..., Record], value: Any) -> Record:
    """A dataclass from its fields, each of the type that it declares. Raises GraphError."""
    known, needed = settings.types_of(kind).keys(), _needed(kind)
    if not isinstance(value, dict) or not needed <= value.keys() <= known:
        raise GraphError(f"{kind.__name__} has the settings {', '.join(known) or 'none'}; it came with others")
    return kind(**settings.fitted(kind, value))


def _node_to_json(node: Node) -> dict[str, Any]:
    described = {"name": _name(node.name), "kind": node.layer.kind, "settings": record_to_json(node.layer)}
    return described | {"inputs": [x.name for x in node.inputs]} | ({"group": _name(node.group)} if node.group else {})


def _nodes(described: list[Any]) -> list[Node]:
    found: dict[str, Node] = {}
    inputs = 0
    for value in described:
        node = _node(value, found)
        inputs += len(node.inputs)
        if node.name in found or inputs > MOST_INPUTS:
            raise GraphError(f"two layers are called {node.name!r}, or their inputs are too many")
        if isinstance(node.layer, InputLayer) == bool(found) or bool(node.inputs) != bool(found):
            raise GraphError(f"{node.name}: a network has one InputLayer, which comes first and has no inputs")
        found[node.name] = node
    return list(found.values())


def _node(value: Any, known: dict[str, Node]) -> Node:
    match value:
        case {"name": str(name), "kind": str(kind), "settings": told, "inputs": list(inputs), **others}:
            group = others.pop("group", "")
            if not others and isinstance(group, str) and all(isinstance(x, str) and x in known for x in inputs):
                layer = record_from_json(_kind(kind), told)
                return _placed(layer, [known[x] for x in inputs], _name(name), group and _name(group))
    raise GraphError(f"a layer is described wrongly, or by inputs that do not come before it: {value!r:.200}")


def _placed(layer: Layer, inputs: list[Node], name: str, group: str) -> Node:
    node = layer(*inputs, name=name, group=group)
    _check_sizes(node.shape, *node.weights().values())
    return node


def _check_sizes(*shapes: Shape) -> None:
    for shape in shapes:
        sizes = [size for size in shape if size is not None]
        if len(shape) > MOST_AXES or prod(sizes) > MOST_VALUES:
            raise GraphError(f"a layer of shape {shape!r:.200} is absurd")


def _kind(name: str) -> type[Layer]:
    if name not in _kinds():
        raise GraphError(f"there is no kind of layer called {name!r:.80}")
    return _kinds()[name]


def _needed(kind: Any) -> set[str]:
    """A dataclass' fields without a default."""
    return {field.name for field in fields(kind) if field.default is MISSING}


@cache
def _kinds() -> dict[str, type[Layer]]:
    """Every kind of the vocabulary; what has kinds of its own below it is none."""
    found = [kind for kind in vars(layers).values() if isinstance(kind, type) and issubclass(kind, Layer)]
    return {kind.__name__: kind for kind in found if not any(kind in other.__bases__ for other in found)}


def _file_name(name: str) -> str:
    """A network's name, after which the cache calls its files. Raises GraphError for one that could lead elsewhere."""
    if set(name) & set("\\*?[]:") or name.startswith("."):
        raise GraphError(f"the network is called {name!r:.80}; \\ * ? [ ] : and a dot at the start are not for names")
    return _name(name)


def _name(name: str) -> str:
    if not 0 < len(name) <= LONGEST_NAME or not name.isprintable() or "/" in name:
        raise GraphError(f"a name is {name!r:.80}; 1 to {LONGEST_NAME} letters or signs but / were expected")
    return name
