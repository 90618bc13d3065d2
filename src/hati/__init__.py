"""Pretrained image models: a photo to its names, to features, to a small device.

import hati

model = hati.load()  # EfficientNetLite0, offline after installation
model.classify("photo.jpg", top=3)
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from . import keras
    from .choosing import choose
    from .errors import HatiError
    from .evaluating import Evaluation, evaluate
    from .exporting import Exported, export
    from .int8.optimising import optimise
    from .labels import Prediction
    from .loading import load, models
    from .model import Answer, Model
    from .transfer.teaching import teach
    from .transfer.training import train

__version__ = "0.1.0"
DEFAULT_MODEL = "EfficientNetLite0"  # small, and offline after installation
__all__ = [
    "DEFAULT_MODEL",
    "Answer",
    "Evaluation",
    "Exported",
    "HatiError",
    "Model",
    "Prediction",
    "__version__",
    "choose",
    "evaluate",
    "export",
    "keras",
    "load",
    "models",
    "optimise",
    "teach",
    "train",
]

_HOMES = {
    "Answer": "model",
    "Evaluation": "evaluating",
    "Exported": "exporting",
    "HatiError": "errors",
    "Model": "model",
    "Prediction": "labels",
    "choose": "choosing",
    "evaluate": "evaluating",
    "export": "exporting",
    "load": "loading",
    "models": "loading",
    "optimise": "int8.optimising",
    "teach": "transfer.teaching",
    "train": "transfer.training",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(f".{_HOMES[name]}", __name__), name)
    if name in __all__:
        return import_module(f".{name}", __name__)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
