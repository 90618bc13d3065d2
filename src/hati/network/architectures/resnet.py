"""ResNet: "Deep residual learning for image recognition", He et al. 2015, arXiv:1512.03385, as Keras draws it."""

from ..graph import Graph, Node, Shape
from ..layers import Activation, Add, BatchNormalization, Conv2D, InputLayer, MaxPooling2D, Padding, ZeroPadding2D
from .blocks import Top, finished

# Table 1 of the paper: blocks in each of the four stages
DEPTHS = {"resnet50": (3, 4, 6, 3), "resnet101": (3, 4, 23, 3), "resnet152": (3, 8, 36, 3)}


def resnet(shape: Shape = (224, 224, 3), top: Top = Top(), *, name: str) -> Graph:
    x = ZeroPadding2D(((3, 3), (3, 3)))(InputLayer(shape)(), name="conv1_pad")
    x = relu(conv_bn(x, 64, 7, 2, name="conv1"), name="conv1_relu")
    x = ZeroPadding2D(((1, 1), (1, 1)))(x, name="pool1_pad")
    x = MaxPooling2D(3, strides=2)(x, name="pool1_pool")
    for stage, depth in enumerate(DEPTHS[name]):
        for block in range(depth):
            stride = 2 if stage > 0 and block == 0 else 1
            x = bottleneck(x, 64 << stage, stride, shortcut=block == 0, name=f"conv{stage + 2}_block{block + 1}")
    return finished(x, top, name, average="avg_pool", maximum="max_pool")


def bottleneck(x: Node, width: int, stride: int, *, shortcut: bool, name: str) -> Node:
    """1×1 to `width`, 3×3, 1×1 to 4 · `width`, and the input added; a `shortcut` brings the input to that shape."""
    same = conv_bn(x, 4 * width, 1, stride, name=f"{name}_0") if shortcut else x
    x = relu(conv_bn(x, width, 1, stride, name=f"{name}_1"), name=f"{name}_1_relu")
    x = relu(conv_bn(x, width, 3, padding="same", name=f"{name}_2"), name=f"{name}_2_relu")
    x = conv_bn(x, 4 * width, 1, name=f"{name}_3")
    return relu(Add()(same, x, name=f"{name}_add"), name=f"{name}_out")


def conv_bn(x: Node, filters: int, kernel: int, stride: int = 1, *, padding: Padding = "valid", name: str) -> Node:
    x = Conv2D(filters, kernel, stride, padding)(x, name=f"{name}_conv")
    return BatchNormalization(epsilon=1.001e-5)(x, name=f"{name}_bn")


def relu(x: Node, *, name: str) -> Node:
    return Activation("relu")(x, name=name)
