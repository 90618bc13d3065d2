"""What the families share: plain functions that call layers."""

from dataclasses import dataclass
from typing import Literal

from ..graph import Graph, Node
from ..layers import (
    Dense,
    DepthwiseConv2D,
    Function,
    GlobalAveragePooling2D,
    GlobalMaxPooling2D,
    Pair,
    ZeroPadding2D,
    pair,
)

Pooling = Literal["avg", "max"]


@dataclass(frozen=True)
class Top:
    """What stands on a network's body: a classifier or, without `include_top`, at most a pooling of its map."""

    include_top: bool = True
    classes: int = 1000
    activation: Function = "softmax"
    pooling: Pooling | None = None


def finished(x: Node, top: Top, name: str, *, average: str = "", maximum: str = "") -> Graph:
    """The network with its usual end: the mean of each channel and a classifier, or what the top asks for instead.

    Without a classifier a pooling gets one of the names given.
    """
    if top.include_top:
        return Graph(classifier(GlobalAveragePooling2D()(x, name="avg_pool"), top), name)
    return Graph(pooled(x, top, average=average, maximum=maximum), name)


def pooled(x: Node, top: Top, *, average: str = "", maximum: str = "") -> Node:
    """The map as the body leaves it, or the pooling that the top asks for, under the names given."""
    if top.pooling == "avg":
        return GlobalAveragePooling2D()(x, name=average)
    if top.pooling == "max":
        return GlobalMaxPooling2D()(x, name=maximum)
    return x


def classifier(x: Node, top: Top) -> Node:
    return Dense(top.classes, top.activation)(x, name="predictions")


def padded(x: Node, kernel: Pair, *, name: str) -> Node:
    """Zeros around a map before a window of stride 2, where "same" puts them; over an open size, as for an even one."""
    sides = zip(x.shape[:2], pair(kernel), strict=True)
    (top, left) = (window // 2 - (1 if size is None else 1 - size % 2) for size, window in sides)
    (bottom, right) = (window // 2 for window in pair(kernel))
    return ZeroPadding2D(((top, bottom), (left, right)))(x, name=name)


def depthwise(x: Node, kernel: int, stride: int, *, pad: str, name: str) -> Node:
    """A window for each channel; before a stride of 2 the zeros are a layer of their own, `pad`."""
    if stride == 1:
        return DepthwiseConv2D(kernel, padding="same", use_bias=False)(x, name=name)
    return DepthwiseConv2D(kernel, stride, use_bias=False)(padded(x, kernel, name=pad), name=name)


def rounded(filters: float) -> int:
    """The multiple of 8 that is nearest, and not more than a tenth less."""
    nearest = max(8, int(filters + 4) // 8 * 8)
    return nearest if nearest >= 0.9 * filters else nearest + 8


def numbered(kind: str, number: int) -> str:
    """What Keras calls something without a name: add, add_1, …"""
    return f"{kind}_{number}" if number else kind
