"""What the families share: plain functions that call layers."""

from dataclasses import dataclass
from typing import Literal

from ..graph import Node
from ..layers import Dense, Function, GlobalAveragePooling2D, GlobalMaxPooling2D

Pooling = Literal["avg", "max"]


@dataclass(frozen=True)
class Head:
    """What stands on a network's body: a classifier or, without `include_top`, at most a pooling of its map."""

    include_top: bool = True
    classes: int = 1000
    activation: Function = "softmax"
    pooling: Pooling | None = None


def pooled(x: Node, head: Head, *, average: str = "", maximum: str = "") -> Node:
    """The map as the body leaves it, or the pooling that the head asks for, under the names given."""
    if head.pooling == "avg":
        return GlobalAveragePooling2D()(x, name=average)
    if head.pooling == "max":
        return GlobalMaxPooling2D()(x, name=maximum)
    return x


def classifier(x: Node, head: Head) -> Node:
    return Dense(head.classes, head.activation)(x, name="predictions")
