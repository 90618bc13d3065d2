"""The same as `applications.resnet50`, under Keras' other name for it."""

from .resnet50 import ResNet50, decode_predictions, preprocess_input

__all__ = ["ResNet50", "decode_predictions", "preprocess_input"]
