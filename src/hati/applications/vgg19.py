"""VGG19 as `keras.applications.vgg19` has it."""

from functools import partial

from ..architectures.vgg import vgg19
from ..labels import decode_predictions
from ..preprocessing import preprocess_input as by_mode
from .building import Application

__all__ = ["VGG19", "decode_predictions", "preprocess_input"]

VGG19 = Application("VGG19", vgg19)
preprocess_input = partial(by_mode, mode="caffe")
