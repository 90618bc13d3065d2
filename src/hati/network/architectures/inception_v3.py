"""Inception v3: "Rethinking the Inception architecture for computer vision", Szegedy et al. 2015, arXiv:1512.00567.

Keras leaves its convolutions unnamed, so the order in which they are made is part of the weights.
"""

from ..graph import Graph, Node, Shape
from ..layers import (
    Activation,
    AveragePooling2D,
    BatchNormalization,
    Concatenate,
    Conv2D,
    InputLayer,
    MaxPooling2D,
    Padding,
    Pair,
)
from .blocks import Top, finished

Step = tuple[int, Pair]  # filters, kernel


def inception_v3(shape: Shape = (299, 299, 3), top: Top = Top(), *, name: str = "inception_v3") -> Graph:
    x = stem(shape)
    for number, after_pool in enumerate((32, 64, 64)):
        x = small_windows(x, after_pool, name=f"mixed{number}")
    x = halve_with_3x3(x, name="mixed3")
    for number, width in enumerate((128, 160, 160, 192), 4):
        x = long_windows(x, width, name=f"mixed{number}")
    x = halve_with_7x7(x, name="mixed8")
    x = spread_windows(x, inner="mixed9_0", name="mixed9")
    x = spread_windows(x, inner="mixed9_1", name="mixed10")
    return finished(x, top, name)


def stem(shape: Shape) -> Node:
    x = conv_bn(InputLayer(shape)(), 32, 3, strides=2, padding="valid")
    x = conv_bn(x, 32, 3, padding="valid")
    x = conv_bn(x, 64, 3)
    x = MaxPooling2D(3, strides=2)(x)
    x = conv_bn(x, 80, 1, padding="valid")
    x = conv_bn(x, 192, 3, padding="valid")
    return MaxPooling2D(3, strides=2)(x)


def small_windows(x: Node, after_pool: int, *, name: str) -> Node:
    """Figure 5 of the paper, with one 5×5 kept."""
    return join(
        convs(x, (64, 1)),
        convs(x, (48, 1), (64, 5)),
        convs(x, (64, 1), (96, 3), (96, 3)),
        convs(average(x), (after_pool, 1)),
        name=name,
    )


def long_windows(x: Node, width: int, *, name: str) -> Node:
    """Figure 6: each 7×7 as a 1×7 and a 7×1."""
    return join(
        convs(x, (192, 1)),
        convs(x, (width, 1), (width, (1, 7)), (192, (7, 1))),
        convs(x, (width, 1), (width, (7, 1)), (width, (1, 7)), (width, (7, 1)), (192, (1, 7))),
        convs(average(x), (192, 1)),
        name=name,
    )


def spread_windows(x: Node, *, inner: str, name: str) -> Node:
    """Figure 7: the last 3×3 as a 1×3 and a 3×1 side by side."""
    return join(
        convs(x, (320, 1)),
        spread(convs(x, (384, 1)), name=inner),
        spread(convs(x, (448, 1), (384, 3))),
        convs(average(x), (192, 1)),
        name=name,
    )


def spread(x: Node, *, name: str = "") -> Node:
    return join(convs(x, (384, (1, 3))), convs(x, (384, (3, 1))), name=name)


def halve_with_3x3(x: Node, *, name: str) -> Node:
    return join(
        conv_bn(x, 384, 3, strides=2, padding="valid"),
        conv_bn(convs(x, (64, 1), (96, 3)), 96, 3, strides=2, padding="valid"),
        MaxPooling2D(3, strides=2)(x),
        name=name,
    )


def halve_with_7x7(x: Node, *, name: str) -> Node:
    return join(
        conv_bn(convs(x, (192, 1)), 320, 3, strides=2, padding="valid"),
        conv_bn(convs(x, (192, 1), (192, (1, 7)), (192, (7, 1))), 192, 3, strides=2, padding="valid"),
        MaxPooling2D(3, strides=2)(x),
        name=name,
    )


def convs(x: Node, *steps: Step) -> Node:
    for filters, kernel in steps:
        x = conv_bn(x, filters, kernel)
    return x


def conv_bn(
    x: Node, filters: int, kernel: Pair, *, strides: int = 1, padding: Padding = "same", name: str = ""
) -> Node:
    x = Conv2D(filters, kernel, strides, padding, use_bias=False)(x, name=name)
    x = BatchNormalization(scale=False)(x, name=f"{name}_bn" if name else "")
    return Activation("relu")(x, name=f"{name}_ac" if name else "")


def average(x: Node) -> Node:
    return AveragePooling2D(3, strides=1, padding="same")(x)


def join(*branches: Node, name: str = "") -> Node:
    return Concatenate()(*branches, name=name)
