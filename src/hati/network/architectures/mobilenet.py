"""MobileNet: "Efficient CNNs for mobile vision applications", Howard et al. 2017, arXiv:1704.04861."""

from ..graph import Graph, Node, Shape
from ..layers import (
    Activation,
    BatchNormalization,
    Conv2D,
    DepthwiseConv2D,
    Dropout,
    GlobalAveragePooling2D,
    InputLayer,
    Padding,
    ReLU,
    Reshape,
    ZeroPadding2D,
)
from .blocks import Top, pooled

# Table 1 of the paper: filters and stride of each depthwise separable block
BLOCKS = ((64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), *[(512, 1)] * 5, (1024, 2), (1024, 1))


def mobilenet(
    shape: Shape = (224, 224, 3),
    top: Top = Top(),
    *,
    alpha: float = 1.0,
    depth_multiplier: int = 1,
    dropout: float = 1e-3,
    name: str = "mobilenet",
) -> Graph:
    """`alpha` scales every width, `depth_multiplier` the channels between depthwise and pointwise."""
    x = Conv2D(int(32 * alpha), 3, 2, "same", use_bias=False)(InputLayer(shape)(), name="conv1")
    x = bn_relu6(x, name="conv1")
    for block, (filters, stride) in enumerate(BLOCKS, 1):
        x = separable(x, int(filters * alpha), stride, depth_multiplier, block)
    if not top.include_top:
        return Graph(pooled(x, top), name)
    x = GlobalAveragePooling2D(keepdims=True)(x)
    x = Dropout(dropout)(x, name="dropout")
    x = Conv2D(top.classes, 1, padding="same")(x, name="conv_preds")
    x = Reshape((top.classes,))(x, name="reshape_2")
    return Graph(Activation(top.activation)(x, name="predictions"), name)


def separable(x: Node, filters: int, stride: int, depth_multiplier: int, block: int) -> Node:
    """A 3×3 for each channel, then a 1×1 across them."""
    if stride == 2:
        x = ZeroPadding2D(((0, 1), (0, 1)))(x, name=f"conv_pad_{block}")
    padding: Padding = "valid" if stride == 2 else "same"
    x = DepthwiseConv2D(3, stride, padding, depth_multiplier, use_bias=False)(x, name=f"conv_dw_{block}")
    x = bn_relu6(x, name=f"conv_dw_{block}")
    x = Conv2D(filters, 1, padding="same", use_bias=False)(x, name=f"conv_pw_{block}")
    return bn_relu6(x, name=f"conv_pw_{block}")


def bn_relu6(x: Node, *, name: str) -> Node:
    return ReLU(6.0)(BatchNormalization()(x, name=f"{name}_bn"), name=f"{name}_relu")
