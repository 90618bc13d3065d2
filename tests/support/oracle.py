"""Keras 3 as the oracle: the same network there, with the same weights."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from networks import TALL, WIDE, Network

from hati.keras import applications
from hati.model import Model
from hati.network import summary
from hati.network.graph import Graph
from hati.network.layers import Add


def keras_twin(function: str, **options: Any) -> Any:
    """A model of keras.applications with random weights, its automatic names counted from the start."""
    import keras

    keras.backend.clear_session()
    build = nasnet_mobile if function == "NASNetMobile" else getattr(keras.applications, function)
    return build(weights=None, **options)


def nasnet_mobile(**options: Any) -> Any:
    """What Keras' own function builds; on PyTorch that one refuses to."""
    from keras.src.applications.nasnet import NASNet

    size = {"penultimate_filters": 1056, "num_blocks": 4, "stem_block_filters": 32, "skip_reduction": False}
    return NASNet(**{"name": "nasnet_mobile", "default_size": 224, "filter_multiplier": 2, **size, **options})


def twins(network: Network, **options: Any) -> tuple[Model, Any]:
    """A network here and in Keras, each with random weights of its own."""
    options = network.options | options
    model: Model = getattr(applications, network.function)(weights=None, **options)
    return model, keras_twin(network.function, **options)


def bodies(network: Network) -> Iterator[tuple[Model, Any, tuple[tuple[int, int], ...]]]:
    """The twins without their classifier, with the sizes of pictures to give them; NASNet is built for each size."""
    if not network.function.startswith("NASNet"):
        yield *twins(network, include_top=False), (WIDE, TALL)
        return
    for size in (WIDE, TALL):
        yield *twins(network, include_top=False, input_shape=(*size, 3)), (size,)


def is_same_network(model: Model, twin: Any) -> bool:
    """The same names in the same order, the same weights, the same counts, trainable and not, and the same batch norms.

    Of Keras, these are the names of the layers and of what it computes outside of any, such as x + 3; a nested
    Sequential's layers stand in its place.
    """
    theirs = [inner for operation in twin.operations for inner in getattr(operation, "layers", [operation])]
    trainable = sum(int(np.prod(weight.shape)) for weight in twin.trainable_weights)
    totals = summary.totals(model.graph)
    return (
        [layer.name for layer in model.layers] == [layer.name for layer in theirs]
        and list(model.graph.weights().values()) == [tuple(weight.shape) for weight in twin.weights]
        and (totals.parameters, totals.trainable) == (twin.count_params(), trainable)
        and batch_norms([node.layer for node in model.graph.nodes]) == batch_norms(theirs)
    )


def batch_norms(layers: Sequence[Any]) -> list[tuple[float, float]]:
    """How the running statistics follow and what is added to the variance, of one batch norm after the other."""
    return [(layer.momentum, layer.epsilon) for layer in layers if type(layer).__name__ == "BatchNormalization"]


def difference(model: Model, twin: Any, size: tuple[int, int]) -> float:
    """The largest difference between their outputs for two pictures, as a part of the largest output."""
    x = pictures(model, *size)
    expected = twin.predict(x, verbose=0)
    return float(np.abs(model.predict(x) - expected).max() / np.abs(expected).max())


def write_legacy(twin: Any, path: Path) -> None:
    """As the files that Keras publishes are written."""
    import h5py
    from keras.src.legacy.saving.legacy_h5_format import save_weights_to_hdf5_group

    with h5py.File(path, "w") as file:
        save_weights_to_hdf5_group(file, twin)


KERAS_FILES: dict[str, Callable[[Any, Path], None]] = {
    "model.h5": write_legacy,
    "model.weights.h5": lambda twin, path: twin.save_weights(path),
    "model.keras": lambda twin, path: twin.save(path),
}


def comes_from_keras(model: Model, twin: Any, path: Path) -> bool:
    """Whether a file that Keras writes brings its weights, bit for bit; the file is removed."""
    KERAS_FILES[path.name](twin, path)
    model.set_weights([np.zeros_like(array) for array in twin.get_weights()])
    model.load_weights(path)
    path.unlink()
    return all(map(np.array_equal, model.get_weights(), twin.get_weights()))


def goes_to_keras(model: Model, twin: Any, path: Path) -> bool:
    """Whether Keras gets the model's weights, bit for bit, out of a file written here; the file is removed."""
    model.save_weights(path)
    twin.set_weights([np.zeros_like(array) for array in twin.get_weights()])
    twin.load_weights(path)
    path.unlink()
    return all(map(np.array_equal, twin.get_weights(), model.get_weights()))


SPREAD = 60  # of pixels less their mean: the first kernel of a network that takes such pixels is divided by it


# together they let a batch norm keep the spread of values: the mean of gamma² / variance is 1
RANGES = {"gamma": (0.5, 1.35), "moving_variance": (0.5, 1.5), "variance": (0.5, 1.5)}


def lively(graph: Graph, seed: int = 0) -> dict[str, np.ndarray]:
    """Weights under which every layer matters, and no score is 0 or 1.

    Kernels keep the spread of values, batch norm is away from 1 and 0, and smaller where a sum would grow.
    """
    generator = np.random.default_rng(seed)

    def array(key: str, shape: tuple[int, ...]) -> np.ndarray:
        if not key.endswith("kernel"):
            return generator.uniform(*RANGES.get(key, (-0.2, 0.2)), shape).astype(np.float32)
        fan_in = np.prod(shape[:2]) if len(shape) == 4 and shape[3] == 1 else np.prod(shape[:-1])
        gain = 1 if key == "depthwise_kernel" else 2  # 2 where half of the values go to 0 behind it
        kernel = generator.standard_normal(shape, np.float32)
        kernel *= np.float32((gain / fan_in) ** 0.5)
        return kernel

    arrays = {name: array(name.rpartition("/")[2], shape) for name, shape in graph.weights().items()}
    for name in summed(graph):
        for key in ("gamma", "kernel"):
            if f"{name}/{key}" in arrays:
                arrays[f"{name}/{key}"] *= np.float32(0.3)
                break
    return arrays


def summed(graph: Graph) -> set[str]:
    """The layers with weights whose output goes into a sum, at most through layers without any."""
    found = set()
    for total in graph.nodes:
        for node in total.inputs if isinstance(total.layer, Add) else ():
            while len(node.inputs) == 1 and not node.weights():
                (node,) = node.inputs
            found.add(node.name)
    return found


def give_same_weights(model: Model, twin: Any) -> None:
    """Into Keras by `set_weights`, and from Keras' own `get_weights` into hati."""
    arrays = lively(model.graph)
    if model.preprocessing.normalisation == "caffe":
        arrays[next(iter(arrays))] /= SPREAD
    twin.set_weights(list(arrays.values()))
    for layer in twin.layers:
        if hasattr(layer, "finalize_state"):  # Normalization works with copies of its weights
            layer.finalize_state()
    model.set_weights(twin.get_weights())


def pictures(model: Model, *size: int, seed: int = 1) -> np.ndarray:
    """Two preprocessed pictures with the values of a real one."""
    pixels = np.random.default_rng(seed).integers(0, 256, (2, *size, 3))
    return model.normalisation(pixels)
