"""InceptionResNetV2 as `keras.applications.inception_resnet_v2` has it."""

from ...network.architectures.inception_resnet_v2 import inception_resnet_v2
from .building import Application, by_mode
from .imagenet_utils import decode_predictions

__all__ = ["InceptionResNetV2", "decode_predictions", "preprocess_input"]

InceptionResNetV2 = Application("InceptionResNetV2", inception_resnet_v2, smallest=75)
preprocess_input = by_mode("tf")
