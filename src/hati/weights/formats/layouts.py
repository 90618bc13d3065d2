"""The three ways in which files name their arrays; `fitting` turns each into the graph's own names."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

from ...network.graph import Graph, snake_case
from ...tools.arrays import Array

Named = Mapping[str, Array]


@dataclass(frozen=True)
class Layered:
    """Keras' legacy order: each layer's arrays, by the layer's name."""

    layers: dict[str, list[Array]]


@dataclass(frozen=True)
class Numbered:
    """Keras 3: each layer's arrays, by its class and a number, `conv2d_1`; in a Sequential `sequential/conv2d_1`.

    `names` are the layers' own, as far as the file tells them.
    """

    layers: dict[str, list[Array]]
    names: dict[str, str] = field(default_factory=dict)


Stored = Named | Layered | Numbered


def places(graph: Graph) -> dict[str, str]:
    """Where Keras 3 keeps each layer, by its name: its class and a number, counted as Keras lists the layers."""
    used: defaultdict[str, Counter[str]] = defaultdict(Counter)
    folders = {"": ""}
    found = {}
    for node in graph.nodes:
        if node.group not in folders:
            folders[node.group] = f"{_next('sequential', used[''])}/"
        found[node.name] = folders[node.group] + _next(snake_case(node.layer.kind), used[node.group])
    return found


def _next(kind: str, used: Counter[str]) -> str:
    used[kind] += 1
    return f"{kind}_{used[kind] - 1}" if used[kind] > 1 else kind
