"""EfficientNet-Lite: EfficientNet (Tan and Le 2019, arXiv:1905.11946) without squeeze-excite and swish, with ReLU6.

From the authors' own folder, models/official/efficientnet/lite of github.com/tensorflow/tpu. From one model to the next
width, depth and input size grow; the stem, the top and the depth of the first and last stage stay as they are. Layers
are named as in Keras' EfficientNet.
"""

from math import ceil

from ..graph import Graph, Node, Shape
from ..layers import (
    Add,
    BatchNormalization,
    Conv2D,
    DepthwiseConv2D,
    Dropout,
    GlobalAveragePooling2D,
    InputLayer,
    ReLU,
    channels,
)
from .blocks import Top, classifier, pooled, rounded
from .efficientnet import STAGES

SCALES = {  # width, depth, dropout
    "efficientnet_lite0": (1.0, 1.0, 0.2),
    "efficientnet_lite1": (1.0, 1.1, 0.2),
    "efficientnet_lite2": (1.1, 1.2, 0.3),
}


def efficientnet_lite(shape: Shape, top: Top = Top(), *, name: str) -> Graph:
    width, depth, dropout = SCALES[name]
    x = Conv2D(32, 3, 2, "same", use_bias=False)(InputLayer(shape)(), name="stem_conv")
    x = bn_relu6(x, name="stem")
    for stage, (repeats, kernel, stride, expansion, filters) in enumerate(STAGES, 1):
        fixed = stage in (1, len(STAGES))
        for block in range(repeats if fixed else ceil(repeats * depth)):
            place, step = f"block{stage}{'abcdefgh'[block]}", stride if block == 0 else 1
            x = inverted_residual(x, kernel, step, expansion, rounded(filters * width), name=place)
    x = bn_relu6(Conv2D(1280, 1, padding="same", use_bias=False)(x, name="top_conv"), name="top")
    if not top.include_top:
        return Graph(pooled(x, top, average="avg_pool", maximum="max_pool"), name)
    x = Dropout(dropout)(GlobalAveragePooling2D()(x, name="avg_pool"), name="top_dropout")
    return Graph(classifier(x, top), name)


def inverted_residual(x: Node, kernel: int, stride: int, expansion: int, filters: int, *, name: str) -> Node:
    """1×1 to more channels, a depthwise window, 1×1 to `filters`, and the input added where shapes are equal."""
    y = x
    if expansion > 1:
        y = Conv2D(channels(x.shape) * expansion, 1, padding="same", use_bias=False)(y, name=f"{name}_expand_conv")
        y = bn_relu6(y, name=f"{name}_expand")
    y = DepthwiseConv2D(kernel, stride, "same", use_bias=False)(y, name=f"{name}_dwconv")
    y = bn_relu6(y, name=name)
    y = Conv2D(filters, 1, padding="same", use_bias=False)(y, name=f"{name}_project_conv")
    y = BatchNormalization()(y, name=f"{name}_project_bn")
    return Add()(y, x, name=f"{name}_add") if stride == 1 and x.shape == y.shape else y


def bn_relu6(x: Node, *, name: str) -> Node:
    return ReLU(6.0)(BatchNormalization()(x, name=f"{name}_bn"), name=f"{name}_activation")


PYTORCH_LAYERS = {  # layer names of the efficientnet_pytorch state dicts; a block's are its own
    "stem_conv": "_conv_stem",
    "stem_bn": "_bn0",
    "expand_conv": "_expand_conv",
    "expand_bn": "_bn0",
    "dwconv": "_depthwise_conv",
    "bn": "_bn1",
    "project_conv": "_project_conv",
    "project_bn": "_bn2",
    "top_conv": "_conv_head",
    "top_bn": "_bn1",
    "predictions": "_fc",
}


def pytorch_names(graph: Graph) -> dict[str, str]:
    """Our layer names -> those of the state dicts in the weights packages (`_blocks.3._depthwise_conv`)."""
    names: dict[str, str] = {}
    blocks: list[str] = []
    for node in graph.nodes:
        if not node.weights():
            continue
        block, _, part = node.name.partition("_")
        if not block.startswith("block"):
            names[node.name] = PYTORCH_LAYERS[node.name]
            continue
        if block not in blocks:
            blocks.append(block)
        names[node.name] = f"_blocks.{blocks.index(block)}.{PYTORCH_LAYERS[part]}"
    return names
