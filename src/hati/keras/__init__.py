"""Keras' front: a lesson changes the word `tensorflow` to `hati`, or `import keras` to `from hati import keras`."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from . import applications, preprocessing, utils

__all__ = ["applications", "preprocessing", "utils"]


def __getattr__(name: str) -> Any:
    if name in __all__:
        return import_module(f".{name}", __name__)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
