"""ResNet V2: "Identity mappings in deep residual networks", He et al. 2016, arXiv:1603.05027, as Keras draws it.

Batch norm and ReLU come before each convolution, and a stage's stride lies in its last block.
"""

from ..graph import Graph, Node, Shape
from ..layers import Activation, Add, BatchNormalization, Conv2D, InputLayer, MaxPooling2D, ZeroPadding2D
from .blocks import Top, finished

# blocks in each of the four stages
DEPTHS = {"resnet50v2": (3, 4, 6, 3), "resnet101v2": (3, 4, 23, 3), "resnet152v2": (3, 8, 36, 3)}


def resnet_v2(shape: Shape = (224, 224, 3), top: Top = Top(), *, name: str) -> Graph:
    x = ZeroPadding2D(((3, 3), (3, 3)))(InputLayer(shape)(), name="conv1_pad")
    x = Conv2D(64, 7, 2)(x, name="conv1_conv")
    x = ZeroPadding2D(((1, 1), (1, 1)))(x, name="pool1_pad")
    x = MaxPooling2D(3, strides=2)(x, name="pool1_pool")
    for stage, depth in enumerate(DEPTHS[name]):
        for block in range(depth):
            stride = 2 if stage < 3 and block == depth - 1 else 1
            x = bottleneck(x, 64 << stage, stride, shortcut=block == 0, name=f"conv{stage + 2}_block{block + 1}")
    return finished(bn_relu(x, name="post"), top, name, average="avg_pool", maximum="max_pool")


def bottleneck(x: Node, width: int, stride: int, *, shortcut: bool, name: str) -> Node:
    """1×1 to `width`, 3×3, 1×1 to 4 · `width`, and the input added; a `shortcut` brings the input to that width."""
    y = bn_relu(x, name=f"{name}_preact")
    if shortcut:
        same = Conv2D(4 * width, 1)(y, name=f"{name}_0_conv")
    else:
        same = MaxPooling2D(1, stride)(x) if stride > 1 else x
    y = bn_relu(Conv2D(width, 1, use_bias=False)(y, name=f"{name}_1_conv"), name=f"{name}_1")
    y = ZeroPadding2D(((1, 1), (1, 1)))(y, name=f"{name}_2_pad")
    y = bn_relu(Conv2D(width, 3, stride, use_bias=False)(y, name=f"{name}_2_conv"), name=f"{name}_2")
    y = Conv2D(4 * width, 1)(y, name=f"{name}_3_conv")
    return Add()(same, y, name=f"{name}_out")


def bn_relu(x: Node, *, name: str) -> Node:
    x = BatchNormalization(epsilon=1.001e-5)(x, name=f"{name}_bn")
    return Activation("relu")(x, name=f"{name}_relu")
