"""Inception-ResNet v2: "Inception-v4, Inception-ResNet and the impact of residual connections", Szegedy et al. 2016,
arXiv:1602.07261.

Keras leaves most of its convolutions unnamed, so the order in which they are made is part of the weights.
"""

from ..graph import Graph, Node, Shape
from ..layers import Activation, Add, Conv2D, MaxPooling2D, channels
from .blocks import Top, finished, numbered
from .inception_v3 import Step, average, conv_bn, convs, join, stem

Branches = tuple[tuple[Step, ...], ...]

# Figures 16, 17 and 19 of the paper: the branches of each kind of block
BLOCK35: Branches = (((32, 1),), ((32, 1), (32, 3)), ((32, 1), (48, 3), (64, 3)))
BLOCK17: Branches = (((192, 1),), ((128, 1), (160, (1, 7)), (192, (7, 1))))
BLOCK8: Branches = (((192, 1),), ((192, 1), (224, (1, 3)), (256, (3, 1))))


def inception_resnet_v2(shape: Shape = (299, 299, 3), top: Top = Top(), *, name: str = "inception_resnet_v2") -> Graph:
    x = stem(shape)
    x = join(
        convs(x, (96, 1)),
        convs(x, (48, 1), (64, 5)),
        convs(x, (64, 1), (96, 3), (96, 3)),
        convs(average(x), (64, 1)),
        name="mixed_5b",
    )
    for number in range(10):
        x = relu_residual(x, BLOCK35, 0.17, number, name=f"block35_{number + 1}")
    x = join(halved(x, 384), halved(convs(x, (256, 1), (256, 3)), 384), MaxPooling2D(3, 2)(x), name="mixed_6a")
    for number in range(20):
        x = relu_residual(x, BLOCK17, 0.1, 10 + number, name=f"block17_{number + 1}")
    x = join(
        halved(convs(x, (256, 1)), 384),
        halved(convs(x, (256, 1)), 288),
        halved(convs(x, (256, 1), (288, 3)), 320),
        MaxPooling2D(3, 2)(x),
        name="mixed_7a",
    )
    for number in range(9):
        x = relu_residual(x, BLOCK8, 0.2, 30 + number, name=f"block8_{number + 1}")
    x = residual(x, BLOCK8, 1.0, 39, name="block8_10")
    x = conv_bn(x, 1536, 1, name="conv_7b")
    return finished(x, top, name)


def relu_residual(x: Node, branches: Branches, scale: float, number: int, *, name: str) -> Node:
    return Activation("relu")(residual(x, branches, scale, number, name=name), name=f"{name}_ac")


def residual(x: Node, branches: Branches, scale: float, number: int, *, name: str) -> Node:
    """x + scale · what the branches make of it, brought to x's width."""
    y = join(*(convs(x, *steps) for steps in branches), name=f"{name}_mixed")
    y = Conv2D(channels(x.shape), 1, padding="same")(y, name=f"{name}_conv")
    return Add(scale)(x, y, name=numbered("custom_scale_layer", number))


def halved(x: Node, filters: int) -> Node:
    return conv_bn(x, filters, 3, strides=2, padding="valid")
