"""ResNet50V2, 101V2 and 152V2 as `keras.applications.resnet_v2` has them."""

from functools import partial

from ...network.architectures.resnet_v2 import resnet_v2
from .building import Application, by_mode
from .imagenet_utils import decode_predictions

__all__ = ["ResNet50V2", "ResNet101V2", "ResNet152V2", "decode_predictions", "preprocess_input"]

ResNet50V2 = Application("ResNet50V2", partial(resnet_v2, name="resnet50v2"))
ResNet101V2 = Application("ResNet101V2", partial(resnet_v2, name="resnet101v2"))
ResNet152V2 = Application("ResNet152V2", partial(resnet_v2, name="resnet152v2"))
preprocess_input = by_mode("tf")
