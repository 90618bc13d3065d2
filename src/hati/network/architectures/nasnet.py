"""NASNet-A: "Learning transferable architectures for scalable image recognition", Zoph et al. 2017, arXiv:1707.07012.

A cell looks at the two maps before it: x, and p before that.
"""

from ..graph import Graph, Node, Shape
from ..layers import (
    Activation,
    Add,
    AveragePooling2D,
    BatchNormalization,
    Concatenate,
    Conv2D,
    Cropping2D,
    GlobalAveragePooling2D,
    InputLayer,
    MaxPooling2D,
    Padding,
    SeparableConv2D,
    ZeroPadding2D,
    channels,
)
from .blocks import Top, classifier, padded, pooled

SIZES = {  # filters of the stem, filters of the first cells, normal cells in a row, a reduction is skipped over
    "nasnet_mobile": (32, 44, 4, False),
    "nasnet_large": (96, 168, 6, True),
}
batch_norm = BatchNormalization(momentum=0.9997)


def nasnet(shape: Shape, top: Top = Top(), *, name: str) -> Graph:
    stem, filters, repeats, skips = SIZES[name]
    x = Conv2D(stem, 3, 2, use_bias=False)(InputLayer(shape)(), name="stem_conv1")
    x = batch_norm(x, name="stem_bn1")
    x, p = reduction_cell(x, x, filters // 4, name="stem_1"), x
    x, p = reduction_cell(x, p, filters // 2, name="stem_2"), x
    for row in range(3):
        if row > 0:
            filters *= 2
            before, x = x, reduction_cell(x, p, filters, name=f"reduce_{row * repeats}")
            p = p if skips else before
        for cell in range(repeats):
            number = row * repeats + cell + (1 if row else 0)
            x, p = normal_cell(x, p, filters, name=f"{number}"), x
    x = Activation("relu")(x)
    if not top.include_top:
        return Graph(pooled(x, top), name)
    return Graph(classifier(GlobalAveragePooling2D()(x), top), name)


def normal_cell(x: Node, p: Node, filters: int, *, name: str) -> Node:
    """Figure 4 of the paper, left."""
    p = adjusted(p, x, filters, name=name)
    h = relu_conv_bn(x, filters, conv=f"normal_conv_1_{name}", bn=f"normal_bn_1_{name}")
    sums = [
        Add()(
            separable(h, filters, 5, name=f"normal_left1_{name}"),
            separable(p, filters, 3, name=f"normal_right1_{name}"),
            name=f"normal_add_1_{name}",
        ),
        Add()(
            separable(p, filters, 5, name=f"normal_left2_{name}"),
            separable(p, filters, 3, name=f"normal_right2_{name}"),
            name=f"normal_add_2_{name}",
        ),
        Add()(average(h, name=f"normal_left3_{name}"), p, name=f"normal_add_3_{name}"),
        Add()(
            average(p, name=f"normal_left4_{name}"),
            average(p, name=f"normal_right4_{name}"),
            name=f"normal_add_4_{name}",
        ),
        Add()(separable(h, filters, 3, name=f"normal_left5_{name}"), h, name=f"normal_add_5_{name}"),
    ]
    return Concatenate()(p, *sums, name=f"normal_concat_{name}")


def reduction_cell(x: Node, p: Node, filters: int, *, name: str) -> Node:
    """Figure 4 of the paper, right: half the height and width."""
    p = adjusted(p, x, filters, name=name)
    h = relu_conv_bn(x, filters, conv=f"reduction_conv_1_{name}", bn=f"reduction_bn_1_{name}")
    wide = padded(h, 3, name=f"reduction_pad_1_{name}")
    first = Add()(
        separable(h, filters, 5, 2, name=f"reduction_left1_{name}"),
        separable(p, filters, 7, 2, name=f"reduction_right1_{name}"),
        name=f"reduction_add_1_{name}",
    )
    second = Add()(
        MaxPooling2D(3, 2)(wide, name=f"reduction_left2_{name}"),
        separable(p, filters, 7, 2, name=f"reduction_right2_{name}"),
        name=f"reduction_add_2_{name}",
    )
    third = Add()(
        AveragePooling2D(3, 2)(wide, name=f"reduction_left3_{name}"),
        separable(p, filters, 5, 2, name=f"reduction_right3_{name}"),
        name=f"reduction_add3_{name}",
    )
    fourth = Add()(second, average(first, name=f"reduction_left4_{name}"))
    fifth = Add()(
        separable(first, filters, 3, name=f"reduction_left4_{name}"),
        MaxPooling2D(3, 2)(wide, name=f"reduction_right5_{name}"),
        name=f"reduction_add4_{name}",
    )
    return Concatenate()(second, third, fourth, fifth, name=f"reduction_concat_{name}")


def adjusted(p: Node, x: Node, filters: int, *, name: str) -> Node:
    """p, brought to x's height and width, or else to `filters` channels."""
    if p.shape[1] != x.shape[1]:
        p = Activation("relu")(p, name=f"adjust_relu_1_{name}")
        one = every_second(p, filters, name=f"1_{name}")
        shifted = Cropping2D(((1, 0), (1, 0)))(ZeroPadding2D(((0, 1), (0, 1)))(p))
        other = every_second(shifted, filters, name=f"2_{name}")
        return batch_norm(Concatenate()(one, other), name=f"adjust_bn_{name}")
    if channels(p.shape) != filters and p is not x:
        return relu_conv_bn(p, filters, conv=f"adjust_conv_projection_{name}", bn=f"adjust_bn_{name}")
    return p


def every_second(x: Node, filters: int, *, name: str) -> Node:
    x = AveragePooling2D(1, 2)(x, name=f"adjust_avg_pool_{name}")
    return Conv2D(filters // 2, 1, padding="same", use_bias=False)(x, name=f"adjust_conv_{name}")


def separable(x: Node, filters: int, kernel: int, stride: int = 1, *, name: str) -> Node:
    """Twice ReLU, separable convolution and batch norm; the first has the stride."""
    x = Activation("relu")(x)
    if stride == 2:
        x = padded(x, kernel, name=f"separable_conv_1_pad_{name}")
    padding: Padding = "valid" if stride == 2 else "same"
    x = SeparableConv2D(filters, kernel, stride, padding, use_bias=False)(x, name=f"separable_conv_1_{name}")
    x = Activation("relu")(batch_norm(x, name=f"separable_conv_1_bn_{name}"))
    x = SeparableConv2D(filters, kernel, padding="same", use_bias=False)(x, name=f"separable_conv_2_{name}")
    return batch_norm(x, name=f"separable_conv_2_bn_{name}")


def relu_conv_bn(x: Node, filters: int, *, conv: str, bn: str) -> Node:
    x = Conv2D(filters, 1, padding="same", use_bias=False)(Activation("relu")(x), name=conv)
    return batch_norm(x, name=bn)


def average(x: Node, *, name: str) -> Node:
    return AveragePooling2D(3, 1, "same")(x, name=name)
