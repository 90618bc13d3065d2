"""Keras' files against Keras itself: what it writes comes out as it reads it."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from hati.errors import WeightsError
from hati.weights import reading
from hati.weights.formats.layouts import Layered, Numbered

Layers = dict[str, list[np.ndarray]]


@pytest.fixture(scope="module")
def network() -> Any:
    """A small Keras network with every kind of weights that hati's layers have, and layers without any."""
    import keras

    keras.utils.set_random_seed(0)
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((16, 16, 3)),
            layers.Conv2D(4, 3, name="conv"),
            layers.BatchNormalization(name="conv_bn"),
            layers.BatchNormalization(scale=False, name="bn_without_gamma"),
            layers.ReLU(6.0, name="relu"),
            layers.DepthwiseConv2D(3, use_bias=False, name="depthwise"),
            layers.Dropout(0.5, name="dropout"),
            layers.GlobalAveragePooling2D(name="pool"),
            layers.Dense(5, name="predictions"),
        ]
    )
    model.set_weights([np.random.default_rng(n).normal(size=w.shape) for n, w in enumerate(model.get_weights())])
    return model


def save_weights(model: Any, path: Path) -> None:
    """As Keras' `save_weights` did until Keras 3."""
    from keras.src.legacy.saving.legacy_h5_format import save_weights_to_hdf5_group

    with h5py.File(path, "w") as file:
        save_weights_to_hdf5_group(file, model)


def save_model(model: Any, path: Path) -> None:
    """As Keras saves a model whose name ends in .h5."""
    from keras.src.legacy.saving.legacy_h5_format import save_model_to_hdf5

    save_model_to_hdf5(model, path)


def read(path: Path) -> Layers:
    stored = reading.read(path)
    assert isinstance(stored, Layered)
    return stored.layers


def expected(model: Any) -> Layers:
    return {layer.name: layer.get_weights() for layer in model.layers if layer.get_weights()}


def assert_same(found: Layers, known: Layers) -> None:
    """The layers, in order, and every array in type and value."""
    assert list(found) == list(known)
    for name, arrays in known.items():
        assert [array.dtype for array in found[name]] == [array.dtype for array in arrays]
        for ours, theirs in zip(found[name], arrays, strict=True):
            np.testing.assert_array_equal(ours, theirs, err_msg=name)


SAVES = pytest.mark.parametrize("save", [save_weights, save_model])
Save = Callable[[Any, Path], None]


@SAVES
def test_what_keras_writes_is_read(tmp_path: Path, network: Any, save: Save) -> None:
    save(network, tmp_path / "a.h5")
    assert_same(read(tmp_path / "a.h5"), expected(network))


@SAVES
@pytest.mark.parametrize("limit", [45, 64, 100])
def test_lists_of_names_that_keras_splits_are_joined(
    tmp_path: Path, network: Any, save: Save, limit: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("keras.src.legacy.saving.legacy_h5_format.HDF5_OBJECT_HEADER_LIMIT", limit)
    save(network, tmp_path / "a.h5")
    with h5py.File(tmp_path / "a.h5") as file:
        root = file.get("model_weights", file)
        assert "layer_names1" in root.attrs
        assert "weight_names1" in root["conv_bn"].attrs
        assert not {"layer_names", "weight_names"} & {*root.attrs, *root["conv_bn"].attrs}
    assert_same(read(tmp_path / "a.h5"), expected(network))


def test_a_list_longer_than_hdf5_allows_is_read(tmp_path: Path) -> None:
    """Without a changed limit: more than 64,512 bytes of names."""
    from keras.src.legacy.saving.legacy_h5_format import (
        save_attributes_to_hdf5_group,
        save_subset_weights_to_hdf5_group,
    )

    names = [f"{number:0200}" for number in range(700)]
    with h5py.File(tmp_path / "a.h5", "w") as file:
        save_attributes_to_hdf5_group(file, "layer_names", [name.encode() for name in names])
        assert "layer_names2" in file.attrs
        for name in names:
            save_subset_weights_to_hdf5_group(file.create_group(name), [])
        add(file[names[-1]], "kernel", np.ones(3, np.float32))
    assert_same(read(tmp_path / "a.h5"), {names[-1]: [np.ones(3, np.float32)]})


def test_the_real_file_holds_what_keras_loads_from_it(shared: Path) -> None:
    import keras

    path = shared / "mobilenet_2_5_224_tf.h5"
    found = read(path)
    model = keras.applications.MobileNet(weights=str(path), alpha=0.25)
    assert_same(found, expected(model))


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", ">f4", "int64", "uint8"])
@pytest.mark.parametrize("compression", [None, "gzip"])
def test_numbers_of_every_type_are_read(tmp_path: Path, dtype: str, compression: str | None) -> None:
    array = np.arange(12).reshape(3, 4).astype(dtype)
    with layered(tmp_path / "a.h5", "dense") as file:
        add(file["dense"], "kernel:0", array, compression=compression)
    [found] = read(tmp_path / "a.h5")["dense"]
    np.testing.assert_array_equal(found, array)
    assert found.dtype == array.dtype


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float64"])
def test_numbers_of_every_type_that_keras_computes_in_are_read(tmp_path: Path, dtype: str) -> None:
    import keras

    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, dtype=dtype)])
    model.save_weights(tmp_path / "a.weights.h5")
    stored = reading.read(tmp_path / "a.weights.h5")
    assert isinstance(stored, Numbered)
    for found, array in zip(stored.layers["dense"], model.get_weights(), strict=True):
        np.testing.assert_array_equal(found, np.asarray(array, "f4" if dtype == "bfloat16" else dtype))


@pytest.mark.parametrize("encoded", [True, False], ids=["bytes", "text"])
def test_names_are_read_as_bytes_and_as_text(tmp_path: Path, encoded: bool) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.attrs["layer_names"] = [name.encode() if encoded else name for name in ("হাতি", "dense")]
        for name in ("হাতি", "dense"):
            add(file.create_group(name), f"{name}/kernel:0", np.ones(2))
    assert list(read(tmp_path / "a.h5")) == ["হাতি", "dense"]


def layered(path: Path, *names: str) -> h5py.File:
    """A file with these layers, still without weights."""
    file = h5py.File(path, "w", libver="latest")
    file.attrs["layer_names"] = [name.encode() for name in names]
    for name in names:
        file.create_group(name).attrs["weight_names"] = []
    return file


def add(group: h5py.Group, name: str, array: Any, **options: Any) -> None:
    group.create_dataset(name, data=array, **options)
    group.attrs["weight_names"] = [name.encode()]


def no_names(file: h5py.File) -> None:
    del file.attrs["layer_names"]


def a_layer_that_is_not_there(file: h5py.File) -> None:
    file.attrs["layer_names"] = [b"dense", b"lost"]


def weights_that_are_not_there(file: h5py.File) -> None:
    file["dense"].attrs["weight_names"] = [b"kernel"]


def a_group_for_an_array(file: h5py.File) -> None:
    file["dense"].create_group("kernel")
    file["dense"].attrs["weight_names"] = [b"kernel"]


def an_array_for_a_layer(file: h5py.File) -> None:
    file["plain"] = np.ones(3)
    file["plain"].attrs["weight_names"] = [b"kernel"]
    file.attrs["layer_names"] = [b"plain"]


def texts(file: h5py.File) -> None:
    add(file["dense"], "kernel", ["a", "b"])


def truths(file: h5py.File) -> None:
    add(file["dense"], "kernel", [True, False])


def pairs(file: h5py.File) -> None:
    add(file["dense"], "kernel", np.zeros(3, [("a", "f4"), ("b", "f4")]))


def rows_of_any_length(file: h5py.File) -> None:
    data = file["dense"].create_dataset("kernel", (2,), h5py.vlen_dtype(np.float32))
    data[0] = [1, 2]
    file["dense"].attrs["weight_names"] = [b"kernel"]


def bare_bytes(file: h5py.File) -> None:
    add(file["dense"], "kernel", np.zeros(3, "V2"))


def nothing_in_an_array(file: h5py.File) -> None:
    add(file["dense"], "kernel", h5py.Empty("f4"))


def names_that_are_numbers(file: h5py.File) -> None:
    file.attrs["layer_names"] = [1, 2, 3]


def names_that_are_one_text(file: h5py.File) -> None:
    file.attrs["layer_names"] = "dense"


def no_list_of_names(file: h5py.File) -> None:
    file.attrs["layer_names"] = 5


def nothing_for_names(file: h5py.File) -> None:
    file.attrs["layer_names"] = h5py.Empty("S5")


def a_table_of_names(file: h5py.File) -> None:
    file["dense"].attrs["weight_names"] = np.array([[b"kernel", b"bias"]])


def names_without_end(file: h5py.File) -> None:
    file.attrs["layer_names"] = ["dense"] * 10_000


def names_that_are_no_text(file: h5py.File) -> None:
    file.attrs["layer_names"] = [b"\xff\xfe"]


def a_claim_of_terabytes(file: h5py.File) -> None:
    file["dense"].create_dataset("kernel", (1 << 20, 1 << 20), "f4", chunks=(64, 64))
    file["dense"].attrs["weight_names"] = [b"kernel"]


def one_array_under_many_names(file: h5py.File) -> None:
    add(file["dense"], "kernel", np.zeros(1 << 22), compression="gzip")
    file["dense"].attrs["weight_names"] = [b"kernel"] * 100


FAULTS: dict[Callable[[h5py.File], None], str] = {
    no_names: "has no layer_names",
    a_layer_that_is_not_there: "/lost is a link, or not there",
    weights_that_are_not_there: "/dense/kernel is a link, or not there",
    a_group_for_an_array: "/dense/kernel is no array of numbers",
    an_array_for_a_layer: "/plain/kernel is a link, or not there",
    texts: "no array of numbers",
    truths: "no array of numbers",
    pairs: "no array of numbers",
    rows_of_any_length: "no array of numbers",
    bare_bytes: "/dense/kernel is no array of numbers",
    nothing_in_an_array: "no array of numbers",
    names_that_are_numbers: "/: its layer_names is no list of names",
    names_that_are_one_text: "/: its layer_names is no list of names",
    no_list_of_names: "/: its layer_names is no list of names",
    nothing_for_names: "/: its layer_names is no list of names",
    a_table_of_names: "/dense: its weight_names is no list of names",
    names_without_end: "/: its layer_names claims 10,000 names, too many to be true",
    names_that_are_no_text: "/: its layer_names holds a name that is no text",
    a_claim_of_terabytes: "claims arrays of 4,398,046,511,104 bytes",
    one_array_under_many_names: "claims arrays of 3,355,443,200 bytes",
}


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_a_file_that_makes_no_sense_is_refused_with_its_fault(tmp_path: Path, fault: Callable[..., None]) -> None:
    path = tmp_path / "broken.h5"
    with layered(path, "dense") as file:
        fault(file)
    with pytest.raises(WeightsError) as refused:
        reading.read(path)
    assert str(refused.value).startswith(f"{path}: ")
    assert FAULTS[fault] in str(refused.value)


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    """Another file, whose numbers no weights file may bring in; opened by its name, it waits for ever."""
    path = tmp_path / "secret"
    os.mkfifo(path)
    return path


def linked_dataset(file: h5py.File, secret: Path) -> None:
    file["dense"]["kernel"] = h5py.ExternalLink(str(secret), "/x")
    file["dense"].attrs["weight_names"] = [b"kernel"]


def linked_group(file: h5py.File, secret: Path) -> None:
    file["dense"]["inner"] = h5py.ExternalLink(str(secret), "/x")
    file["dense"].attrs["weight_names"] = [b"inner/kernel"]


def linked_layer(file: h5py.File, secret: Path) -> None:
    del file["dense"]
    file["dense"] = h5py.ExternalLink(str(secret), "/x")


def linked_model(file: h5py.File, secret: Path) -> None:
    file["model_weights"] = h5py.ExternalLink(str(secret), "/x")


def soft_link(file: h5py.File, secret: Path) -> None:
    file["far"] = h5py.ExternalLink(str(secret), "/x")
    file["dense"]["kernel"] = h5py.SoftLink("/far")
    file["dense"].attrs["weight_names"] = [b"kernel"]


def soft_layer(file: h5py.File, secret: Path) -> None:
    file["real"] = file["dense"]
    del file["dense"]
    file["dense"] = h5py.SoftLink("/real")


def stored_elsewhere(file: h5py.File, secret: Path) -> None:
    file["dense"].create_dataset("kernel", (4,), "u1", external=[(str(secret), 0, 4)])
    file["dense"].attrs["weight_names"] = [b"kernel"]


def virtual(file: h5py.File, secret: Path) -> None:
    layout = h5py.VirtualLayout((4,), "f4")
    layout[:] = h5py.VirtualSource(str(secret), "x", (4,))
    file["dense"].create_virtual_dataset("kernel", layout)
    file["dense"].attrs["weight_names"] = [b"kernel"]


@pytest.mark.parametrize(
    "way", [linked_dataset, linked_group, linked_layer, linked_model, soft_link, soft_layer, stored_elsewhere, virtual]
)
def test_no_way_leads_into_another_file(tmp_path: Path, secret: Path, way: Callable[..., None]) -> None:
    with layered(tmp_path / "hostile.h5", "dense") as file:
        way(file, secret)
    with pytest.raises(WeightsError, match=r"is a link, or not there|lies in another file"):
        reading.read(tmp_path / "hostile.h5")


def test_the_layout_of_keras_3_is_read_with_the_layers_names(tmp_path: Path, network: Any) -> None:
    network.save_weights(tmp_path / "a.weights.h5")
    stored = reading.read(tmp_path / "a.weights.h5")
    assert isinstance(stored, Numbered)
    assert [*stored.layers] == ["batch_normalization", "batch_normalization_1", "conv2d", "dense", "depthwise_conv2d"]
    by_name = {stored.names[place]: arrays for place, arrays in stored.layers.items()}
    assert_same({name: by_name[name] for name in expected(network)}, expected(network))
