"""A model by its name, or by the file that it was saved in."""

import json
import random
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from fuzz_seeds import parts, sealed
from fuzz_weights import changed_json
from oracle import lively, pictures

import hati
from hati.cli import main
from hati.engines import devices
from hati.errors import ArgumentError, HatiError, UnknownModel, WeightsError
from hati.keras.applications.mobilenet import MobileNet
from hati.labels import Label
from hati.loading import model_of
from hati.model import Model
from hati.preprocessing import Preprocessing
from hati.weights import from_arrays

ANIMALS = tuple(Label(f"n{number:08}", name) for number, name in enumerate(("হাতি", "cat", 'a "dog"', "")))


def own() -> Model:
    """A small model with classes, preprocessing and a size of its own."""
    graph = MobileNet(input_shape=(48, 32, 3), alpha=0.25, weights=None, classes=4, name="animals").graph
    arrays = from_arrays(lively(graph), graph)
    return Model(graph, arrays, Preprocessing("torch", 0.875, "lanczos"), labels=ANIMALS, size=(48, 32))


@pytest.mark.parametrize("as_path", [True, False])
def test_one_file_is_the_whole_model(tmp_path: Path, cat: Path, as_path: bool) -> None:
    model, file = own(), tmp_path / "mine.safetensors"
    model.save(file)
    again = hati.load(file if as_path else str(file))
    x = pictures(model, 48, 32)
    np.testing.assert_array_equal(again.predict(x), model.predict(x))
    assert again.classify(cat, top=4) == model.classify(cat, top=4)
    np.testing.assert_array_equal(again.features(cat), model.features(cat))
    assert (again.labels, again.preprocessing, again.size) == (model.labels, model.preprocessing, model.size)
    assert repr(again) == repr(model)


def test_a_body_of_any_size_comes_back(tmp_path: Path) -> None:
    body = MobileNet(include_top=False, alpha=0.25, weights=None)
    body.save(tmp_path / "body.safetensors")
    again = hati.load(tmp_path / "body.safetensors")
    assert (again.labels, again.input_shape) == (None, (None, None, None, 3))
    x = pictures(body, 40, 56)
    np.testing.assert_array_equal(again.predict(x), body.predict(x))


def test_the_default_model_comes_back_with_what_its_files_are_called_by(tmp_path: Path, cat: Path) -> None:
    model = hati.load()
    model.save(tmp_path / "lite.safetensors")
    again = hati.load(tmp_path / "lite.safetensors")
    assert again.classify(cat) == model.classify(cat)
    again.load_weights(store_path())
    assert again.classify(cat) == model.classify(cat)


def store_path() -> Path:
    from hati import catalog
    from hati.weights.bringing import store

    path = store.path_of(catalog.find("EfficientNetLite0").top_file)
    assert path is not None
    return path


def test_a_model_may_be_saved_over_the_file_that_it_came_from(tmp_path: Path) -> None:
    file = tmp_path / "mine.safetensors"
    own().save(file)
    again = hati.load(file)
    x = pictures(again, 48, 32)
    expected = again.predict(x)
    again.save(file)
    np.testing.assert_array_equal(hati.load(file).predict(x), expected)
    assert [path.name for path in tmp_path.iterdir()] == [file.name]


def test_the_command_line_takes_a_saved_model(tmp_path: Path, cat: Path) -> None:
    own().save(tmp_path / "mine.safetensors")
    found = CliRunner().invoke(main, ["classify", str(cat), "--model", str(tmp_path / "mine.safetensors"), "--json"])
    assert found.exit_code == 0, found.output
    assert '"model": "animals"' in found.output


def test_a_file_beside_us_that_is_called_like_a_model_is_not_meant(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "EfficientNetLite0").write_text("notes")
    assert hati.load("EfficientNetLite0").name == "efficientnet_lite0"


def test_a_file_of_weights_alone_asks_for_its_model(tmp_path: Path) -> None:
    own().save_weights(tmp_path / "w.safetensors")
    own().save_weights(tmp_path / "w.weights.h5")
    for name in ("w.safetensors", "w.weights.h5"):
        with pytest.raises(WeightsError, match=r"it holds weights alone.*hati\.load\('ResNet50', weights='.*w\."):
            hati.load(tmp_path / name)


@pytest.mark.parametrize(
    ("name", "error", "fault"),
    [
        ("lost.safetensors", WeightsError, "lost.safetensors: there is no such file"),
        ("empty.safetensors", WeightsError, "empty.safetensors: the file is empty"),
        ("ResNet51", UnknownModel, "there is no model called 'ResNet51'"),
        ("x" * 5000, UnknownModel, "there is no model called"),
        ("\0", UnknownModel, "there is no model called"),
    ],
    ids=lambda case: str(case)[:20],
)
def test_what_is_neither_a_model_nor_a_file_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, error: type[Exception], fault: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty.safetensors").touch()
    with pytest.raises(error, match=fault):
        hati.load(name)


def test_a_whole_models_network_may_have_other_weights(tmp_path: Path) -> None:
    model, file = own(), tmp_path / "mine.safetensors"
    model.save(file)
    model.set_weights([array / 2 for array in model.get_weights()])
    model.save_weights(tmp_path / "halves.weights.h5")
    x = pictures(model, 48, 32)
    np.testing.assert_array_equal(hati.load(file, tmp_path / "halves.weights.h5").predict(x), model.predict(x))
    assert hati.load(file, None).count_params() == model.count_params()


@pytest.mark.parametrize("options", [{"classes": 3}, {"pooling": "avg", "include_top": False}])
def test_a_whole_model_takes_no_options(tmp_path: Path, options: dict[str, Any]) -> None:
    own().save(tmp_path / "mine.safetensors")
    with pytest.raises(ArgumentError, match=f"whose network is drawn; {', '.join(options)} cannot be given"):
        hati.load(tmp_path / "mine.safetensors", **options)


def test_a_model_that_describes_itself_wrongly_ends_in_an_answer_or_a_clear_error(tmp_path: Path) -> None:
    """One value of the description exchanged, doubled or taken away, 300 times."""
    file = tmp_path / "mine.safetensors"
    own().save(file)
    content = file.read_bytes()
    outcomes = Counter(outcome(file, content, seed) for seed in range(300))
    assert outcomes["answer"] > 5
    assert outcomes["error"] > 100


def outcome(file: Path, content: bytes, seed: int) -> str:
    pieces = parts("model .safetensors", content)
    described = changed_json(json.loads(pieces["hati.json"]), random.Random(seed))
    file.write_bytes(sealed("model .safetensors", pieces | {"hati.json": json.dumps(described).encode()}))
    try:
        model = hati.load(file)
        shape = [size or 32 for size in model.input_shape[1:]]
        model.predict(np.zeros((1, *shape), np.float32), verbose=0)
    except HatiError:
        return "error"
    return "answer"


@pytest.mark.parametrize("name", ["resnet50", "ResNet50", "vgg16"])
def test_a_file_in_the_folder_shadows_no_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    (tmp_path / name).write_text("notes")
    monkeypatch.chdir(tmp_path)
    assert hati.load(name, None).name.lower() == name.lower()
    for path in (f"./{name}", Path(name)):
        with pytest.raises(WeightsError, match=name):
            hati.load(path)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"precision": "float61"}, "precision is 'float61'; it can be 'float32', 'float16' or 'int8'"),
        ({"device": "tpu"}, "device is 'tpu'; it can be 'cpu' or 'cuda'"),
        ({"device": "cuda", "precision": "int8"}, "precision is 'int8'; on a GPU"),
        ({"precision": "float16"}, "float16 is for a GPU"),
        ({"weigths": None}, r"VGG16\(\) has no argument 'weigths'; did you mean 'weights'\?"),
        ({"precison": "int8"}, r"load\(\) has no argument 'precison'; did you mean 'precision'\?"),
        ({"calibrate": "photos"}, r"VGG16\(\) has no argument 'calibrate'; it takes include_top, weights, "),
        ({"weights": True}, "weights is 'True'; it can be 'imagenet', None, or the path"),
        ({"classes": 10}, "classes is 10, but weights='imagenet'"),
    ],
)
def test_arguments_are_refused_before_anything_is_fetched(
    empty_cache: Path, monkeypatch: pytest.MonkeyPatch, options: dict[str, Any], said: str
) -> None:
    """Whatever asked for the weights here would get WeightsUnavailable."""
    monkeypatch.setenv("HATI_OFFLINE", "1")
    with pytest.raises(ArgumentError, match=said):
        hati.load("VGG16", **options)
    assert not empty_cache.exists()


def test_a_gpu_that_is_not_here_is_told_before_anything_is_fetched(
    empty_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HATI_OFFLINE", "1")
    try:
        devices.engine("cuda")
    except ArgumentError as error:
        with pytest.raises(ArgumentError, match=re.escape(str(error))):
            hati.load("VGG16", device="cuda")
        assert not empty_cache.exists()
    else:
        pytest.skip("there is a GPU here")


@pytest.mark.parametrize("name", [None, 7, b"ResNet50", ["ResNet50"]])
def test_a_name_is_a_text_or_a_path(name: Any) -> None:
    with pytest.raises(ArgumentError, match=r"name is .*; a model's name, or the path of a file, was expected"):
        hati.load(name)


def test_a_file_without_an_ending_is_meant_with_its_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own().save(tmp_path / "mine.safetensors")
    (tmp_path / "mine.safetensors").rename(tmp_path / "mine")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UnknownModel, match="no model called 'mine'"):
        hati.load("mine")
    assert [hati.load(path).name for path in ("./mine", Path("mine"), tmp_path / "mine")] == ["animals"] * 3


@dataclass
class Carrier:
    model: object


@pytest.mark.parametrize(
    "give",
    [
        lambda model, path: model,
        lambda model, path: Carrier(model),
        lambda model, path: path,
        lambda model, path: str(path),
    ],
    ids=["itself", "what carries it", "path", "text"],
)
def test_a_model_is_had_however_it_is_given(tmp_path: Path, give: Callable[[Model, Path], Any]) -> None:
    model = hati.load("MobileNet_0.25_128", None)
    model.save(tmp_path / "mine.safetensors")
    assert model_of(give(model, tmp_path / "mine.safetensors")).name == model.name


@pytest.mark.parametrize("asked", [None, 7, Carrier("no model"), ["EfficientNetLite0"]], ids=repr)
def test_what_gives_no_model_is_told_what_does(asked: Any) -> None:
    with pytest.raises(ArgumentError, match="came for a model; it can be a name of the catalog"):
        model_of(asked)
