"""ResNet50, 101 and 152 as `keras.applications.resnet` has them."""

from functools import partial

from ...network.architectures.resnet import resnet
from .building import Application, by_mode
from .imagenet_utils import decode_predictions

__all__ = ["ResNet50", "ResNet101", "ResNet152", "decode_predictions", "preprocess_input"]

ResNet50 = Application("ResNet50", partial(resnet, name="resnet50"))
ResNet101 = Application("ResNet101", partial(resnet, name="resnet101"))
ResNet152 = Application("ResNet152", partial(resnet, name="resnet152"))
preprocess_input = by_mode("caffe")
