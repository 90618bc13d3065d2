"""MobileNetV2: "Inverted residuals and linear bottlenecks", Sandler et al. 2018, arXiv:1801.04381."""

from ..graph import Graph, Node, Shape
from ..layers import Add, BatchNormalization, Conv2D, GlobalAveragePooling2D, InputLayer, ReLU, channels
from .blocks import Top, classifier, depthwise, pooled, rounded

# Table 2 of the paper: expansion, filters, repeats, stride of the first
STAGES = ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1))
batch_norm = BatchNormalization(momentum=0.999)


def mobilenet_v2(
    shape: Shape = (224, 224, 3), top: Top = Top(), *, alpha: float = 1.0, name: str = "mobilenetv2"
) -> Graph:
    """`alpha` scales every width, the last convolution's only where it is more than 1."""
    x = Conv2D(rounded(32 * alpha), 3, 2, "same", use_bias=False)(InputLayer(shape)(), name="Conv1")
    x = ReLU(6.0)(batch_norm(x, name="bn_Conv1"), name="Conv1_relu")
    blocks = [(t, filters, s if n == 0 else 1) for t, filters, repeats, s in STAGES for n in range(repeats)]
    for number, (expansion, filters, stride) in enumerate(blocks):
        place = f"block_{number}" if number else "expanded_conv"
        x = inverted_residual(x, expansion, rounded(int(filters * alpha)), stride, name=place)
    x = Conv2D(rounded(1280 * max(alpha, 1)), 1, use_bias=False)(x, name="Conv_1")
    x = ReLU(6.0)(batch_norm(x, name="Conv_1_bn"), name="out_relu")
    if not top.include_top:
        return Graph(pooled(x, top), name)
    return Graph(classifier(GlobalAveragePooling2D()(x), top), name)


def inverted_residual(x: Node, expansion: int, filters: int, stride: int, *, name: str) -> Node:
    """1×1 to more channels, a 3×3 for each, 1×1 to `filters`, and the input added where shapes are equal."""
    y = x
    if expansion > 1:
        y = Conv2D(expansion * channels(x.shape), 1, padding="same", use_bias=False)(y, name=f"{name}_expand")
        y = bn_relu6(y, name=f"{name}_expand")
    y = depthwise(y, 3, stride, pad=f"{name}_pad", name=f"{name}_depthwise")
    y = bn_relu6(y, name=f"{name}_depthwise")
    y = Conv2D(filters, 1, padding="same", use_bias=False)(y, name=f"{name}_project")
    y = batch_norm(y, name=f"{name}_project_BN")
    return Add()(x, y, name=f"{name}_add") if stride == 1 and x.shape == y.shape else y


def bn_relu6(x: Node, *, name: str) -> Node:
    return ReLU(6.0)(batch_norm(x, name=f"{name}_BN"), name=f"{name}_relu")
