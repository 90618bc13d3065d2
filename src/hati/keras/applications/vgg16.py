"""VGG16 as `keras.applications.vgg16` has it."""

from functools import partial

from ...network.architectures.vgg import vgg
from .building import Application, by_mode
from .imagenet_utils import decode_predictions

__all__ = ["VGG16", "decode_predictions", "preprocess_input"]

VGG16 = Application("VGG16", partial(vgg, name="vgg16"))
preprocess_input = by_mode("caffe")
