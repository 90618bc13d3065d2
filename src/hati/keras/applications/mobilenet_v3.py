"""MobileNetV3, Small and Large. Keras names its module `keras.src.applications.mobilenet_v3`."""

from functools import partial

from ...network.architectures.mobilenet_v3 import mobilenet_v3
from .building import Application
from .building import unchanged as preprocess_input
from .imagenet_utils import decode_predictions

__all__ = ["MobileNetV3Large", "MobileNetV3Small", "decode_predictions", "preprocess_input"]

Version3 = partial(
    Application,
    order="input_shape alpha minimalistic include_top weights input_tensor classes pooling dropout_rate "
    "classifier_activation include_preprocessing name",
    options={"alpha": 1.0, "minimalistic": False, "dropout_rate": 0.2, "include_preprocessing": True},
    size="open",
    without_preprocessing="tf",
)
MobileNetV3Small = Version3("MobileNetV3Small", partial(mobilenet_v3, name="MobileNetV3Small"))
MobileNetV3Large = Version3("MobileNetV3Large", partial(mobilenet_v3, name="MobileNetV3Large"))
