"""Pretrained image models: a photo to its names, to features, to a small device.

import hati

model = hati.load()  # EfficientNetLite0, offline after installation
model.classify("photo.jpg", top=3)
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from . import keras
    from .choosing import Choice, choose
    from .errors import (
        ArgumentError,
        GraphError,
        HatiError,
        ImageError,
        ImageNotFound,
        ImageTooLarge,
        InputError,
        InputWarning,
        LabelsError,
        PrecisionWarning,
        TrainingError,
        TrainingStopped,
        UnknownModel,
        WeightsError,
        WeightsUnavailable,
    )
    from .evaluating import Evaluation, evaluate
    from .exporting import Exported, export
    from .labels import Label, Prediction
    from .loading import ModelCard, list_models, load
    from .model import Answer, Model
    from .optimising import Optimised, optimise
    from .transfer.finetuning import Recipe
    from .transfer.teaching import teach
    from .transfer.training import Trained, train

__version__ = "0.1.0"
DEFAULT_MODEL = "EfficientNetLite0"  # small, and offline after installation

# Every public name and the module that it comes from, on its first use: an import of hati brings nothing else.
_HOMES = {
    "Answer": "model",
    "ArgumentError": "errors",
    "Choice": "choosing",
    "Evaluation": "evaluating",
    "Exported": "exporting",
    "GraphError": "errors",
    "HatiError": "errors",
    "ImageError": "errors",
    "ImageNotFound": "errors",
    "ImageTooLarge": "errors",
    "InputError": "errors",
    "InputWarning": "errors",
    "Label": "labels",
    "LabelsError": "errors",
    "Model": "model",
    "ModelCard": "loading",
    "Optimised": "optimising",
    "Prediction": "labels",
    "PrecisionWarning": "errors",
    "Recipe": "transfer.finetuning",
    "Trained": "transfer.training",
    "TrainingError": "errors",
    "TrainingStopped": "errors",
    "UnknownModel": "errors",
    "WeightsError": "errors",
    "WeightsUnavailable": "errors",
    "choose": "choosing",
    "evaluate": "evaluating",
    "export": "exporting",
    "list_models": "loading",
    "load": "loading",
    "optimise": "optimising",
    "teach": "transfer.teaching",
    "train": "transfer.training",
}
__all__ = [
    "DEFAULT_MODEL",
    "Answer",
    "ArgumentError",
    "Choice",
    "Evaluation",
    "Exported",
    "GraphError",
    "HatiError",
    "ImageError",
    "ImageNotFound",
    "ImageTooLarge",
    "InputError",
    "InputWarning",
    "Label",
    "LabelsError",
    "Model",
    "ModelCard",
    "Optimised",
    "PrecisionWarning",
    "Prediction",
    "Recipe",
    "Trained",
    "TrainingError",
    "TrainingStopped",
    "UnknownModel",
    "WeightsError",
    "WeightsUnavailable",
    "__version__",
    "choose",
    "evaluate",
    "export",
    "keras",
    "list_models",
    "load",
    "optimise",
    "teach",
    "train",
]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(f".{_HOMES[name]}", __name__), name)
    if name == "keras":
        return import_module(f".{name}", __name__)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
