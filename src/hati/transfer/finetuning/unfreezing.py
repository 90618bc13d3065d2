"""Which layers of a body learn, and which of those stay as they are in inference."""

from __future__ import annotations

from dataclasses import replace

from ...network.graph import Graph
from ...network.layers import BatchNormalization, Dense, Dropout
from ...network.taught import with_head
from .recipe import Recipe


def with_logits(body: Graph, classes: int) -> Graph:
    """A body and a head that gives a number for each class, before any softmax: losses are exact on those."""
    graph = with_head(body, classes)
    return Graph(replace(graph.output, layer=Dense(classes)), graph.name)


def frozen(body: Graph, unfreeze: float) -> list[str]:
    """The body's first layers, that do not learn; of those with weights, a share of `unfreeze` is not among them.

    None of them needs what a later one makes, so that no gradient is computed for them.
    """
    if unfreeze == 0:
        return [node.name for node in body.nodes]
    weighed = [place for place, node in enumerate(body.nodes) if node.weights()]
    kept = round((1 - unfreeze) * len(weighed))
    return [node.name for node in body.nodes[: weighed[kept - 1] + 1]] if kept else []


def in_inference(graph: Graph, recipe: Recipe) -> list[str]:
    """Layers that behave in training as they do in inference; their weights can learn."""
    kinds = (*((BatchNormalization,) if recipe.batch_norm == "frozen" else ()), *(() if recipe.dropout else (Dropout,)))
    return [node.name for node in graph.nodes if isinstance(node.layer, kinds)]
