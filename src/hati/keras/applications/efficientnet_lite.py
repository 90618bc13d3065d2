"""EfficientNetLite0, 1 and 2, in the shape of `keras.applications`; their pixels go through (x - 127) / 128."""

from functools import partial

from ...network.architectures.efficientnet_lite import efficientnet_lite, pytorch_names
from .building import Application, by_mode
from .imagenet_utils import decode_predictions

__all__ = ["EfficientNetLite0", "EfficientNetLite1", "EfficientNetLite2", "decode_predictions", "preprocess_input"]

Lite = partial(Application, pytorch_names=pytorch_names)
EfficientNetLite0 = Lite("EfficientNetLite0", partial(efficientnet_lite, name="efficientnet_lite0"))
EfficientNetLite1 = Lite("EfficientNetLite1", partial(efficientnet_lite, name="efficientnet_lite1"))
EfficientNetLite2 = Lite("EfficientNetLite2", partial(efficientnet_lite, name="efficientnet_lite2"))
preprocess_input = by_mode("lite")
