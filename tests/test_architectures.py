"""Each architecture against Keras' own, live: names, counts and answers."""

from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
import pytest
from networks import FORTY, TALL, VARIANTS, WIDE, Network
from oracle import give_same_weights, keras_layers, keras_twin, pictures

from hati import applications, summary
from hati.architectures.blocks import Head
from hati.architectures.efficientnet_lite import efficientnet_lite
from hati.model import Model

networks = pytest.mark.parametrize("network", [*FORTY, *VARIANTS], ids=str)


def pair(network: Network, **options: Any) -> tuple[Model, Any]:
    options = network.options | options
    model: Model = getattr(applications, network.function)(weights=None, **options)
    return model, keras_twin(network.function, **options)


def worst(found: np.ndarray, expected: np.ndarray) -> float:
    assert found.shape == expected.shape
    return float(np.abs(found - expected).max())


def assert_same_layers(model: Model, twin: Any) -> None:
    """The same names in the same order; where Keras computes outside of any layer (x + 3), hati has layers more."""
    theirs = [layer.name for layer in keras_layers(twin)]
    ours = [layer.name for layer in model.layers]
    assert [name for name in ours if name in set(theirs)] == theirs
    assert len(ours) - len(theirs) == len(twin.operations) - len(twin.layers)


def test_every_name_of_keras_is_compared() -> None:
    names = {name for name, value in vars(keras.applications).items() if callable(value)}
    assert {network.function for network in FORTY} == names


@networks
def test_a_network_and_its_scores_are_those_of_keras(network: Network) -> None:
    model, twin = pair(network, input_shape=(network.size, network.size, 3))
    assert_same_layers(model, twin)
    assert model.name == twin.name
    assert (model.input_shape, model.output_shape) == (twin.input_shape, twin.output_shape)
    totals = summary.totals(model.graph)
    trainable = sum(int(np.prod(weight.shape)) for weight in twin.trainable_weights)
    assert totals == summary.Totals(twin.count_params(), trainable, twin.count_params() - trainable)
    assert list(model.graph.weights().values()) == [tuple(weight.shape) for weight in twin.weights]
    give_same_weights(model, twin)
    x = pictures(model, network.size, network.size)
    expected = twin.predict(x, verbose=0)
    assert expected.max() < 0.99
    assert worst(model.predict(x), expected) < 1e-5


@networks
def test_features_of_any_shape_are_those_of_keras(network: Network) -> None:
    for (model, twin), sizes in bodies(network):
        assert_same_layers(model, twin)
        give_same_weights(model, twin)
        for size in sizes:
            x = pictures(model, *size)
            expected = twin.predict(x, verbose=0)
            assert worst(model.predict(x), expected) < 1e-4 * np.abs(expected).max()


def bodies(network: Network) -> Iterator[tuple[tuple[Model, Any], tuple[tuple[int, int], ...]]]:
    """The network without its classifier, for any size of picture; NASNet has one for each size."""
    if not network.function.startswith("NASNet"):
        yield pair(network, include_top=False), (WIDE, TALL)
        return
    for size in (WIDE, TALL):
        yield pair(network, include_top=False, input_shape=(*size, 3)), (size,)


@pytest.mark.parametrize("pooling", ["avg", "max"])
@pytest.mark.parametrize("function", sorted({network.function[:8] for network in FORTY}))
def test_pooled_features_are_those_of_keras(function: str, pooling: str) -> None:
    """One of each family."""
    network = next(network for network in FORTY if network.function.startswith(function))
    model, twin = pair(network, include_top=False, pooling=pooling, input_shape=(*TALL, 3))
    assert_same_layers(model, twin)
    give_same_weights(model, twin)
    x = pictures(model, *TALL)
    expected = twin.predict(x, verbose=0)
    assert worst(model.predict(x), expected) < 1e-4 * np.abs(expected).max()


@pytest.mark.parametrize("activation", [None, "softmax", "sigmoid", "relu", "tanh"])
def test_classifiers_of_every_kind_are_those_of_keras(activation: str | None) -> None:
    options = {"input_shape": (32, 32, 3), "classes": 7, "classifier_activation": activation}
    for function in ("VGG16", "MobileNet", "MobileNetV3Small"):
        model, twin = pair(Network(function), **options)
        give_same_weights(model, twin)
        x = pictures(model, 32, 32)
        expected = twin.predict(x, verbose=0)
        assert worst(model.predict(x), expected) < 1e-5 * max(1, np.abs(expected).max())


@pytest.mark.parametrize("size", [32, 33, 47, 64])
def test_small_and_odd_pictures_go_through_as_in_keras(size: int) -> None:
    """Where a stride meets an odd size, padding differs."""
    for function in ("MobileNetV2", "MobileNetV3Large", "EfficientNetB0", "EfficientNetV2B0", "NASNetMobile"):
        model, twin = pair(Network(function), input_shape=(size, size + 5, 3), classes=5)
        give_same_weights(model, twin)
        x = pictures(model, size, size + 5)
        assert worst(model.predict(x), twin.predict(x, verbose=0)) < 1e-5


@pytest.mark.parametrize(
    ("number", "parameters", "blocks"), [(0, 4_652_008, 16), (1, 5_416_680, 21), (2, 6_092_072, 21)]
)
def test_efficientnet_lite_has_its_published_size(number: int, parameters: int, blocks: int) -> None:
    graph = efficientnet_lite((224, 224, 3), name=f"efficientnet_lite{number}")
    assert summary.totals(graph).trainable == parameters
    assert sum(node.layer.kind == "DepthwiseConv2D" for node in graph.nodes) == blocks
    body = efficientnet_lite((64, 96, 3), Head(include_top=False, pooling="max"), name=f"efficientnet_lite{number}")
    assert body.output.shape == (1280,)


@pytest.mark.parametrize("number", [0, 1, 2])
def test_efficientnet_lite_is_the_network_of_its_weights(number: int) -> None:
    """The package's weights in plain PyTorch give the same scores."""
    from lite_in_torch import scores

    model: Model = getattr(applications, f"EfficientNetLite{number}")()
    x = pictures(model, *model.size)
    assert worst(model.predict(x), scores(number, x)) < 1e-5
