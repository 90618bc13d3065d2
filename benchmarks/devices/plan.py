"""Which models are exported, with which photos, and how often."""

from dataclasses import dataclass
from pathlib import Path

import hati
from hati.model import Model

REAL = ("MobileNet_0.25_224", "EfficientNetLite0", "EfficientNetLite1", "EfficientNetLite2")
SMALLEST, DEFAULT = REAL[:2]
FAMILIES = (
    "MobileNet", "MobileNetV2", "MobileNetV3Small", "MobileNetV3Large", "EfficientNetB0", "EfficientNetB1",
    "EfficientNetB2", "EfficientNetV2B0", "EfficientNetLite0", "NASNetMobile", "DenseNet121", "ResNet50", "ResNet50V2",
    "InceptionV3", "VGG16", "Xception",
)  # fmt: skip
CALIBRATING = 128  # photos of the 400; the others check
FEWER = (8, 32)  # photos to calibrate on


@dataclass(frozen=True)
class Effort:
    seeds: int  # ways to part the photos
    families: tuple[str, ...]


FULL = Effort(5, FAMILIES)
QUICK = Effort(1, FAMILIES[:2])


@dataclass(frozen=True)
class Photos:
    """The folder of all data."""

    folder: Path

    @property
    def labelled(self) -> Path:
        return self.folder / "imagenet_ccby"

    @property
    def mobilenet(self) -> Path:
        return self.folder / "mobilenet_2_5_224_tf.h5"

    def load(self, name: str) -> Model:
        """A model with its published weights."""
        return hati.load(name, weights=self.mobilenet if name == SMALLEST else "imagenet")
