"""Xception: "Deep learning with depthwise separable convolutions", Chollet 2016, arXiv:1610.02357, figure 5."""

from ..graph import Graph, Node, Shape
from ..layers import Activation, Add, BatchNormalization, Conv2D, InputLayer, MaxPooling2D, SeparableConv2D
from .blocks import Top, finished


def xception(shape: Shape = (299, 299, 3), top: Top = Top(), *, name: str = "xception") -> Graph:
    x = InputLayer(shape)()
    for conv, (filters, stride) in enumerate(((32, 2), (64, 1)), 1):
        x = Conv2D(filters, 3, stride, use_bias=False)(x, name=f"block1_conv{conv}")
        x = relu(BatchNormalization()(x, name=f"block1_conv{conv}_bn"), name=f"block1_conv{conv}_act")
    for block, width in ((2, 128), (3, 256), (4, 728)):
        x = halved(x, (width, width), block)
    for block in range(5, 13):
        x = Add()(relu_separable(x, (728, 728, 728), block), x)
    x = halved(x, (728, 1024), 13)
    for conv, filters in enumerate((1536, 2048), 1):
        x = separable(x, filters, name=f"block14_sepconv{conv}")
        x = relu(x, name=f"block14_sepconv{conv}_act")
    return finished(x, top, name)


def halved(x: Node, widths: tuple[int, ...], block: int) -> Node:
    """Two separable convolutions and a pooling, beside them a 1×1, both of stride 2."""
    shortcut = BatchNormalization()(Conv2D(widths[-1], 1, 2, "same", use_bias=False)(x))
    y = relu_separable(x, widths, block)
    return Add()(MaxPooling2D(3, 2, "same")(y, name=f"block{block}_pool"), shortcut)


def relu_separable(x: Node, widths: tuple[int, ...], block: int) -> Node:
    for conv, filters in enumerate(widths, 1):
        if (block, conv) != (2, 1):  # block 1 ends with a ReLU
            x = relu(x, name=f"block{block}_sepconv{conv}_act")
        x = separable(x, filters, name=f"block{block}_sepconv{conv}")
    return x


def separable(x: Node, filters: int, *, name: str) -> Node:
    x = SeparableConv2D(filters, 3, padding="same", use_bias=False)(x, name=name)
    return BatchNormalization()(x, name=f"{name}_bn")


def relu(x: Node, *, name: str) -> Node:
    return Activation("relu")(x, name=name)
