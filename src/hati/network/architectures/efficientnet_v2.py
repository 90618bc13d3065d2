"""EfficientNetV2: "Smaller models and faster training", Tan and Le 2021, arXiv:2104.00298, as Keras draws it."""

from math import ceil

from ..graph import Graph, Node, Shape
from ..layers import BatchNormalization, Conv2D, DepthwiseConv2D, InputLayer, Normalization, Rescaling, channels
from .blocks import Top
from .efficientnet import DEVIATION, DROPPED, activated, added, squeeze_excite, with_top

# Table 4 of the paper and the authors' google/automl: repeats, stride, expansion, filters; with squeeze-excite or fused
FUSED, SQUEEZED = False, True
STAGES = {
    "b": (
        (1, 1, 1, 16, FUSED),
        (2, 2, 4, 32, FUSED),
        (2, 2, 4, 48, FUSED),
        (3, 2, 4, 96, SQUEEZED),
        (5, 1, 6, 112, SQUEEZED),
        (8, 2, 6, 192, SQUEEZED),
    ),
    "s": (
        (2, 1, 1, 24, FUSED),
        (4, 2, 4, 48, FUSED),
        (4, 2, 4, 64, FUSED),
        (6, 2, 4, 128, SQUEEZED),
        (9, 1, 6, 160, SQUEEZED),
        (15, 2, 6, 256, SQUEEZED),
    ),
    "m": (
        (3, 1, 1, 24, FUSED),
        (5, 2, 4, 48, FUSED),
        (5, 2, 4, 80, FUSED),
        (7, 2, 4, 160, SQUEEZED),
        (14, 1, 6, 176, SQUEEZED),
        (18, 2, 6, 304, SQUEEZED),
        (5, 1, 6, 512, SQUEEZED),
    ),
    "l": (
        (4, 1, 1, 32, FUSED),
        (7, 2, 4, 64, FUSED),
        (7, 2, 4, 96, FUSED),
        (10, 2, 4, 192, SQUEEZED),
        (19, 1, 6, 224, SQUEEZED),
        (25, 2, 6, 384, SQUEEZED),
        (7, 1, 6, 640, SQUEEZED),
    ),
}
SCALES = {  # stages, filters of the stem, width, depth
    "efficientnetv2-b0": ("b", 32, 1.0, 1.0),
    "efficientnetv2-b1": ("b", 32, 1.0, 1.1),
    "efficientnetv2-b2": ("b", 32, 1.1, 1.2),
    "efficientnetv2-b3": ("b", 32, 1.2, 1.4),
    "efficientnetv2-s": ("s", 24, 1.0, 1.0),
    "efficientnetv2-m": ("m", 24, 1.0, 1.0),
    "efficientnetv2-l": ("l", 32, 1.0, 1.0),
}
MEAN = (0.485, 0.456, 0.406)  # of ImageNet's red, green and blue
batch_norm = BatchNormalization(momentum=0.9)


def efficientnet_v2(shape: Shape, top: Top = Top(), *, include_preprocessing: bool = True, name: str) -> Graph:
    """Takes 0–255 RGB or, without its own preprocessing, what the user makes of it."""
    kind, stem, width, depth = SCALES[name]
    x = InputLayer(shape)()
    if include_preprocessing:
        x = preprocessed(x, by_channel=kind == "b" and shape[2] == 3)
    x = Conv2D(nearest(stem * width), 3, 2, "same", use_bias=False)(x, name="stem_conv")
    x = activated(x, batch_norm, name="stem")
    total = sum(repeats for repeats, *_ in STAGES[kind])
    number = 0
    for stage, (repeats, stride, expansion, filters, squeezed) in enumerate(STAGES[kind], 1):
        block = inverted_residual if squeezed else fused_residual
        for n in range(ceil(repeats * depth)):
            place, drop = f"block{stage}{chr(ord('a') + n)}", DROPPED * number / total
            x = block(x, stride if n == 0 else 1, expansion, nearest(filters * width), drop, name=place)
            number += 1
    return with_top(x, nearest(1280 * width), top, 0.2, batch_norm, name=name)


def preprocessed(x: Node, *, by_channel: bool) -> Node:
    if not by_channel:
        return Rescaling(1 / 128, -1.0)(x)
    variance = tuple(deviation**2 for deviation in DEVIATION)
    return Normalization(MEAN, variance)(Rescaling(1 / 255)(x))


def inverted_residual(x: Node, stride: int, expansion: int, filters: int, drop: float, *, name: str) -> Node:
    """1×1 to more channels, a 3×3 for each, squeeze-excite, 1×1 to `filters`, the input added where shapes agree."""
    y = Conv2D(channels(x.shape) * expansion, 1, padding="same", use_bias=False)(x, name=f"{name}_expand_conv")
    y = activated(y, batch_norm, name=f"{name}_expand")
    y = DepthwiseConv2D(3, stride, "same", use_bias=False)(y, name=f"{name}_dwconv2")
    y = squeeze_excite(activated(y, batch_norm, name=name), channels(x.shape) // 4, name=name)
    y = Conv2D(filters, 1, padding="same", use_bias=False)(y, name=f"{name}_project_conv")
    y = batch_norm(y, name=f"{name}_project_bn")
    return added(y, x, drop, name=name) if stride == 1 and x.shape == y.shape else y


def fused_residual(x: Node, stride: int, expansion: int, filters: int, drop: float, *, name: str) -> Node:
    """The same with one full 3×3 in place of the first 1×1 and the 3×3 for each channel."""
    if expansion > 1:
        y = Conv2D(channels(x.shape) * expansion, 3, stride, "same", use_bias=False)(x, name=f"{name}_expand_conv")
        y = activated(y, batch_norm, name=f"{name}_expand")
        y = Conv2D(filters, 1, padding="same", use_bias=False)(y, name=f"{name}_project_conv")
        y = batch_norm(y, name=f"{name}_project_bn")
    else:
        y = Conv2D(filters, 3, stride, "same", use_bias=False)(x, name=f"{name}_project_conv")
        y = activated(y, batch_norm, name=f"{name}_project")
    return added(y, x, drop, name=name) if stride == 1 and x.shape == y.shape else y


def nearest(filters: float) -> int:
    """The multiple of 8 that is nearest."""
    return max(8, int(filters + 4) // 8 * 8)
