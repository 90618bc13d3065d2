"""What hati writes: Keras loads it, hati loads it, and it appears whole or not at all."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from oracle import give_same_weights, keras_twin, lively, pictures

import hati
from hati.errors import ArgumentError, WeightsError
from hati.keras.applications import MobileNet
from hati.network.graph import Graph
from hati.network.layers import (
    Activation,
    BatchNormalization,
    Conv2D,
    Dense,
    DepthwiseConv2D,
    GlobalAveragePooling2D,
    InputLayer,
    LayerNormalization,
    Normalization,
    SeparableConv2D,
)
from hati.weights import Arrays, from_file, writing


def network() -> Graph:
    """Every kind of layer with weights, two Sequentials, and automatic names."""
    x = Normalization()(InputLayer((16, 16, 3))())
    x = Conv2D(4, 3)(x, name="stem_conv", group="stem")
    x = BatchNormalization()(x, name="stem_bn", group="stem")
    x = LayerNormalization()(x, name="stem_norm", group="stem")
    x = Activation("relu")(Conv2D(6, 1)(x))
    x = LayerNormalization()(x, name="down_norm", group="down")
    x = Conv2D(5, 1, use_bias=False)(x, name="down_conv", group="down")
    for _ in range(12):
        x = Conv2D(5, 1)(x)
    x = BatchNormalization(scale=False)(SeparableConv2D(4, 3)(x))
    x = GlobalAveragePooling2D()(DepthwiseConv2D(3)(x))
    return Graph(Dense(3, "softmax")(Dense(7)(x), name="predictions"), "network")


def twin() -> Any:
    """The same network in Keras, its automatic names counted from where they stand."""
    import keras

    layers = keras.layers
    image = keras.Input((16, 16, 3))
    stem = [
        layers.Conv2D(4, 3, name="stem_conv"),
        layers.BatchNormalization(name="stem_bn"),
        layers.LayerNormalization(name="stem_norm"),
    ]
    x = keras.Sequential(stem, name="stem")(layers.Normalization()(image))
    x = layers.Activation("relu")(layers.Conv2D(6, 1)(x))
    down = [layers.LayerNormalization(name="down_norm"), layers.Conv2D(5, 1, use_bias=False, name="down_conv")]
    x = keras.Sequential(down, name="down")(x)
    for _ in range(12):
        x = layers.Conv2D(5, 1)(x)
    x = layers.BatchNormalization(scale=False)(layers.SeparableConv2D(4, 3)(x))
    x = layers.GlobalAveragePooling2D()(layers.DepthwiseConv2D(3)(x))
    return keras.Model(image, layers.Dense(3, "softmax", name="predictions")(layers.Dense(7)(x)), name="network")


@pytest.fixture
def arrays() -> Arrays:
    arrays = lively(network())
    return arrays | {"normalization/count": np.array(12, np.float32)}


def assert_same(found: Arrays, expected: Arrays) -> None:
    assert list(found) == list(expected)
    for name, array in expected.items():
        np.testing.assert_array_equal(found[name], array, err_msg=name)


def test_keras_loads_what_is_written(tmp_path: Path, arrays: Arrays) -> None:
    writing.write_weights(tmp_path / "a.weights.h5", arrays, network())
    for model in (twin(), twin()):
        model.load_weights(tmp_path / "a.weights.h5")
        for found, array in zip(model.get_weights(), arrays.values(), strict=True):
            np.testing.assert_array_equal(found, array)


def layout(path: Path) -> dict[str, tuple[Any, ...]]:
    """Everything in a file, by its path: what it is, and the name that it bears."""
    found: dict[str, tuple[Any, ...]] = {}

    def visit(name: str, item: Any) -> None:
        found[name] = (getattr(item, "shape", None), item.attrs.get("name"))

    with h5py.File(path) as file:
        file.visititems(visit)
    return found


def test_the_layout_is_keras_own(tmp_path: Path, arrays: Arrays) -> None:
    import keras

    keras.backend.clear_session()
    twin().save_weights(tmp_path / "theirs.weights.h5")
    writing.write_weights(tmp_path / "ours.weights.h5", arrays, network())
    assert layout(tmp_path / "ours.weights.h5") == layout(tmp_path / "theirs.weights.h5")


def keras_weights(model: Any, path: Path) -> None:
    model.save_weights(path)


def keras_weights_without_names(model: Any, path: Path) -> None:
    """As Keras 3 wrote them at first."""
    model.save_weights(path)
    with h5py.File(path, "a") as file:
        file.visititems(lambda _, item: item.attrs.pop("name", None) and None)


def keras_archive(model: Any, path: Path) -> None:
    model.save(path)


def legacy_weights(model: Any, path: Path) -> None:
    from keras.src.legacy.saving.legacy_h5_format import save_weights_to_hdf5_group

    with h5py.File(path, "w") as file:
        save_weights_to_hdf5_group(file, model)


@pytest.mark.parametrize("fresh", [True, False], ids=["names from the start", "names counted on"])
@pytest.mark.parametrize(
    ("save", "name"),
    [
        (keras_weights, "a.weights.h5"),
        (keras_weights_without_names, "a.weights.h5"),
        (keras_archive, "a.keras"),
        (legacy_weights, "a.h5"),
    ],
)
def test_what_keras_writes_is_read(
    tmp_path: Path, arrays: Arrays, save: Callable[[Any, Path], None], name: str, fresh: bool
) -> None:
    import keras

    keras.backend.clear_session()
    model = twin() if fresh else [twin(), twin()][1]
    model.set_weights(list(arrays.values()))
    save(model, tmp_path / name)
    assert_same(from_file(tmp_path / name, network()).arrays(), arrays)


@pytest.mark.parametrize("ending", [".weights.h5", ".safetensors"])
def test_what_is_written_is_read(tmp_path: Path, arrays: Arrays, ending: str) -> None:
    path = tmp_path / f"a{ending}"
    writing.write_weights(path, arrays, network())
    assert_same(from_file(path, network()).arrays(), arrays)
    assert os.listdir(tmp_path) == [path.name]


@pytest.mark.parametrize(
    ("function", "size", "options"),
    [("MobileNet", 64, {"alpha": 0.25}), ("ResNet50", 64, {}), ("InceptionV3", 96, {})],
)
def test_a_keras_model_answers_as_the_model_that_was_written(
    tmp_path: Path, function: str, size: int, options: dict[str, Any]
) -> None:
    options |= {"input_shape": (size, size, 3), "classes": 7}
    model, theirs = hati.load(function, weights=None, **options), keras_twin(function, **options)
    give_same_weights(model, theirs)
    model.save_weights(tmp_path / "a.weights.h5")
    expected = theirs.get_weights()
    theirs.set_weights([np.zeros_like(array) for array in expected])
    theirs.load_weights(tmp_path / "a.weights.h5")
    assert all(map(np.array_equal, theirs.get_weights(), expected))
    x = pictures(model, size, size)
    np.testing.assert_allclose(theirs.predict(x, verbose=0), model.predict(x), atol=1e-5)


@pytest.mark.parametrize("name", ["a.h5", "a.keras", "a.pth", "weights.h5", "safetensors", "a"])
def test_another_ending_is_refused(tmp_path: Path, arrays: Arrays, name: str) -> None:
    with pytest.raises(ArgumentError, match=r"a file whose name ends in \.weights\.h5 or \.safetensors"):
        writing.write_weights(tmp_path / name, arrays, network())
    assert not os.listdir(tmp_path)


@pytest.mark.parametrize("ending", [".weights.h5", ".safetensors"])
def test_a_place_that_cannot_be_written_to_is_named(tmp_path: Path, arrays: Arrays, ending: str) -> None:
    path = tmp_path / "lost" / f"a{ending}"
    with pytest.raises(WeightsError) as refused:
        writing.write_weights(path, arrays, network())
    assert str(refused.value).startswith(f"{path}: it cannot be written (")


@pytest.mark.parametrize("ending", [".weights.h5", ".safetensors"])
def test_writing_that_breaks_off_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, arrays: Arrays, ending: str
) -> None:
    path = tmp_path / f"a{ending}"
    path.write_bytes(b"the old one")
    del arrays["predictions/bias"]
    broken = arrays | {"predictions/bias": None}
    with pytest.raises((AttributeError, TypeError)):
        writing.write_weights(path, broken, network())  # type: ignore[arg-type]
    assert os.listdir(tmp_path) == [path.name]
    assert path.read_bytes() == b"the old one"


ON_A_SMALL_DISK = """
import resource, signal, sys
from hati.keras.applications import MobileNet
from hati.errors import WeightsError
import h5py

model = MobileNet(alpha=0.25, weights=None, input_shape=(32, 32, 3))
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]),) * 2)
try:
    model.save_weights(sys.argv[2])
except WeightsError as error:
    print(error)
"""


@pytest.mark.parametrize("name", ["mine.weights.h5", "mine.safetensors"])
@pytest.mark.parametrize("room", [0, 1000, 300_000, 1_500_000])
def test_a_full_disk_is_told_of_and_nothing_is_left(tmp_path: Path, name: str, room: int) -> None:
    """In a process of its own: libhdf5 ends the process where the last writes of a file fail."""
    command = [sys.executable, "-c", ON_A_SMALL_DISK, str(room), str(tmp_path / name)]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    said = f"{tmp_path / name}: it cannot be written (File too large)\n"
    assert (found.returncode, found.stdout, found.stderr) == (0, said, "")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["mine.weights.h5", "mine.safetensors"])
def test_a_folder_that_is_not_there_is_told_of(tmp_path: Path, name: str) -> None:
    model = MobileNet(alpha=0.25, weights=None, input_shape=(32, 32, 3))
    with pytest.raises(WeightsError, match=r"it cannot be written \(No such file or directory\)"):
        model.save_weights(tmp_path / "nowhere" / name)
