"""Keras' arguments: what Keras takes is taken, what Keras refuses is refused, before anything is fetched."""

import inspect
from dataclasses import replace
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from networks import FORTY, Network
from oracle import difference, is_same_network, keras_twin, write_legacy

import hati
from hati import catalog
from hati.errors import ArgumentError, WeightsError
from hati.keras import applications
from hati.weights.bringing import checksums, store

TAKEN: list[tuple[str, dict[str, Any]]] = [
    ("ResNet50", {"include_top": False}),
    ("ResNet50", {"include_top": False, "input_shape": (32, 45, 3)}),
    ("ResNet50", {"include_top": False, "input_shape": (None, 200, 3), "pooling": "max"}),
    ("ResNet50", {"input_shape": (64, 32, 1), "classes": 3}),
    ("VGG16", {"include_top": False, "pooling": "avg"}),
    ("VGG19", {"input_shape": (48, 48, 3), "classes": 2, "classifier_activation": "sigmoid"}),
    ("InceptionV3", {"input_shape": (75, 75, 3), "classifier_activation": None}),
    ("MobileNet", {"input_shape": (128, 128, 3), "alpha": 0.5}),
    ("MobileNet", {"include_top": False}),
    ("MobileNet", {"include_top": False, "input_shape": (None, None, 3), "alpha": 0.75}),
    ("MobileNet", {"input_shape": (40, 50, 3), "depth_multiplier": 2, "dropout": 0.2}),
    ("ResNet50", {"input_shape": (32, 32, 3), "name": "mine"}),
    ("MobileNet", {"input_shape": (32, 32, 3), "name": "mine"}),
]


@pytest.mark.parametrize(("function", "options"), TAKEN, ids=[f"{function} {options}" for function, options in TAKEN])
def test_what_keras_takes_gives_the_same_network(function: str, options: dict[str, Any]) -> None:
    model = getattr(applications, function)(weights=None, **options)
    twin = keras_twin(function, **options)
    assert (model.name, model.input_shape, model.output_shape) == (twin.name, twin.input_shape, twin.output_shape)
    assert model.count_params() == twin.count_params()


REFUSED: list[tuple[str, dict[str, Any], str]] = [
    ("ResNet50", {"weights": "no/such/file.h5"}, "weights is 'no/such/file.h5'"),
    ("ResNet50", {"weights": "imagenet", "classes": 10}, "classes is 10, but weights='imagenet'"),
    ("ResNet50", {"weights": "imagenet", "input_shape": (200, 200, 3)}, r"needs \(224, 224, 3\)"),
    ("ResNet50", {"weights": "imagenet", "include_top": False, "input_shape": (200, 200, 1)}, "needs 3 channels"),
    ("ResNet50", {"weights": "imagenet", "classifier_activation": "relu"}, "it can be None or 'softmax'"),
    ("ResNet50", {"weights": None, "input_shape": (31, 200, 3)}, "can be 32 or more"),
    ("ResNet50", {"weights": None, "input_shape": (200, 3)}, "three whole numbers were expected"),
    ("ResNet50", {"weights": None, "input_shape": (None, None, 3)}, "height and width must be known"),
    ("ResNet50", {"weights": None, "classifier_activation": "nonsense"}, "classifier_activation is 'nonsense'"),
    ("InceptionV3", {"weights": None, "input_shape": (74, 75, 3)}, "can be 75 or more"),
    ("InceptionV3", {"weights": "imagenet", "input_shape": (224, 224, 3)}, r"needs \(299, 299, 3\)"),
    ("VGG16", {"weights": "imagenet", "classes": 2}, "classes is 2"),
    ("MobileNet", {"weights": "imagenet", "alpha": 0.3}, "alpha is 0.3, .* has alpha=1.0 .*alpha=0.25"),
    ("MobileNet", {"weights": "imagenet", "depth_multiplier": 2}, "depth_multiplier is 2"),
    ("MobileNet", {"weights": "imagenet", "input_shape": (100, 100, 3)}, r"needs \(224, 224, 3\)"),
]


@pytest.mark.parametrize(
    ("function", "options", "message"), REFUSED, ids=[f"{function} {options}" for function, options, _ in REFUSED]
)
def test_what_keras_refuses_is_refused_before_any_download(
    function: str, options: dict[str, Any], message: str, empty_cache: Path
) -> None:
    import keras

    with pytest.raises(ValueError):  # noqa: PT011 - whatever Keras says, this is its refusal
        getattr(keras.applications, function)(**options)
    with pytest.raises(ArgumentError, match=message):
        getattr(applications, function)(**options)
    assert not empty_cache.exists()


@pytest.mark.parametrize("network", FORTY, ids=str)
def test_the_smallest_picture_is_that_of_keras(network: Network, empty_cache: Path) -> None:
    import keras

    build = getattr(applications, network.function)
    shape = (build.smallest, build.smallest, 3)
    assert build(weights=None, include_top=False, input_shape=shape).input_shape == (None, *shape)
    too_small = {"weights": "imagenet", "include_top": False, "input_shape": (build.smallest - 1, build.smallest, 3)}
    with pytest.raises(ArgumentError, match=f"can be {build.smallest} or more"):
        build(**too_small)
    with pytest.raises(ValueError, match=f"at least {build.smallest}x{build.smallest}|not available with the torch"):
        getattr(keras.applications, network.function)(**too_small)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"pooling": "median"}, "pooling is 'median'"),
        ({"classes": 0}, "classes is 0"),
        ({"classes": 2.5}, r"classes is 2\.5"),
        ({"input_shape": 64}, "input_shape is 64; three whole numbers"),
        ({"input_shape": (64.5, 64, 3)}, r"input_shape is \(64\.5, 64, 3\)"),
        ({"input_shape": (64, 64, 0)}, "the channels, must be known"),
        ({"input_tensor": np.zeros(1)}, "input_tensor means nothing here"),
        ({"input_shape": (64, 64, None)}, "the channels, must be known"),
    ],
)
def test_what_keras_would_stumble_over_is_refused_too(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        applications.ResNet50(weights=None, **options)


@pytest.mark.parametrize("alpha", [0, -1, 0.01, "wide", None])
def test_a_width_that_leaves_no_channel_is_refused(alpha: Any) -> None:
    with pytest.raises(ArgumentError, match="MobileNet: these arguments make no network: "):
        applications.MobileNet(alpha=alpha, weights=None)


def test_an_unusual_number_of_channels_is_warned_of() -> None:
    with pytest.warns(UserWarning, match="input_shape has 5 channels"):
        assert applications.VGG16(weights=None, include_top=False, input_shape=(32, 32, 5)).input_shape[3] == 5


@pytest.mark.parametrize("entry", catalog.entries().values(), ids=lambda entry: entry.name)
def test_an_entrys_module_has_all_that_keras_modules_have(entry: catalog.Entry) -> None:
    module = import_module(f"hati.keras.applications.{entry.module}")
    assert {entry.function, "preprocess_input", "decode_predictions"} <= set(module.__all__)
    assert getattr(applications, entry.function) is getattr(module, entry.function)
    pixels = np.arange(48, dtype=np.uint8).reshape(4, 4, 3)
    normalisation = entry.preprocessing.normalisation
    if normalisation == "none":
        assert module.preprocess_input(pixels) is pixels
    else:
        assert module.preprocess_input.keywords == {"mode": normalisation}
        assert module.preprocess_input(pixels).dtype == np.float32


def test_the_published_efficientnet_divides_by_the_deviation_once_more(
    tmp_path: Path, empty_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Keras adds a layer for weights="imagenet"; here both are given the same file as the published one."""
    import keras

    options: dict[str, Any] = {"include_top": False, "input_shape": (64, 70, 3)}
    file = tmp_path / "efficientnetb0_notop.h5"
    write_legacy(keras_twin("EfficientNetB0", **options), file)
    monkeypatch.setattr("keras.src.utils.file_utils.get_file", lambda *_, **__: str(file))
    keras.backend.clear_session()
    theirs = keras.applications.EfficientNetB0(**options)
    entry = catalog.find("EfficientNetB0")
    assert entry.notop_file is not None
    unchecked = replace(entry, notop_file=replace(entry.notop_file, checksum=None, bytes=None))
    monkeypatch.setitem(catalog.entries(), entry.name, unchecked)
    monkeypatch.setenv("HATI_MIRROR", str(tmp_path))
    ours = applications.EfficientNetB0(**options)
    assert is_same_network(ours, theirs)
    assert [layer.layer.kind for layer in ours.layers][:4] == ["InputLayer", "Rescaling", "Normalization", "Rescaling"]
    assert difference(ours, theirs, (64, 70)) < 1e-4
    by_path = applications.EfficientNetB0(**options, weights=file)
    assert is_same_network(by_path, keras_twin("EfficientNetB0", **options)), (
        "an unknown file is nobody's published one"
    )
    known = f"md5:{checksums.digest(file, 'md5')}"
    monkeypatch.setitem(
        catalog.entries(), entry.name, replace(entry, notop_file=replace(entry.notop_file, checksum=known))
    )
    assert is_same_network(applications.EfficientNetB0(**options, weights=file), theirs)


def test_a_file_that_cannot_be_read_is_told_of_by_every_family() -> None:
    for function in ("EfficientNetB0", "MobileNet"):
        with pytest.raises(WeightsError, match="/proc/self/mem: it cannot be read"):
            getattr(applications, function)(weights="/proc/self/mem")


WITH_PREPROCESSING = ("MobileNetV3Small", "EfficientNetV2B0", "EfficientNetV2S", "ConvNeXtTiny")


@pytest.mark.parametrize("function", WITH_PREPROCESSING)
def test_a_photo_gets_one_answer_whether_the_graph_or_the_model_preprocesses_it(function: str, cat: Path) -> None:
    inside = getattr(applications, function)(weights=None)
    outside = getattr(applications, function)(weights=None, include_preprocessing=False)
    outside.set_weights(inside.get_weights())
    expected = inside.features(str(cat))
    np.testing.assert_allclose(outside.features(str(cat)), expected, atol=1e-4 * np.abs(expected).max())


def test_arguments_may_be_given_in_keras_order() -> None:
    assert applications.ResNet50(False, None, None, (32, 40, 3)).input_shape == (None, 32, 40, 3)
    assert applications.MobileNetV2((32, 32, 3), 0.35, True, None).name == "mobilenetv2_0.35_32"
    assert applications.ConvNeXtTiny(True, True, None).name == "convnext_tiny"


@pytest.mark.parametrize("network", FORTY, ids=str)
def test_a_function_takes_what_keras_takes_in_the_same_order(network: Network) -> None:
    import keras

    theirs = inspect.signature(getattr(keras.applications, network.function)).parameters
    ours = inspect.signature(getattr(applications, network.function)).parameters
    assert list(ours) == list(theirs)
    assert [ours[name].default for name in ours if name != "name"] == [
        theirs[name].default for name in theirs if name != "name"
    ]


def test_a_file_of_another_network_is_refused_and_nothing_is_left(shared: Path, empty_cache: Path) -> None:
    file = shared / "mobilenet_2_5_224_tf.h5"
    for function, options, message in (
        ("ResNet50", {}, "55 layers.*resnet50 has 107; conv1_conv is the first that does not fit"),
        ("MobileNet", {"alpha": 0.5}, r"conv1: its kernel is \(3, 3, 3, 8\) there, .* needs \(3, 3, 3, 16\)"),
        ("MobileNet", {"alpha": 0.25, "include_top": False}, "include_top=True"),
        ("MobileNet", {"alpha": 0.25, "classes": 10}, "conv_preds: .* classes=1000"),
    ):
        with pytest.raises(WeightsError, match=message):
            getattr(applications, function)(weights=file, **options)
    assert not empty_cache.exists()


def test_real_mobilenet_weights_give_the_elephants_published_scores(shared: Path) -> None:
    from hati.keras.applications.mobilenet import MobileNet, decode_predictions, preprocess_input
    from hati.keras.preprocessing import image

    model = MobileNet(alpha=0.25, weights=str(shared / "mobilenet_2_5_224_tf.h5"))
    pixels = image.img_to_array(image.load_img(shared / "elephant-224.png"))
    scores = model.predict(preprocess_input(pixels[np.newaxis]))
    expected = {101: 0.6423565, 386: 0.31316766, 385: 0.0299492, 346: 0.0073565, 343: 0.0036229}
    np.testing.assert_allclose(scores[0, list(expected)], list(expected.values()), atol=1e-5)
    assert list(np.argsort(-scores[0])[:5]) == list(expected)
    assert decode_predictions(scores, top=1)[0][0][:2] == ("n01871265", "tusker")


def test_a_body_may_be_cut_from_a_file_with_the_classifier() -> None:
    entry = catalog.find("EfficientNetLite0")
    path = store.path_of(entry.top_file)
    whole = applications.EfficientNetLite0(weights=path)
    body = applications.EfficientNetLite0(weights=path, include_top=False, pooling="avg")
    picture = np.random.default_rng(0).integers(0, 256, (224, 224, 3), np.uint8)
    expected = whole.features(picture)
    np.testing.assert_allclose(body.features(picture), expected, atol=1e-5 * np.abs(expected).max())


@pytest.mark.parametrize("name", applications.__all__)
def test_a_model_is_called_and_shown_as_a_function_is(name: str) -> None:
    application = getattr(applications, name)
    assert (application.__name__, application.__qualname__) == (name, name)
    assert getattr(import_module(application.__module__), name) is application
    assert repr(application) == f"<hati.keras.applications.{name}>"
    assert application.__doc__.startswith(f"{name}, called with Keras' arguments.\n")
    assert "include_top" in application.__doc__
    assert inspect.signature(application).parameters["weights"].default == "imagenet"


@pytest.mark.parametrize(
    ("model", "arguments", "said"),
    [
        ("ResNet50", {"weigths": None}, r"ResNet50\(\) has no argument 'weigths'; did you mean 'weights'"),
        ("ResNet50", {"alpha": 0.5}, r"ResNet50\(\) has no argument 'alpha'; it takes include_top, weights"),
        ("MobileNet", {"alhpa": 0.25}, r"MobileNet\(\) has no argument 'alhpa'; did you mean 'alpha'"),
    ],
)
def test_an_unknown_argument_is_told_with_the_likely_one(model: str, arguments: dict[str, Any], said: str) -> None:
    for ask in (getattr(applications, model), partial(hati.load, model)):
        with pytest.raises(ArgumentError, match=said):
            ask(**arguments)


def test_numpys_whole_numbers_are_whole_numbers() -> None:
    options: dict[str, Any] = {"input_shape": [np.int64(64), np.int32(48), np.uint8(3)], "classes": np.int64(4)}
    model = applications.ResNet50(weights=None, **options)
    assert (model.input_shape, model.output_shape) == ((None, 64, 48, 3), (None, 4))
    assert {type(size) for size in (*model.graph.input.shape, *model.graph.output.shape, *model.size)} == {int}


def test_too_many_arguments_are_told_with_those_that_there_are() -> None:
    with pytest.raises(ArgumentError, match=r"ResNet50\(\): too many positional arguments; it takes include_top"):
        applications.ResNet50(*range(20))


def test_an_argument_given_twice_is_told() -> None:
    with pytest.raises(ArgumentError, match=r"ResNet50\(\): multiple values for argument 'include_top'; it takes"):
        applications.ResNet50(True, include_top=False)
