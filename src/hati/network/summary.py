"""The table of Keras' `model.summary()`: layer, output shape, parameters and inputs, and the totals."""

from dataclasses import dataclass
from math import prod

from ..tools.tables import table
from .graph import Graph, Node
from .layers import known


@dataclass(frozen=True)
class Row:
    name: str
    kind: str
    output_shape: tuple[int | None, ...]  # with the batch axis, open
    parameters: int
    inputs: tuple[str, ...]


@dataclass(frozen=True)
class Totals:
    parameters: int
    trainable: int
    non_trainable: int


def rows(graph: Graph) -> list[Row]:
    return [
        Row(
            node.name,
            node.layer.kind,
            (None, *node.shape),
            sum(_counts(node).values()),
            tuple(x.name for x in node.inputs),
        )
        for node in graph.nodes
    ]


def totals(graph: Graph) -> Totals:
    total = sum(sum(_counts(node).values()) for node in graph.nodes)
    fixed = sum(count for node in graph.nodes for key, count in _counts(node).items() if key in node.layer.running)
    return Totals(total, total - fixed, fixed)


def multiply_adds(graph: Graph) -> int:
    """Multiplications of a kernel's number with a value, each with its addition, for one picture.

    Batch norm, activations and sums are not counted, as in the papers. Raises GraphError for a graph of an open size.
    """
    return sum(
        count * prod(known(node.shape[:-1]))
        for node in graph.nodes
        for key, count in _counts(node).items()
        if key.endswith("kernel")
    )


def text(graph: Graph) -> str:
    """The whole table, with Keras' four columns."""
    cells = [
        (
            f"{row.name} ({row.kind})",
            str(row.output_shape),
            f"{row.parameters:,}",
            "\n".join(f"{x}[0][0]" for x in row.inputs),
        )
        for row in rows(graph)
    ]
    count = totals(graph)
    return "\n".join(
        (
            f'Model: "{graph.name}"',
            table(("Layer (type)", "Output Shape", "Param #", "Connected to"), cells, right=(2,)),
            f"Total params: {count.parameters:,}",
            f"Trainable params: {count.trainable:,}",
            f"Non-trainable params: {count.non_trainable:,}",
        )
    )


def _counts(node: Node) -> dict[str, int]:
    return {key: prod(shape) for key, shape in node.weights().items()}
