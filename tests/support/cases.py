"""Every layer kind, in one row or more: the layer, and the shapes it is given. Each engine runs all of them."""

from dataclasses import dataclass

from hati.network import layers
from hati.network.graph import Layer, Shape

MAP: Shape = (9, 11, 6)
OPEN: Shape = (None, None, 6)
VECTOR: Shape = (6,)


@dataclass(frozen=True)
class Case:
    layer: Layer
    shapes: tuple[Shape, ...] = (MAP,)

    def __str__(self) -> str:
        sizes = " ".join("open" if None in shape else "x".join(map(str, shape)) for shape in self.shapes)
        return f"{self.layer} on {sizes}"


CASES = (
    Case(layers.ZeroPadding2D(((1, 2), (3, 0)))),
    Case(layers.ZeroPadding2D(((0, 1), (0, 1))), (OPEN,)),
    Case(layers.Conv2D(4, 3)),
    Case(layers.Conv2D(4, 1, use_bias=False)),
    Case(layers.Conv2D(4, (1, 7), padding="same")),
    Case(layers.Conv2D(4, 3, 2, "same")),
    Case(layers.Conv2D(4, 3, 2, "same"), (OPEN,)),
    Case(layers.Conv2D(4, 4, (2, 1), "same"), (OPEN,)),
    Case(layers.Conv2D(4, 3, 2, ((0, 1), (2, 0)), activation="relu")),
    Case(layers.Conv2D(4, 2, activation="relu6")),
    Case(layers.Conv2D(4, 2, activation="silu")),
    Case(layers.Conv2D(4, 3, groups=2)),
    Case(layers.Conv2D(6, 7, padding="same", groups=6)),
    Case(layers.Cropping2D(((1, 2), (3, 0)))),
    Case(layers.Cropping2D(((1, 0), (1, 0))), (OPEN,)),
    Case(layers.DepthwiseConv2D(3)),
    Case(layers.DepthwiseConv2D(5, 2, "same", use_bias=False)),
    Case(layers.DepthwiseConv2D(3, 2, "same", depth_multiplier=2)),
    Case(layers.DepthwiseConv2D(3, 2, ((0, 1), (0, 1)))),
    Case(layers.SeparableConv2D(4, 3)),
    Case(layers.SeparableConv2D(4, 5, 2, "same", use_bias=False)),
    Case(layers.SeparableConv2D(4, 3, 2, ((0, 1), (0, 1)))),
    Case(layers.BatchNormalization()),
    Case(layers.BatchNormalization(epsilon=1e-5, scale=False)),
    Case(layers.LayerNormalization()),
    Case(layers.LayerNormalization(epsilon=1e-6), (VECTOR,)),
    Case(layers.LayerNormalization(), (OPEN,)),
    Case(layers.Rescaling(0.5, -1.0)),
    Case(layers.Rescaling((1.0, 2.0, 3.0, 4.0, 5.0, 6.0), 0.25)),
    Case(layers.Rescaling(2.0), (VECTOR,)),
    Case(layers.Normalization()),
    Case(layers.Normalization((0.1, 0.2, 0.3, 0.4, 0.5, 0.6), (1.0, 2.0, 3.0, 4.0, 5.0, 6.0))),
    Case(layers.LayerScale()),
    Case(layers.LayerScale(), (VECTOR,)),
    Case(layers.Activation("linear")),
    Case(layers.Activation("relu")),
    Case(layers.Activation("relu6")),
    Case(layers.Activation("sigmoid")),
    Case(layers.Activation("tanh")),
    Case(layers.Activation("silu")),
    Case(layers.Activation("hard_silu")),
    Case(layers.Activation("gelu")),
    Case(layers.Activation("softmax"), (VECTOR,)),
    Case(layers.Activation("softmax")),
    Case(layers.ReLU()),
    Case(layers.ReLU(0.5)),
    Case(layers.MaxPooling2D(3, strides=2)),
    Case(layers.MaxPooling2D((2, 3), strides=(1, 2), padding="same")),
    Case(layers.MaxPooling2D(3, strides=2, padding="same"), (OPEN,)),
    Case(layers.AveragePooling2D(2, strides=2)),
    Case(layers.AveragePooling2D(3, strides=1, padding="same")),
    Case(layers.AveragePooling2D(3, strides=2, padding="same"), (OPEN,)),
    Case(layers.GlobalAveragePooling2D()),
    Case(layers.GlobalAveragePooling2D(keepdims=True)),
    Case(layers.GlobalMaxPooling2D(), (OPEN,)),
    Case(layers.GlobalMaxPooling2D(keepdims=True)),
    Case(layers.Flatten()),
    Case(layers.Flatten(), ((1, 1, 6),)),
    Case(layers.Reshape((9 * 11 * 6,))),
    Case(layers.Reshape((6,)), ((1, 1, 6),)),
    Case(layers.Reshape((1, 1, 6)), (VECTOR,)),
    Case(layers.Reshape((3, 1, 2)), (VECTOR,)),
    Case(layers.Reshape((11, 18, 3))),
    Case(layers.Reshape((99, 6))),
    Case(layers.Dropout(0.5)),
    Case(layers.Dropout(0.5, whole=True)),
    Case(layers.Dense(5), (VECTOR,)),
    Case(layers.Dense(5, "softmax"), (VECTOR,)),
    Case(layers.Dense(5, "gelu")),
    Case(layers.Dense(5), (OPEN,)),
    Case(layers.Add(), (MAP, MAP)),
    Case(layers.Add(), (MAP, MAP, MAP, MAP)),
    Case(layers.Add(0.17), (MAP, MAP)),
    Case(layers.Add(0.5), (MAP, MAP, MAP)),
    Case(layers.Multiply(), (MAP, MAP)),
    Case(layers.Multiply(), (MAP, (1, 1, 6))),
    Case(layers.Multiply(), (OPEN, (1, 1, 6))),
    Case(layers.Multiply(), (VECTOR, VECTOR)),
    Case(layers.Concatenate(), (MAP, (9, 11, 2), MAP)),
    Case(layers.Concatenate(), (OPEN, OPEN)),
)
