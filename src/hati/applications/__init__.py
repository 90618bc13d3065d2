"""Keras Applications' front: each module has its models, their `preprocess_input` and `decode_predictions`."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .efficientnet_lite import EfficientNetLite0, EfficientNetLite1, EfficientNetLite2
    from .inception_v3 import InceptionV3
    from .mobilenet import MobileNet
    from .resnet50 import ResNet50
    from .vgg16 import VGG16
    from .vgg19 import VGG19

__all__ = [
    "VGG16",
    "VGG19",
    "EfficientNetLite0",
    "EfficientNetLite1",
    "EfficientNetLite2",
    "InceptionV3",
    "MobileNet",
    "ResNet50",
]


def __getattr__(name: str) -> Any:
    from ..catalog import entries

    for entry in entries().values():
        if entry.function == name:
            return getattr(import_module(f".{entry.module}", __name__), name)
    if not name.startswith("_"):
        try:
            return import_module(f".{name}", __name__)
        except ModuleNotFoundError:
            pass
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
