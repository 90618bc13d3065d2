"""VGG19 as `keras.applications.vgg19` has it."""

from functools import partial

from ...network.architectures.vgg import vgg
from .building import Application, by_mode
from .imagenet_utils import decode_predictions

__all__ = ["VGG19", "decode_predictions", "preprocess_input"]

VGG19 = Application("VGG19", partial(vgg, name="vgg19"))
preprocess_input = by_mode("caffe")
