"""InceptionV3 as `keras.applications.inception_v3` has it."""

from ...network.architectures.inception_v3 import inception_v3
from .building import Application, by_mode
from .imagenet_utils import decode_predictions

__all__ = ["InceptionV3", "decode_predictions", "preprocess_input"]

InceptionV3 = Application("InceptionV3", inception_v3, smallest=75)
preprocess_input = by_mode("tf")
