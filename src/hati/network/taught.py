"""A model that a person has taught: which of its layers are the head, and what it remembers of its lessons."""

from __future__ import annotations

from dataclasses import dataclass

from ..tools.arrays import Array
from .graph import Graph, Node
from .layers import Activation, Dense, Dropout, Normalization

STANDARDISATION, SQUASHING, DROPOUT, CLASSES = HEAD = (
    "head_standardisation",
    "head_squashing",
    "head_dropout",
    "classes",
)
MEANS = "beside/class_means"  # what a file calls `Taught.means`
IMPRINT, PROBE, FINETUNE = "imprint", "probe", "finetune"  # methods, each dearer than the one before
RATE = 0.2  # of the dropout, which only fine-tuning feels


@dataclass(frozen=True)
class Score:
    """How a model did on photos that it did not learn from."""

    photos: int
    accuracy: float  # 0 to 1; where a photo can have several classes, the mean average precision
    interval: tuple[float, float] | None  # where the true accuracy lies, 95 times of 100 (Wilson, 1927)


@dataclass(frozen=True)
class Provenance:
    """Where a taught model comes from."""

    body: str  # the name of the model that it was taught on
    body_checksum: str  # SHA-256 of that model's network and arrays, without a head
    method: str
    settings: tuple[tuple[str, str], ...]  # by which it was taught
    photos: tuple[tuple[str, int], ...]  # each class, and how many photos it was learnt from
    multi_label: bool
    score: Score | None  # None: there were no photos to spare
    versions: tuple[tuple[str, str], ...]  # of the software


@dataclass(frozen=True)
class Taught:
    """What a taught model keeps beside its weights."""

    provenance: Provenance
    means: Array  # (classes, numbers) float32: of each class' photos, as the head weighs them; of length 1


def with_head(body: Graph, classes: int, *, multi_label: bool = False) -> Graph:
    """A body, whose output is a vector, and the layers of a head on top of it.

    They standardise the vector, squash it by tanh, and weigh it for each class.
    """
    x: Node = Normalization()(body.output, name=STANDARDISATION)
    x = Activation("tanh")(x, name=SQUASHING)
    x = Dropout(RATE)(x, name=DROPOUT)
    return Graph(Dense(classes, "sigmoid" if multi_label else "softmax")(x, name=CLASSES), body.name)


def has_head(graph: Graph) -> bool:
    """Whether a network ends in such a head."""
    return tuple(node.name for node in graph.nodes[-len(HEAD) :]) == HEAD


def body_of(graph: Graph) -> Graph:
    """The network below the head."""
    (below,) = graph[STANDARDISATION].inputs
    return graph.cut(below.name)


def head_weights(graph: Graph) -> list[str]:
    """The names of the head's arrays."""
    return [name for name in graph.weights() if name.partition("/")[0] in HEAD]
