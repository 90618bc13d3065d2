"""Keras 3 as the oracle: the same network there, with the same weights."""

from typing import Any

import numpy as np

from hati.graph import Graph
from hati.layers import Add
from hati.model import Model


def keras_twin(function: str, **options: Any) -> Any:
    """A model of keras.applications with random weights, its automatic names counted from the start."""
    import keras

    keras.backend.clear_session()
    return getattr(keras.applications, function)(weights=None, **options)


SPREAD = 60  # of pixels less their mean: the first kernel of a network that takes such pixels is divided by it


def lively(graph: Graph, seed: int = 0) -> dict[str, np.ndarray]:
    """Weights under which every layer matters, and no score is 0 or 1.

    Kernels keep the spread of values, batch norm is away from 1 and 0, and smaller where a sum would grow.
    """
    generator = np.random.default_rng(seed)
    summed = {x.name for node in graph.nodes if isinstance(node.layer, Add) for x in node.inputs}

    def array(key: str, shape: tuple[int, ...]) -> np.ndarray:
        if key != "kernel":
            low, high = (0.5, 1.5) if key in ("gamma", "moving_variance") else (-0.2, 0.2)
            return generator.uniform(low, high, shape).astype(np.float32)
        fan_in = np.prod(shape[:2]) if len(shape) == 4 and shape[3] == 1 else np.prod(shape[:-1])
        return generator.normal(0, (2 / fan_in) ** 0.5, shape).astype(np.float32)

    arrays = {name: array(name.rpartition("/")[2], shape) for name, shape in graph.weights().items()}
    for name in summed:
        if f"{name}/gamma" in arrays:
            arrays[f"{name}/gamma"] *= 0.3
    return arrays


def give_same_weights(model: Model, twin: Any) -> None:
    """Into Keras by `set_weights`, and from Keras' own `get_weights` into hati."""
    arrays = lively(model.graph)
    if model.preprocessing.normalisation == "caffe":
        arrays[next(iter(arrays))] /= SPREAD
    twin.set_weights(list(arrays.values()))
    model.set_weights(twin.get_weights())


def pictures(model: Model, *size: int, seed: int = 1) -> np.ndarray:
    """Two preprocessed pictures with the values of a real one."""
    pixels = np.random.default_rng(seed).integers(0, 256, (2, *size, 3))
    return model.normalisation(pixels)
