"""EfficientNetLite0, 1 and 2, in the shape of `keras.applications`; their pixels go through (x - 127) / 128."""

from functools import partial

from ..architectures.efficientnet_lite import efficientnet_lite0, efficientnet_lite1, efficientnet_lite2, pytorch_names
from ..labels import decode_predictions
from ..preprocessing import preprocess_input as by_mode
from .building import Application

__all__ = ["EfficientNetLite0", "EfficientNetLite1", "EfficientNetLite2", "decode_predictions", "preprocess_input"]

EfficientNetLite0 = Application("EfficientNetLite0", efficientnet_lite0, pytorch_names=pytorch_names)
EfficientNetLite1 = Application("EfficientNetLite1", efficientnet_lite1, pytorch_names=pytorch_names)
EfficientNetLite2 = Application("EfficientNetLite2", efficientnet_lite2, pytorch_names=pytorch_names)
preprocess_input = partial(by_mode, mode="lite")
