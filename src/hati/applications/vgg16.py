"""VGG16 as `keras.applications.vgg16` has it."""

from functools import partial

from ..architectures.vgg import vgg16
from ..labels import decode_predictions
from ..preprocessing import preprocess_input as by_mode
from .building import Application

__all__ = ["VGG16", "decode_predictions", "preprocess_input"]

VGG16 = Application("VGG16", vgg16)
preprocess_input = partial(by_mode, mode="caffe")
