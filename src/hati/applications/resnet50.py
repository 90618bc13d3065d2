"""ResNet50 as `keras.applications.resnet50` has it."""

from functools import partial

from ..architectures.resnet import resnet50
from ..labels import decode_predictions
from ..preprocessing import preprocess_input as by_mode
from .building import Application

__all__ = ["ResNet50", "decode_predictions", "preprocess_input"]

ResNet50 = Application("ResNet50", resnet50)
preprocess_input = partial(by_mode, mode="caffe")
