"""Keras Applications' front: each module has its models, their `preprocess_input` and `decode_predictions`."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .convnext import ConvNeXtBase, ConvNeXtLarge, ConvNeXtSmall, ConvNeXtTiny, ConvNeXtXLarge
    from .densenet import DenseNet121, DenseNet169, DenseNet201
    from .efficientnet import (
        EfficientNetB0,
        EfficientNetB1,
        EfficientNetB2,
        EfficientNetB3,
        EfficientNetB4,
        EfficientNetB5,
        EfficientNetB6,
        EfficientNetB7,
    )
    from .efficientnet_lite import EfficientNetLite0, EfficientNetLite1, EfficientNetLite2
    from .efficientnet_v2 import (
        EfficientNetV2B0,
        EfficientNetV2B1,
        EfficientNetV2B2,
        EfficientNetV2B3,
        EfficientNetV2L,
        EfficientNetV2M,
        EfficientNetV2S,
    )
    from .inception_resnet_v2 import InceptionResNetV2
    from .inception_v3 import InceptionV3
    from .mobilenet import MobileNet
    from .mobilenet_v2 import MobileNetV2
    from .mobilenet_v3 import MobileNetV3Large, MobileNetV3Small
    from .nasnet import NASNetLarge, NASNetMobile
    from .resnet import ResNet50, ResNet101, ResNet152
    from .resnet_v2 import ResNet50V2, ResNet101V2, ResNet152V2
    from .vgg16 import VGG16
    from .vgg19 import VGG19
    from .xception import Xception

# fmt: off
__all__ = [
    "VGG16", "VGG19", "ConvNeXtBase", "ConvNeXtLarge", "ConvNeXtSmall", "ConvNeXtTiny", "ConvNeXtXLarge",
    "DenseNet121", "DenseNet169", "DenseNet201", "EfficientNetB0", "EfficientNetB1", "EfficientNetB2",
    "EfficientNetB3", "EfficientNetB4", "EfficientNetB5", "EfficientNetB6", "EfficientNetB7", "EfficientNetLite0",
    "EfficientNetLite1", "EfficientNetLite2", "EfficientNetV2B0", "EfficientNetV2B1", "EfficientNetV2B2",
    "EfficientNetV2B3", "EfficientNetV2L", "EfficientNetV2M", "EfficientNetV2S", "InceptionResNetV2", "InceptionV3",
    "MobileNet", "MobileNetV2", "MobileNetV3Large", "MobileNetV3Small", "NASNetLarge", "NASNetMobile", "ResNet50",
    "ResNet50V2", "ResNet101", "ResNet101V2", "ResNet152", "ResNet152V2", "Xception",
]
# fmt: on


def __getattr__(name: str) -> Any:
    from ...catalog import entries

    for entry in entries().values():
        if entry.function == name:
            return getattr(import_module(f".{entry.module}", __name__), name)
    if not name.startswith("_"):
        try:
            return import_module(f".{name}", __name__)
        except ModuleNotFoundError:
            pass
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
