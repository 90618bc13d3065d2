"""Each architecture against Keras' own, live: names, counts and answers."""

from collections.abc import Iterable
from pathlib import Path

import keras
import numpy as np
import pytest
from networks import FORTY, TALL, VARIANTS, Network
from oracle import (
    KERAS_FILES,
    bodies,
    comes_from_keras,
    difference,
    give_same_weights,
    goes_to_keras,
    is_same_network,
    pictures,
    twins,
)

from hati.keras import applications
from hati.model import Model
from hati.network import summary
from hati.network.architectures.blocks import Top
from hati.network.architectures.efficientnet_lite import efficientnet_lite

ONE_OF_EACH = (
    "Xception",
    "VGG16",
    "ResNet50",
    "ResNet50V2",
    "InceptionV3",
    "InceptionResNetV2",
    "MobileNet",
    "MobileNetV2",
    "MobileNetV3Small",
    "DenseNet121",
    "NASNetMobile",
    "EfficientNetB0",
    "EfficientNetV2B0",
    "ConvNeXtTiny",
)
OFTEN = ("ConvNeXtTiny", "EfficientNetB0", "MobileNetV2", "MobileNetV3Small", "Xception")  # with every kind of layer
SELDOM = [function for function in ONE_OF_EACH if function not in OFTEN]
FAMILIES = [network for network in FORTY if network.function in ONE_OF_EACH]
SIZES = [network for network in FORTY if network.function not in ONE_OF_EACH]


def at_length(values: Iterable[object]) -> list[object]:
    """For the long run alone: they differ from others by a row of a table, which tests/test_catalog.py counts."""
    return [pytest.param(value, marks=pytest.mark.long) for value in values]


networks = pytest.mark.parametrize("network", [*FAMILIES, *VARIANTS, *at_length(SIZES)], ids=str)


def test_every_name_of_keras_is_compared() -> None:
    names = {name for name, value in vars(keras.applications).items() if callable(value)}
    assert {network.function for network in FORTY} == names


@networks
def test_a_network_and_its_scores_are_those_of_keras(network: Network) -> None:
    model, twin = twins(network, input_shape=(network.size, network.size, 3))
    assert is_same_network(model, twin)
    assert (model.name, model.input_shape, model.output_shape) == (twin.name, twin.input_shape, twin.output_shape)
    give_same_weights(model, twin)
    x = pictures(model, network.size, network.size)
    expected = twin.predict(x, verbose=0)
    assert expected.max() < 0.99, "where a score is all but 1, the others are not compared"
    assert np.abs(model.predict(x) - expected).max() < 1e-5
    assert difference(model, twin, (network.size, network.size)) < 1e-4


@networks
def test_features_of_any_shape_are_those_of_keras(network: Network) -> None:
    for model, twin, sizes in bodies(network):
        assert is_same_network(model, twin)
        give_same_weights(model, twin)
        assert max(difference(model, twin, size) for size in sizes) < 1e-4


@pytest.mark.parametrize("pooling", ["avg", "max"])
@pytest.mark.parametrize("function", [*OFTEN, *at_length(SELDOM)])
def test_pooled_features_are_those_of_keras(function: str, pooling: str) -> None:
    model, twin = twins(Network(function), include_top=False, pooling=pooling, input_shape=(*TALL, 3))
    assert is_same_network(model, twin)
    give_same_weights(model, twin)
    assert difference(model, twin, TALL) < 1e-4


@pytest.mark.parametrize("function", [*OFTEN, *at_length(function for function in SELDOM if function != "VGG16")])
def test_weights_go_through_every_file_of_keras(function: str, tmp_path: Path) -> None:
    model, twin = twins(Network(function), include_top=False, input_shape=(*TALL, 3))
    give_same_weights(model, twin)
    for name in KERAS_FILES:
        assert comes_from_keras(model, twin, tmp_path / name), name
    assert goes_to_keras(model, twin, tmp_path / "mine.weights.h5")


@pytest.mark.parametrize("activation", [None, "softmax", "sigmoid", "relu", "tanh"])
def test_classifiers_of_every_kind_are_those_of_keras(activation: str | None) -> None:
    options = {"input_shape": (32, 32, 3), "classes": 7, "classifier_activation": activation}
    for function in ("VGG16", "MobileNet", "MobileNetV3Small"):
        model, twin = twins(Network(function), **options)
        give_same_weights(model, twin)
        assert difference(model, twin, (32, 32)) < 1e-5


@pytest.mark.parametrize("size", [32, 47, *at_length([33, 64])])
@pytest.mark.parametrize(
    "function", ["MobileNetV2", "MobileNetV3Large", "EfficientNetB0", "EfficientNetV2B0", "NASNetMobile"]
)
def test_small_and_odd_pictures_go_through_as_in_keras(function: str, size: int) -> None:
    """Where a stride meets an odd size, padding differs."""
    model, twin = twins(Network(function), input_shape=(size, size + 5, 3), classes=5)
    give_same_weights(model, twin)
    assert difference(model, twin, (size, size + 5)) < 1e-4


@pytest.mark.parametrize("function", ["EfficientNetB0", "EfficientNetV2B0", "ConvNeXtTiny", "MobileNetV3Small"])
def test_grey_pictures_go_through_as_in_keras(function: str) -> None:
    """The layers before the network know three channels, or do without them."""
    model, twin = twins(Network(function), include_top=False, input_shape=(*TALL, 1))
    assert is_same_network(model, twin)
    give_same_weights(model, twin)
    x = np.random.default_rng(1).integers(0, 256, (2, *TALL, 1)).astype(np.float32)
    expected = twin.predict(x, verbose=0)
    assert np.abs(model.predict(x) - expected).max() < 1e-4 * np.abs(expected).max()


@pytest.mark.parametrize(
    ("number", "parameters", "blocks"), [(0, 4_652_008, 16), (1, 5_416_680, 21), (2, 6_092_072, 21)]
)
def test_efficientnet_lite_has_its_published_size(number: int, parameters: int, blocks: int) -> None:
    graph = efficientnet_lite((224, 224, 3), name=f"efficientnet_lite{number}")
    assert summary.totals(graph).trainable == parameters
    assert sum(node.layer.kind == "DepthwiseConv2D" for node in graph.nodes) == blocks
    body = efficientnet_lite((64, 96, 3), Top(include_top=False, pooling="max"), name=f"efficientnet_lite{number}")
    assert body.output.shape == (1280,)


@pytest.mark.parametrize("number", [0, 1, 2])
def test_efficientnet_lite_is_the_network_of_its_weights(number: int) -> None:
    """The package's weights in plain PyTorch give the same scores."""
    from lite_in_torch import scores

    model: Model = getattr(applications, f"EfficientNetLite{number}")()
    x = pictures(model, *model.size)
    assert np.abs(model.predict(x) - scores(number, x)).max() < 1e-5
