"""A network is a value: nodes that point at their inputs, and nothing else."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, dataclass, field, fields, replace
from itertools import count
from math import inf
from typing import ClassVar, TypeVar

from ..errors import GraphError
from ..tools.files import digest
from .settings import Count, fitted

T = TypeVar("T")
Size = Count | None  # None: any size, known only when a picture comes
Shape = tuple[Size, ...]  # one picture, without the batch axis: (height, width, channels) or (features,)
WeightShape = tuple[int, ...]


@dataclass(frozen=True)
class Layer:
    """One kind of layer: its settings, the shape it makes, the weights it needs, by Keras' names.

    Raises GraphError for a setting that is not of its type.
    """

    arity: ClassVar[tuple[int, float]] = (1, 1)  # the fewest and the most inputs
    running: ClassVar[tuple[str, ...]] = ()  # weights that no gradient trains
    initial: ClassVar[Mapping[str, float]] = {}  # what its weights start from, where that is not 0; kernels are drawn

    def __post_init__(self) -> None:
        vars(self).update(fitted(type(self), vars(self)))

    def __repr__(self) -> str:
        """As one would write it: what is as usual is left out."""
        given = [(one, getattr(self, one.name)) for one in fields(self)]
        told = [repr(value) for one, value in given if one.default is MISSING]
        told += [f"{one.name}={value!r}" for one, value in given if one.default not in (MISSING, value)]
        return f"{self.kind}({', '.join(told)})"

    def __call__(self, *inputs: Node, name: str = "", group: str = "") -> Node:
        return Node(name, self, inputs, self._checked_shape(name, inputs), group)

    @property
    def kind(self) -> str:
        return type(self).__name__

    def shape(self, x: Sequence[Shape]) -> Shape:
        return x[0]

    def weights(self, x: Sequence[Shape]) -> dict[str, WeightShape]:
        return {}

    def _checked_shape(self, name: str, inputs: Sequence[Node]) -> Shape:
        shapes = [node.shape for node in inputs]
        try:
            self._check_arity(len(inputs))
            self.weights(shapes)
            if not (shape := self.shape(shapes)):
                raise GraphError("nothing is left of a picture")
            return shape
        except (GraphError, IndexError, TypeError, ValueError) as error:
            feeds = ", ".join(f"{node.name or node.layer.kind} {node.shape}" for node in inputs)
            raise GraphError(f"{name or self.kind}: {error}\n  layer:  {self}\n  inputs: {feeds}") from None

    def _check_arity(self, inputs: int) -> None:
        fewest, most = self.arity
        if not fewest <= inputs <= most:
            expected = f"{fewest} or more" if most == inf else str(fewest)
            raise GraphError(f"{self.kind} takes {expected} inputs, {inputs} came")


@dataclass(frozen=True, eq=False, repr=False)
class Node:
    """A layer at its place in a network. A node without a name gets Keras' automatic one from its graph.

    `group` is the name of the Sequential that Keras keeps the layer in, and by which its weight files know it.
    """

    name: str
    layer: Layer
    inputs: tuple[Node, ...]
    shape: Shape
    group: str = ""
    number: int = field(default_factory=count().__next__)  # in the order in which nodes are made

    def __repr__(self) -> str:
        return f"<{self.name or 'unnamed'}: {self.layer} -> {self.shape}>"

    def weights(self) -> dict[str, WeightShape]:
        return self.layer.weights([node.shape for node in self.inputs])


class Graph:
    """Every node that `output` depends on, in the order of Keras' `model.layers`: inputs before users."""

    def __init__(self, output: Node, name: str = "graph"):
        self.name = name
        self.nodes = _keras_order(_with_names(output))
        self.output = self.nodes[-1]
        self._by_name = {node.name: node for node in self.nodes}
        if len(self._by_name) < len(self.nodes):
            [(twice, _)] = Counter(node.name for node in self.nodes).most_common(1)
            raise GraphError(f"two layers are called {twice!r}")

    def __repr__(self) -> str:
        return f"<Graph {self.name}: {len(self.nodes)} layers, {self.input.shape} -> {self.output.shape}>"

    def __getitem__(self, name: str) -> Node:
        if name not in self._by_name:
            raise GraphError(
                f"{self.name} has no layer {name!r}; its last ones are {', '.join(list(self._by_name)[-5:])}"
            )
        return self._by_name[name]

    @property
    def input(self) -> Node:
        return self.nodes[0]

    def weights(self) -> dict[str, WeightShape]:
        """Shapes by `layer/weight` names, in the order of Keras' `get_weights()` for each layer."""
        return {f"{node.name}/{key}": shape for node in self.nodes for key, shape in node.weights().items()}

    def fingerprint(self) -> str:
        """SHA-256 of layers, settings and inputs: where it is the same, the same weights give the same answers."""
        return digest(
            *((node.name, node.layer.kind, vars(node.layer), [x.name for x in node.inputs]) for node in self.nodes)
        )

    def cut(self, name: str) -> Graph:
        """The part of the network that makes the output of one layer."""
        return Graph(self[name], self.name)

    def fold(self, step: Callable[[Node, list[T]], T]) -> dict[str, T]:
        """Visit the nodes in order; `step` makes each node's value from its inputs' values.

        Every engine is one `step`: arrays flow in NumPy, names in ONNX, new nodes in a pass.
        """
        values: dict[str, T] = {}
        for node in self.nodes:
            values[node.name] = step(node, [values[x.name] for x in node.inputs])
        return values


def weights_of(node: Node, weights: Mapping[str, T]) -> dict[str, T]:
    """One node's own weights, by their short names."""
    return {key: weights[f"{node.name}/{key}"] for key in node.weights()}


def _inputs_first(output: Node) -> list[Node]:
    """Depth first, each node after its inputs."""
    order: dict[int, Node] = {}
    stack = [(output, False)]
    while stack:
        node, inputs_done = stack.pop()
        if id(node) in order:
            continue
        if inputs_done:
            order[id(node)] = node
        else:
            stack.append((node, True))
            stack.extend((x, False) for x in reversed(node.inputs))
    return list(order.values())


def _with_names(output: Node) -> Node:
    """The last node, every unnamed one renamed as Keras does, in the order they were made: conv2d, conv2d_1, …"""
    used: Counter[str] = Counter()
    named: dict[int, Node] = {}
    for node in sorted(_inputs_first(output), key=lambda node: node.number):
        name = node.name
        if not name:
            kind = snake_case(node.layer.kind)
            name = f"{kind}_{used[kind]}" if used[kind] else kind
            used[kind] += 1
        named[id(node)] = replace(node, name=name, inputs=tuple(named[id(x)] for x in node.inputs))
    return named[id(output)]


def _keras_order(output: Node) -> tuple[Node, ...]:
    """Farthest from the output first; at one distance, as a depth-first walk from the output meets them."""
    nodes = _inputs_first(output)
    distance = dict.fromkeys(map(id, nodes), 0)
    for node in reversed(nodes):
        for x in node.inputs:
            distance[id(x)] = max(distance[id(x)], distance[id(node)] + 1)
    met: dict[int, int] = {}
    stack = [output]
    while stack:
        node = stack.pop()
        if id(node) not in met:
            met[id(node)] = len(met)
            stack.extend(reversed(node.inputs))
    return tuple(sorted(nodes, key=lambda node: (-distance[id(node)], met[id(node)])))


def snake_case(kind: str) -> str:
    words = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", kind)
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", words).lower()
