"""InceptionV3 as `keras.applications.inception_v3` has it."""

from functools import partial

from ..architectures.inception_v3 import inception_v3
from ..labels import decode_predictions
from ..preprocessing import preprocess_input as by_mode
from .building import Application

__all__ = ["InceptionV3", "decode_predictions", "preprocess_input"]

InceptionV3 = Application("InceptionV3", inception_v3, smallest=75)
preprocess_input = partial(by_mode, mode="tf")
