"""MobileNetV3: "Searching for MobileNetV3", Howard et al. 2019, arXiv:1905.02244, as Keras draws it."""

from itertools import count

from ..graph import Graph, Node, Shape
from ..layers import (
    Activation,
    Add,
    BatchNormalization,
    Conv2D,
    Dropout,
    Flatten,
    GlobalAveragePooling2D,
    InputLayer,
    Multiply,
    ReLU,
    Rescaling,
    channels,
)
from .blocks import Top, depthwise, numbered, pooled, rounded

RE, HS = "relu", "hard_silu"
# Tables 1 and 2 of the paper: expansion, filters, kernel, stride, squeeze-excite, activation
STAGES = {
    "MobileNetV3Large": (
        (1, 16, 3, 1, False, RE),
        (4, 24, 3, 2, False, RE),
        (3, 24, 3, 1, False, RE),
        (3, 40, 5, 2, True, RE),
        (3, 40, 5, 1, True, RE),
        (3, 40, 5, 1, True, RE),
        (6, 80, 3, 2, False, HS),
        (2.5, 80, 3, 1, False, HS),
        (2.3, 80, 3, 1, False, HS),
        (2.3, 80, 3, 1, False, HS),
        (6, 112, 3, 1, True, HS),
        (6, 112, 3, 1, True, HS),
        (6, 160, 5, 2, True, HS),
        (6, 160, 5, 1, True, HS),
        (6, 160, 5, 1, True, HS),
    ),
    "MobileNetV3Small": (
        (1, 16, 3, 2, True, RE),
        (72 / 16, 24, 3, 2, False, RE),
        (88 / 24, 24, 3, 1, False, RE),
        (4, 40, 5, 2, True, HS),
        (6, 40, 5, 1, True, HS),
        (6, 40, 5, 1, True, HS),
        (3, 48, 5, 1, True, HS),
        (3, 48, 5, 1, True, HS),
        (6, 96, 5, 2, True, HS),
        (6, 96, 5, 1, True, HS),
        (6, 96, 5, 1, True, HS),
    ),
}
LAST = {"MobileNetV3Large": 1280, "MobileNetV3Small": 1024}
batch_norm = BatchNormalization(momentum=0.999)


def mobilenet_v3(
    shape: Shape = (224, 224, 3),
    top: Top = Top(),
    *,
    alpha: float = 1.0,
    minimalistic: bool = False,
    dropout_rate: float = 0.2,
    include_preprocessing: bool = True,
    name: str,
) -> Graph:
    """`alpha` scales every width; a `minimalistic` network has 3×3 windows, ReLU and no squeeze-excite."""
    x = InputLayer(shape)()
    if include_preprocessing:
        x = Rescaling(1 / 127.5, -1.0)(x)
    last_function = RE if minimalistic else HS
    x = Conv2D(16, 3, 2, "same", use_bias=False)(x, name="conv")
    x = activated(batch_norm(x, name="conv_bn"), last_function)
    squeezes = count()
    for number, (expansion, filters, kernel, stride, squeezed, function) in enumerate(STAGES[name]):
        if minimalistic:
            kernel, squeezed, function = 3, False, RE
        squeeze = next(squeezes) if squeezed else None
        place = f"expanded_conv_{number}" if number else "expanded_conv"
        wide = rounded(channels(x.shape) * expansion)
        x = inverted_residual(x, wide, rounded(filters * alpha), kernel, stride, squeeze, function, name=place)
    x = Conv2D(rounded(channels(x.shape) * 6), 1, padding="same", use_bias=False)(x, name="conv_1")
    x = activated(batch_norm(x, name="conv_1_bn"), last_function)
    if not top.include_top:
        return Graph(pooled(x, top, average="avg_pool", maximum="max_pool"), name)
    x = GlobalAveragePooling2D(keepdims=True)(x)
    x = Conv2D(rounded(LAST[name] * alpha) if alpha > 1 else LAST[name], 1, padding="same")(x, name="conv_2")
    x = activated(x, last_function)
    if dropout_rate > 0:
        x = Dropout(dropout_rate)(x)
    x = Flatten()(Conv2D(top.classes, 1, padding="same")(x, name="logits"))
    return Graph(Activation(top.activation)(x, name="predictions"), name)


def inverted_residual(
    x: Node, wide: int, filters: int, kernel: int, stride: int, squeeze: int | None, function: str, *, name: str
) -> Node:
    """1×1 to `wide` channels, a window for each, 1×1 to `filters`, and the input added where shapes are equal.

    `squeeze` is the number of its squeeze-excite; None where it has none.
    """
    y = x
    if name != "expanded_conv":
        y = Conv2D(wide, 1, padding="same", use_bias=False)(y, name=f"{name}_expand")
        y = activated(batch_norm(y, name=f"{name}_expand_bn"), function)
    y = depthwise(y, kernel, stride, pad=f"{name}_depthwise_pad", name=f"{name}_depthwise")
    y = activated(batch_norm(y, name=f"{name}_depthwise_bn"), function)
    if squeeze is not None:
        y = squeeze_excite(y, squeeze, name=f"{name}_squeeze_excite")
    y = Conv2D(filters, 1, padding="same", use_bias=False)(y, name=f"{name}_project")
    y = batch_norm(y, name=f"{name}_project_bn")
    return Add()(x, y, name=f"{name}_add") if stride == 1 and x.shape == y.shape else y


def squeeze_excite(x: Node, number: int, *, name: str) -> Node:
    """Each channel times a number between 0 and 1 that all channels together decide; Hu et al. 2017."""
    y = GlobalAveragePooling2D(keepdims=True)(x, name=f"{name}_avg_pool")
    y = Conv2D(rounded(channels(x.shape) / 4), 1, padding="same")(y, name=f"{name}_conv")
    y = ReLU()(y, name=f"{name}_relu")
    y = Conv2D(channels(x.shape), 1, padding="same")(y, name=f"{name}_conv_1")
    y = ReLU(6.0)(Rescaling(offset=3.0)(y, name=numbered("add", number)))  # the hard sigmoid, relu6(y + 3) / 6
    y = Rescaling(1 / 6)(y, name=numbered("multiply", number))
    return Multiply()(x, y, name=f"{name}_mul")


def activated(x: Node, function: str) -> Node:
    return ReLU()(x) if function == RE else Activation("hard_silu")(x)
