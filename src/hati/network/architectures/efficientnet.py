"""EfficientNet: "Rethinking model scaling for CNNs", Tan and Le 2019, arXiv:1905.11946, as Keras draws it."""

from math import ceil

from ..graph import Graph, Node, Shape
from ..layers import (
    Activation,
    Add,
    BatchNormalization,
    Conv2D,
    Dropout,
    GlobalAveragePooling2D,
    InputLayer,
    Multiply,
    Normalization,
    Rescaling,
    Reshape,
    channels,
)
from .blocks import Top, classifier, depthwise, padded, pooled, rounded

# Table 1 of the paper: repeats, kernel, stride, expansion, filters
STAGES = (
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)
SCALES = {  # width, depth, dropout
    "efficientnetb0": (1.0, 1.0, 0.2),
    "efficientnetb1": (1.0, 1.1, 0.2),
    "efficientnetb2": (1.1, 1.2, 0.3),
    "efficientnetb3": (1.2, 1.4, 0.3),
    "efficientnetb4": (1.4, 1.8, 0.4),
    "efficientnetb5": (1.6, 2.2, 0.4),
    "efficientnetb6": (1.8, 2.6, 0.5),
    "efficientnetb7": (2.0, 3.1, 0.5),
}
DROPPED = 0.2  # share of pictures that the last block is left out for in training
DEVIATION = (0.229, 0.224, 0.225)  # of ImageNet's red, green and blue
batch_norm = BatchNormalization()


def efficientnet(shape: Shape, top: Top = Top(), *, published: bool = False, name: str) -> Graph:
    """Takes 0–255 RGB. The `published` weights were trained on pixels divided by √deviation once more."""
    width, depth, dropout = SCALES[name]
    x = Normalization()(Rescaling(1 / 255)(InputLayer(shape)()))
    if published:
        x = Rescaling(tuple(deviation**-0.5 for deviation in DEVIATION))(x)
    x = padded(x, 3, name="stem_conv_pad")
    x = activated(Conv2D(rounded(32 * width), 3, 2, use_bias=False)(x, name="stem_conv"), name="stem")
    blocks = [
        (f"block{stage}{'abcdefghijklm'[n]}", kernel, stride if n == 0 else 1, expansion, rounded(filters * width))
        for stage, (repeats, kernel, stride, expansion, filters) in enumerate(STAGES, 1)
        for n in range(ceil(repeats * depth))
    ]
    for number, (place, kernel, stride, expansion, filters) in enumerate(blocks):
        drop = DROPPED * number / len(blocks)
        x = inverted_residual(x, kernel, stride, expansion, filters, drop, name=place)
    return with_top(x, rounded(1280 * width), top, dropout, name=name)


def inverted_residual(
    x: Node, kernel: int, stride: int, expansion: int, filters: int, drop: float, *, name: str
) -> Node:
    """1×1 to more channels, a window for each, squeeze-excite, 1×1 to `filters`, the input added where shapes agree."""
    y = x
    if expansion > 1:
        y = Conv2D(channels(x.shape) * expansion, 1, padding="same", use_bias=False)(y, name=f"{name}_expand_conv")
        y = activated(y, name=f"{name}_expand")
    y = depthwise(y, kernel, stride, pad=f"{name}_dwconv_pad", name=f"{name}_dwconv")
    y = squeeze_excite(activated(y, name=name), channels(x.shape) // 4, name=name)
    y = Conv2D(filters, 1, padding="same", use_bias=False)(y, name=f"{name}_project_conv")
    y = batch_norm(y, name=f"{name}_project_bn")
    return added(y, x, drop, name=name) if stride == 1 and x.shape == y.shape else y


def squeeze_excite(x: Node, narrow: int, *, name: str) -> Node:
    """Each channel times a number between 0 and 1 that all channels together decide; Hu et al. 2017."""
    width = channels(x.shape)
    y = GlobalAveragePooling2D()(x, name=f"{name}_se_squeeze")
    y = Reshape((1, 1, width))(y, name=f"{name}_se_reshape")
    y = Conv2D(narrow, 1, padding="same", activation="silu")(y, name=f"{name}_se_reduce")
    y = Conv2D(width, 1, padding="same", activation="sigmoid")(y, name=f"{name}_se_expand")
    return Multiply()(x, y, name=f"{name}_se_excite")


def added(y: Node, x: Node, drop: float, *, name: str) -> Node:
    """y + x; in training y is left out now and then (stochastic depth, Huang et al. 2016)."""
    if drop > 0:
        y = Dropout(drop, whole=True)(y, name=f"{name}_drop")
    return Add()(y, x, name=f"{name}_add")


def with_top(
    x: Node, filters: int, top: Top, dropout: float, norm: BatchNormalization = batch_norm, *, name: str
) -> Graph:
    x = activated(Conv2D(filters, 1, padding="same", use_bias=False)(x, name="top_conv"), norm, name="top")
    if not top.include_top:
        return Graph(pooled(x, top, average="avg_pool", maximum="max_pool"), name)
    x = Dropout(dropout)(GlobalAveragePooling2D()(x, name="avg_pool"), name="top_dropout")
    return Graph(classifier(x, top), name)


def activated(x: Node, norm: BatchNormalization = batch_norm, *, name: str) -> Node:
    return Activation("silu")(norm(x, name=f"{name}_bn"), name=f"{name}_activation")
