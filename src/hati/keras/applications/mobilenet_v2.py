"""MobileNetV2 as `keras.applications.mobilenet_v2` has it, in every width and at every input size of its weights."""

from ...network.architectures.mobilenet_v2 import mobilenet_v2
from .building import Application, by_mode
from .imagenet_utils import decode_predictions

__all__ = ["MobileNetV2", "decode_predictions", "preprocess_input"]

MobileNetV2 = Application(
    "MobileNetV2",
    mobilenet_v2,
    order="input_shape alpha include_top weights input_tensor pooling classes classifier_activation name",
    options={"alpha": 1.0},
    titled=lambda options, height: f"mobilenetv2_{options['alpha']:0.2f}_{height}",
)
preprocess_input = by_mode("tf")
