"""Every network of Keras Applications, and where it is compared: options, square size with a classifier."""

from dataclasses import dataclass, field
from typing import Any

WIDE, TALL = (79, 110), (96, 75)  # height and width in pixels, without a classifier


@dataclass(frozen=True)
class Network:
    function: str
    size: int = 64  # of the picture, with a classifier
    options: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return " ".join((self.function, *(f"{key}={value}" for key, value in self.options.items())))


FORTY = (
    Network("Xception", 71),
    Network("VGG16"),
    Network("VGG19"),
    Network("ResNet50"),
    Network("ResNet101"),
    Network("ResNet152"),
    Network("ResNet50V2"),
    Network("ResNet101V2"),
    Network("ResNet152V2"),
    Network("InceptionV3", 75),
    Network("InceptionResNetV2", 75),
    Network("MobileNet"),
    Network("MobileNetV2"),
    Network("MobileNetV3Small"),
    Network("MobileNetV3Large"),
    Network("DenseNet121"),
    Network("DenseNet169"),
    Network("DenseNet201"),
    Network("NASNetMobile"),
    Network("NASNetLarge"),
    *(Network(f"EfficientNetB{number}") for number in range(8)),
    *(Network(f"EfficientNetV2{kind}") for kind in ("B0", "B1", "B2", "B3", "S", "M", "L")),
    *(Network(f"ConvNeXt{size}") for size in ("Tiny", "Small", "Base", "Large", "XLarge")),
)
VARIANTS = (
    Network("MobileNet", options={"alpha": 0.25}),
    Network("MobileNet", options={"alpha": 0.5}),
    Network("MobileNet", options={"alpha": 0.75, "depth_multiplier": 2}),
    Network("MobileNet", options={"alpha": 1.3}),
    *(Network("MobileNetV2", options={"alpha": alpha}) for alpha in (0.35, 0.5, 0.75, 1.3, 1.4)),
    Network("MobileNetV3Small", options={"alpha": 0.75}),
    Network("MobileNetV3Small", options={"minimalistic": True}),
    Network("MobileNetV3Large", options={"alpha": 1.25, "dropout_rate": 0}),
    Network("MobileNetV3Large", options={"minimalistic": True, "include_preprocessing": False}),
    Network("EfficientNetV2B0", options={"include_preprocessing": False}),
    Network("EfficientNetV2S", options={"include_preprocessing": False}),
    Network("ConvNeXtTiny", options={"include_preprocessing": False}),
    Network("ConvNeXtTiny", options={"name": "mine"}),
)
