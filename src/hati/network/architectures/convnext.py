"""ConvNeXt: "A ConvNet for the 2020s", Liu et al. 2022, arXiv:2201.03545, as Keras draws it."""

from ..graph import Graph, Node, Shape
from ..layers import (
    Activation,
    Add,
    Conv2D,
    Dense,
    GlobalAveragePooling2D,
    InputLayer,
    LayerNormalization,
    LayerScale,
    Normalization,
    channels,
)
from .blocks import Top, pooled

SIZES = {  # blocks in each of the four stages, their channels
    "convnext_tiny": ((3, 3, 9, 3), (96, 192, 384, 768)),
    "convnext_small": ((3, 3, 27, 3), (96, 192, 384, 768)),
    "convnext_base": ((3, 3, 27, 3), (128, 256, 512, 1024)),
    "convnext_large": ((3, 3, 27, 3), (192, 384, 768, 1536)),
    "convnext_xlarge": ((3, 3, 27, 3), (256, 512, 1024, 2048)),
}
MEAN = (123.675, 116.28, 103.53)  # of ImageNet's red, green and blue
DEVIATION = (58.395, 57.12, 57.375)


def convnext(
    shape: Shape = (224, 224, 3),
    top: Top = Top(),
    *,
    include_preprocessing: bool = True,
    prefix: str = "",
    name: str,
) -> Graph:
    """Takes 0–255 RGB or, without its own preprocessing, what the user makes of it. Layers are called `prefix`_…"""
    prefix = prefix or name
    x = InputLayer(shape)()
    if include_preprocessing and shape[2] == 3:
        variance = tuple(deviation**2 for deviation in DEVIATION)
        x = Normalization(MEAN, variance)(x, name=f"{prefix}_prestem_normalization")
    for stage, (depth, width) in enumerate(zip(*SIZES[name], strict=True)):
        x = stem(x, width, prefix) if stage == 0 else downsampled(x, width, stage - 1, prefix)
        for number in range(depth):
            x = block(x, name=f"{prefix}_stage_{stage}_block_{number}")
    if not top.include_top:
        return Graph(LayerNormalization(1e-6)(pooled(x, top)), name)
    x = GlobalAveragePooling2D()(x, name=f"{prefix}_head_gap")
    x = LayerNormalization(1e-6)(x, name=f"{prefix}_head_layernorm")
    return Graph(Dense(top.classes, top.activation)(x, name=f"{prefix}_head_dense"), name)


def stem(x: Node, width: int, prefix: str) -> Node:
    group = f"{prefix}_stem"
    x = Conv2D(width, 4, 4)(x, name=f"{group}_conv", group=group)
    return LayerNormalization(1e-6)(x, name=f"{group}_layernorm", group=group)


def downsampled(x: Node, width: int, number: int, prefix: str) -> Node:
    group = f"{prefix}_downsampling_block_{number}"
    x = LayerNormalization(1e-6)(x, name=f"{prefix}_downsampling_layernorm_{number}", group=group)
    return Conv2D(width, 2, 2)(x, name=f"{prefix}_downsampling_conv_{number}", group=group)


def block(x: Node, *, name: str) -> Node:
    """A 7×7 for each channel, then across them to four times as many and back, and the input added."""
    width = channels(x.shape)
    y = Conv2D(width, 7, padding="same", groups=width)(x, name=f"{name}_depthwise_conv")
    y = LayerNormalization(1e-6)(y, name=f"{name}_layernorm")
    y = Dense(4 * width)(y, name=f"{name}_pointwise_conv_1")
    y = Activation("gelu")(y, name=f"{name}_gelu")
    y = Dense(width)(y, name=f"{name}_pointwise_conv_2")
    y = LayerScale()(y, name=f"{name}_layer_scale")
    y = Activation("linear")(y, name=f"{name}_identity")
    return Add()(x, y)
