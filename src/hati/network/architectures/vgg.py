"""VGG: "Very deep CNNs for large-scale image recognition", Simonyan and Zisserman 2014, arXiv:1409.1556."""

from ..graph import Graph, Shape
from ..layers import Conv2D, Dense, Flatten, InputLayer, MaxPooling2D
from .blocks import Top, classifier, pooled

FILTERS = (64, 128, 256, 512, 512)
DEPTHS = {"vgg16": (2, 2, 3, 3, 3), "vgg19": (2, 2, 4, 4, 4)}  # convolutions in each of the five blocks


def vgg(shape: Shape = (224, 224, 3), top: Top = Top(), *, name: str) -> Graph:
    x = InputLayer(shape)()
    for block, (filters, depth) in enumerate(zip(FILTERS, DEPTHS[name], strict=True), 1):
        for conv in range(1, depth + 1):
            x = Conv2D(filters, 3, padding="same", activation="relu")(x, name=f"block{block}_conv{conv}")
        x = MaxPooling2D(2, strides=2)(x, name=f"block{block}_pool")
    if not top.include_top:
        return Graph(pooled(x, top), name)
    x = Flatten()(x, name="flatten")
    x = Dense(4096, "relu")(x, name="fc1")
    x = Dense(4096, "relu")(x, name="fc2")
    return Graph(classifier(x, top), name)
