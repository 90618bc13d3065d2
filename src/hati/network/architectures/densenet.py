"""DenseNet: "Densely connected convolutional networks", Huang et al. 2016, arXiv:1608.06993, as Keras draws it."""

from ..graph import Graph, Node, Shape
from ..layers import (
    Activation,
    AveragePooling2D,
    BatchNormalization,
    Concatenate,
    Conv2D,
    InputLayer,
    MaxPooling2D,
    ZeroPadding2D,
    channels,
)
from .blocks import Top, finished

GROWTH = 32  # channels that each layer adds
# Table 1 of the paper: layers in each of the four dense blocks
DEPTHS = {"densenet121": (6, 12, 24, 16), "densenet169": (6, 12, 32, 32), "densenet201": (6, 12, 48, 32)}


def densenet(shape: Shape = (224, 224, 3), top: Top = Top(), *, name: str) -> Graph:
    x = ZeroPadding2D(((3, 3), (3, 3)))(InputLayer(shape)())
    x = bn_relu(Conv2D(64, 7, 2, use_bias=False)(x, name="conv1_conv"), bn="conv1_bn", relu="conv1_relu")
    x = MaxPooling2D(3, strides=2)(ZeroPadding2D(((1, 1), (1, 1)))(x), name="pool1")
    for block, depth in enumerate(DEPTHS[name], 2):
        if block > 2:
            x = transition(x, name=f"pool{block - 1}")
        for layer in range(1, depth + 1):
            x = grown(x, name=f"conv{block}_block{layer}")
    return finished(bn_relu(x, bn="bn", relu="relu"), top, name, average="avg_pool", maximum="max_pool")


def grown(x: Node, *, name: str) -> Node:
    """Everything before, and behind it what a 1×1 and a 3×3 make of it."""
    y = bn_relu(x, bn=f"{name}_0_bn", relu=f"{name}_0_relu")
    y = Conv2D(4 * GROWTH, 1, use_bias=False)(y, name=f"{name}_1_conv")
    y = bn_relu(y, bn=f"{name}_1_bn", relu=f"{name}_1_relu")
    y = Conv2D(GROWTH, 3, padding="same", use_bias=False)(y, name=f"{name}_2_conv")
    return Concatenate()(x, y, name=f"{name}_concat")


def transition(x: Node, *, name: str) -> Node:
    """Half the channels, half the height and width."""
    x = bn_relu(x, bn=f"{name}_bn", relu=f"{name}_relu")
    x = Conv2D(channels(x.shape) // 2, 1, use_bias=False)(x, name=f"{name}_conv")
    return AveragePooling2D(2, strides=2)(x, name=f"{name}_pool")


def bn_relu(x: Node, *, bn: str, relu: str) -> Node:
    return Activation("relu")(BatchNormalization(epsilon=1.001e-5)(x, name=bn), name=relu)
