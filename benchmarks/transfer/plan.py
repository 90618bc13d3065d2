"""What is measured, on which photos, and how much of it."""

from dataclasses import dataclass
from pathlib import Path

SETS = ("hymenoptera", "flowers")
METHODS = ("imprint", "probe", "finetune")
COUNTS = (1, 2, 5, 10, 20, 40)  # photos of each class, along the curve
SHOTS = (1, 5)  # photos that a class is taught from


@dataclass(frozen=True)
class Effort:
    """How much of everything."""

    rounds: int  # of new processes that are timed in turns
    seeds: int  # of fine-tuning on all photos
    draws: int  # of photos, for each point of the curve
    counts: tuple[int, ...]


FULL = Effort(rounds=3, seeds=3, draws=10, counts=COUNTS)
QUICK = Effort(rounds=1, seeds=1, draws=2, counts=COUNTS[:3])


@dataclass(frozen=True)
class Photos:
    """The folder of all sets; each has a part to learn from and a part to validate with."""

    folder: Path

    def train(self, name: str) -> Path:
        return self.folder / name / "train"

    def val(self, name: str) -> Path:
        return self.folder / name / "val"

    @property
    def mobilenet(self) -> Path:
        """The weights of MobileNet, a quarter as wide, for pictures of 224 pixels."""
        return self.folder / "mobilenet_2_5_224_tf.h5"
