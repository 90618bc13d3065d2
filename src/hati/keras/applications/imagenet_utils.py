"""Keras' `applications.imagenet_utils`: preprocessing by mode, and class names."""

from ...labels import decode_predictions
from ...preprocessing import preprocess_input

__all__ = ["decode_predictions", "preprocess_input"]
