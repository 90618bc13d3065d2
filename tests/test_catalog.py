"""The table of models against the installed Keras: what Keras would fetch, and nothing else, is in the table."""

import inspect
import json
import re
import warnings
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from importlib import import_module
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

import hati
from hati import catalog
from hati.catalog import Entry
from hati.errors import UnknownModel
from hati.network import summary
from hati.weights.bringing import store

ENTRIES = list(catalog.entries().values())
OF_KERAS = [entry for entry in ENTRIES if entry.top_file.package is None]
Ask = Callable[..., tuple[str, str | None]]


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
def test_an_entry_tells_the_truth_of_its_network(entry: Entry) -> None:
    model = hati.load(entry.name, weights=None)
    assert summary.totals(model.graph).parameters == entry.parameters
    assert model.size == (entry.size, entry.size)
    assert model.preprocessing == entry.preprocessing


class Nothing:
    """Any layer, tensor or network, as far as Keras' own functions look at it: they run in a millisecond."""

    shape = (None, 8, 8, 8)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return Nothing()

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        return Nothing()

    def __add__(self, other: Any) -> Any:
        return Nothing()

    __radd__ = __mul__ = __add__


def keras_modules() -> list[ModuleType]:
    """Those with networks in them."""
    import keras

    functions = inspect.getmembers(keras.applications, inspect.isfunction)
    return sorted({import_module(function.__module__) for _, function in functions}, key=lambda module: module.__name__)


@pytest.fixture
def keras_asks(monkeypatch: pytest.MonkeyPatch) -> Ask:
    """The address, and the checksum if any, that Keras' own function would fetch its weights with."""
    import keras

    asked = []

    def get_file(name: str, address: str, file_hash: str | None = None, **place: str) -> None:
        asked.append((address, file_hash))

    def ask(function: str, **options: Any) -> tuple[str, str | None]:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that weights for 224×224 are taken
            getattr(keras.applications, function)(**options)
        return asked[-1]

    for module in keras_modules():
        for name, value in vars(module).items():
            if name in ("layers", "ops", "Functional", "Sequential") or _is_layer(value):
                monkeypatch.setattr(module, name, Nothing())
        monkeypatch.setattr(module, "file_utils", SimpleNamespace(get_file=get_file), raising=False)
        if module.__name__.endswith("nasnet"):  # NASNetMobile refuses PyTorch
            named = SimpleNamespace(**{**vars(keras.src.backend), "backend": lambda: "numpy"})
            monkeypatch.setattr(module, "backend", named)
    return ask


def _is_layer(value: Any) -> bool:
    import keras

    return inspect.isclass(value) and issubclass(value, keras.layers.Layer)


@pytest.mark.parametrize("include_top", [True, False])
@pytest.mark.parametrize("entry", OF_KERAS, ids=lambda entry: entry.name)
def test_keras_would_fetch_the_same_file_with_the_same_checksum(
    entry: Entry, include_top: bool, keras_asks: Ask
) -> None:
    file = entry.weights_file(include_top)
    address, checksum = keras_asks(entry.function, include_top=include_top, **entry.options)
    assert file.address == address
    if checksum is not None:
        assert file.checksum == f"{'md5' if len(checksum) == 32 else 'sha256'}:{checksum}"


def test_every_application_of_keras_is_in_the_table() -> None:
    import keras

    functions = dict(inspect.getmembers(keras.applications, inspect.isfunction))
    assert functions.keys() == {entry.function for entry in OF_KERAS}
    for entry in OF_KERAS:
        homes = (f"keras.applications.{entry.module}", f"keras.src.applications.{entry.module}")
        assert any(functions[entry.function] is getattr(import_module(home), entry.function, None) for home in homes)


def test_every_checksum_of_keras_is_in_the_table() -> None:
    resnet = import_module("keras.src.applications.resnet")
    without_function = {*resnet.WEIGHTS_HASHES["resnext50"], *resnet.WEIGHTS_HASHES["resnext101"]}
    sources = "".join(Path(str(module.__file__)).read_text() for module in keras_modules())
    published = set(re.findall(r'"([0-9a-f]{32}|[0-9a-f]{64})"', sources))
    ours = {str(entry.weights_file(top).checksum).rpartition(":")[2] for entry in OF_KERAS for top in (True, False)}
    assert len(published) > 80
    assert published - without_function <= ours


@pytest.mark.parametrize(
    ("function", "options"),
    [
        ("MobileNet", {}),
        ("MobileNetV2", {}),
        ("MobileNetV3Small", {}),
        ("MobileNetV3Large", {}),
        ("MobileNetV3Small", {"minimalistic": True}),
        ("MobileNetV3Large", {"minimalistic": True}),
    ],
)
def test_every_width_and_size_that_keras_has_weights_for_is_in_the_table(
    function: str, options: dict[str, Any], keras_asks: Ask
) -> None:
    ask = partial(keras_asks, function, include_top=False, **options)
    asked = {ask(input_shape=(size, size, 3))[0] for size in range(32, 320, 16)}
    for hundredths in range(5, 205, 5):
        try:
            asked.add(ask(alpha=hundredths / 100)[0])
        except ValueError:  # a width without weights
            continue
    assert asked <= {entry.weights_file(include_top=False).address for entry in OF_KERAS}


@pytest.mark.parametrize("function", ["MobileNetV3Small", "MobileNetV3Large"])
def test_published_accuracies_are_those_in_keras_own_words(function: str) -> None:
    import keras

    words = getattr(keras.applications, function).__doc__
    rows = re.findall(r"mobilenet_v3_(\w+?)_([\d.]+)_224\s*\|[^|]*\|[^|]*\|\s*([\d.]+)", words)
    published = {(kind, float(alpha)): float(top1) for kind, alpha, top1 in rows}
    for entry in ENTRIES:
        if entry.function == function:
            kind = function.removeprefix("MobileNetV3").lower() + "_minimalistic" * entry.settings["minimalistic"]
            assert entry.top1 == published[kind, entry.settings["alpha"]]


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("ConvNeXtTiny", {}),
        ("MobileNet", {"alpha": 1.0, "depth_multiplier": 1}),
        ("MobileNet_0.25_128", {"alpha": 0.25, "depth_multiplier": 1, "input_shape": (128, 128, 3)}),
        ("MobileNetV2_1.40_224", {"alpha": 1.4}),
        ("MobileNetV3Large_0.75", {"alpha": 0.75, "minimalistic": False}),
        ("MobileNetV3Small_minimalistic", {"alpha": 1.0, "minimalistic": True}),
    ],
)
def test_options_make_a_function_build_the_network_of_the_weights(name: str, options: dict[str, Any]) -> None:
    assert catalog.find(name).options == options


def test_no_two_files_share_a_name_in_the_cache() -> None:
    files = [file for entry in ENTRIES for file in (entry.top_file, entry.notop_file) if file]
    assert len({file.name.rpartition("/")[2].lower() for file in files}) == len(files)


def test_what_is_known_of_a_model_is_shown_in_a_line(empty_cache: Path) -> None:
    card = next(card for card in hati.list_models() if card.name == "ResNet50")
    shown = "224×224 pixels, 25,636,712 parameters"
    assert repr(card) == f"<hati.ModelCard ResNet50: {shown}, 103.0 MB, top-1 74.9>"
    assert repr(catalog.find("ResNet50")) == f"<Entry ResNet50: {shown}>"
    default = next(card for card in hati.list_models() if card.name == hati.DEFAULT_MODEL)
    assert repr(default).endswith("top-1 75.1, on this machine>")
    assert max(len(repr(card)) for card in hati.list_models()) < 120
    assert repr(card.weights) == f"<FileCard {card.weights.address}>"


def test_a_card_tells_a_program_all_that_the_table_has() -> None:
    cards = {card["name"]: card for card in json.loads(json.dumps([asdict(card) for card in hati.list_models()]))}
    assert list(cards) == [entry.name for entry in ENTRIES]
    card = cards["MobileNet_0.25_224"]
    folder = "https://storage.googleapis.com/tensorflow/keras-applications/mobilenet"
    assert card["weights"] == {
        "address": f"{folder}/mobilenet_2_5_224_tf.h5",
        "bytes": 2115104,
        "checksum": "md5:2c22c3338f993933e3254cbf795ce118",
    }
    assert card["weights_without_top"]["address"] == f"{folder}/mobilenet_2_5_224_tf_no_top.h5"
    assert card["options"] == {"alpha": 0.25, "depth_multiplier": 1}
    assert card["preprocessing"] == {"normalisation": "tf", "crop": 1.0, "interpolation": "bicubic"}
    assert cards["EfficientNetLite0"]["weights_without_top"] is None


@pytest.mark.parametrize("entry", [e for e in ENTRIES if e.top_file.package], ids=lambda entry: entry.name)
def test_packaged_weights_are_those_in_the_table(entry: Entry) -> None:
    path = store.path_of(entry.top_file)
    assert path is not None
    store.verify(entry.top_file, path)


@pytest.mark.parametrize(
    ("asked", "found"), [("ResNet50", "ResNet50"), ("efficientnetlite0", "EfficientNetLite0"), ("VGG16", "VGG16")]
)
def test_a_name_is_found_whatever_its_capitals(asked: str, found: str) -> None:
    assert catalog.find(asked).name == found


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ("ResNet5", "there is no model called 'ResNet5'; did you mean ResNet50"),
        ("inception", "did you mean InceptionV3"),
        ("zebra", "`hati models` lists all"),
    ],
)
def test_an_unknown_name_brings_the_names_that_come_close(asked: str, message: str) -> None:
    with pytest.raises(UnknownModel, match=message):
        catalog.find(asked)
