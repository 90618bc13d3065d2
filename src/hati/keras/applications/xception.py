"""Xception as `keras.applications.xception` has it."""

from ...network.architectures.xception import xception
from .building import Application, by_mode
from .imagenet_utils import decode_predictions

__all__ = ["Xception", "decode_predictions", "preprocess_input"]

Xception = Application("Xception", xception, smallest=71)
preprocess_input = by_mode("tf")
