"""MobileNet as `keras.applications.mobilenet` has it, in every width and at every input size of its weights."""

from ...network.architectures.mobilenet import mobilenet
from .building import Application, by_mode
from .imagenet_utils import decode_predictions

__all__ = ["MobileNet", "decode_predictions", "preprocess_input"]

MobileNet = Application(
    "MobileNet",
    mobilenet,
    order="input_shape alpha depth_multiplier dropout include_top weights input_tensor pooling classes "
    "classifier_activation name",
    options={"alpha": 1.0, "depth_multiplier": 1, "dropout": 1e-3},
    titled=lambda options, height: f"mobilenet_{options['alpha']:0.2f}_{height}",
)
preprocess_input = by_mode("tf")
