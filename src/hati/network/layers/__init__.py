"""The layer vocabulary, in Keras' words, by theme. Standard library only: no engine is known here.

Maps are (height, width, channels).
"""

from .convolutions import Conv2D, DepthwiseConv2D, SeparableConv2D
from .core import Activation, Dense, Dropout, Function, InputLayer, ReLU
from .merging import Add, Concatenate, Multiply
from .pooling import (
    AveragePooling2D,
    GlobalAveragePooling2D,
    GlobalMaxPooling2D,
    GlobalPooling2D,
    MaxPooling2D,
    Pooling2D,
)
from .reshaping import Cropping2D, Flatten, Reshape, ZeroPadding2D
from .scaling import (
    SMALLEST_DEVIATION,
    BatchNormalization,
    LayerNormalization,
    LayerScale,
    Normalization,
    PerChannel,
    Rescaling,
)
from .shapes import channels, known
from .windows import Padding, Pads, Pair, padding_pixels, pair

__all__ = [
    "SMALLEST_DEVIATION",
    "Activation",
    "Add",
    "AveragePooling2D",
    "BatchNormalization",
    "Concatenate",
    "Conv2D",
    "Cropping2D",
    "Dense",
    "DepthwiseConv2D",
    "Dropout",
    "Flatten",
    "Function",
    "GlobalAveragePooling2D",
    "GlobalMaxPooling2D",
    "GlobalPooling2D",
    "InputLayer",
    "LayerNormalization",
    "LayerScale",
    "MaxPooling2D",
    "Multiply",
    "Normalization",
    "Padding",
    "Pads",
    "Pair",
    "PerChannel",
    "Pooling2D",
    "ReLU",
    "Rescaling",
    "Reshape",
    "SeparableConv2D",
    "ZeroPadding2D",
    "channels",
    "known",
    "padding_pixels",
    "pair",
]
