"""EfficientNetV2, B0 to B3 and S, M, L, as `keras.applications.efficientnet_v2` has them."""

from functools import partial

from ...network.architectures.efficientnet_v2 import efficientnet_v2
from .building import Application
from .building import unchanged as preprocess_input
from .imagenet_utils import decode_predictions

__all__ = [
    "EfficientNetV2B0", "EfficientNetV2B1", "EfficientNetV2B2", "EfficientNetV2B3", "EfficientNetV2L",
    "EfficientNetV2M", "EfficientNetV2S", "decode_predictions", "preprocess_input",
]  # fmt: skip

Version2 = partial(
    Application,
    order="include_top weights input_tensor input_shape pooling classes classifier_activation include_preprocessing "
    "name",
    options={"include_preprocessing": True},
    without_preprocessing="torch",
)
Larger = partial(Version2, without_preprocessing="tf128")
EfficientNetV2B0 = Version2("EfficientNetV2B0", partial(efficientnet_v2, name="efficientnetv2-b0"))
EfficientNetV2B1 = Version2("EfficientNetV2B1", partial(efficientnet_v2, name="efficientnetv2-b1"))
EfficientNetV2B2 = Version2("EfficientNetV2B2", partial(efficientnet_v2, name="efficientnetv2-b2"))
EfficientNetV2B3 = Version2("EfficientNetV2B3", partial(efficientnet_v2, name="efficientnetv2-b3"))
EfficientNetV2S = Larger("EfficientNetV2S", partial(efficientnet_v2, name="efficientnetv2-s"))
EfficientNetV2M = Larger("EfficientNetV2M", partial(efficientnet_v2, name="efficientnetv2-m"))
EfficientNetV2L = Larger("EfficientNetV2L", partial(efficientnet_v2, name="efficientnetv2-l"))
