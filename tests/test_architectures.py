"""Each architecture against Keras' own, live: names, counts and answers."""

from typing import Any

import numpy as np
import pytest
from oracle import give_same_weights, keras_twin, pictures

from hati import applications, summary
from hati.architectures.blocks import Head
from hati.architectures.efficientnet_lite import efficientnet_lite0, efficientnet_lite1, efficientnet_lite2
from hati.graph import Graph
from hati.model import Model

NETWORKS: list[tuple[str, dict[str, Any]]] = [
    ("ResNet50", {}),
    ("VGG16", {}),
    ("VGG19", {}),
    ("InceptionV3", {}),
    ("MobileNet", {}),
    ("MobileNet", {"alpha": 0.25}),
    ("MobileNet", {"alpha": 0.5}),
    ("MobileNet", {"alpha": 0.75, "depth_multiplier": 2}),
    ("MobileNet", {"alpha": 1.3}),
]
SMALLEST = {"InceptionV3": 75}

networks = pytest.mark.parametrize(
    ("function", "options"), NETWORKS, ids=[f"{function}{options or ''}" for function, options in NETWORKS]
)


def pair(function: str, **options: Any) -> tuple[Model, Any]:
    model: Model = getattr(applications, function)(weights=None, **options)
    return model, keras_twin(function, **options)


def worst(found: np.ndarray, expected: np.ndarray) -> float:
    assert found.shape == expected.shape
    return float(np.abs(found - expected).max())


@networks
def test_a_network_of_the_default_shape_is_built_as_keras_builds_it(function: str, options: dict[str, Any]) -> None:
    model, twin = pair(function, **options)
    assert [layer.name for layer in model.layers] == [layer.name for layer in twin.layers]
    assert [layer.layer.kind for layer in model.layers] == [type(layer).__name__ for layer in twin.layers]
    assert model.name == twin.name
    assert (model.input_shape, model.output_shape) == (twin.input_shape, twin.output_shape)
    totals = summary.totals(model.graph)
    trainable = sum(int(np.prod(weight.shape)) for weight in twin.trainable_weights)
    assert totals == summary.Totals(twin.count_params(), trainable, twin.count_params() - trainable)
    assert list(model.graph.weights().values()) == [tuple(weight.shape) for weight in twin.weights]


@networks
def test_scores_are_those_of_keras(function: str, options: dict[str, Any]) -> None:
    size = SMALLEST.get(function, 64)
    model, twin = pair(function, input_shape=(size, size, 3), **options)
    give_same_weights(model, twin)
    x = pictures(model, size, size)
    assert worst(model.predict(x), twin.predict(x, verbose=0)) < 1e-5


@networks
@pytest.mark.parametrize("pooling", [None, "avg", "max"])
def test_features_are_those_of_keras(function: str, options: dict[str, Any], pooling: str | None) -> None:
    model, twin = pair(function, include_top=False, pooling=pooling, **options)
    assert [layer.name for layer in model.layers] == [layer.name for layer in twin.layers]
    give_same_weights(model, twin)
    for size in ((79, 110), (96, 75)):
        x = pictures(model, *size)
        expected = twin.predict(x, verbose=0)
        assert worst(model.predict(x), expected) < 1e-4 * np.abs(expected).max()


@pytest.mark.parametrize("activation", [None, "softmax", "sigmoid", "relu", "tanh"])
def test_classifiers_of_every_kind_are_those_of_keras(activation: str | None) -> None:
    options = {"input_shape": (32, 32, 3), "classes": 7, "classifier_activation": activation}
    for function in ("VGG16", "MobileNet"):
        model, twin = pair(function, **options)
        give_same_weights(model, twin)
        x = pictures(model, 32, 32)
        expected = twin.predict(x, verbose=0)
        assert worst(model.predict(x), expected) < 1e-5 * max(1, np.abs(expected).max())


@pytest.mark.parametrize(
    ("build", "parameters", "blocks"),
    [(efficientnet_lite0, 4_652_008, 16), (efficientnet_lite1, 5_416_680, 21), (efficientnet_lite2, 6_092_072, 21)],
)
def test_efficientnet_lite_has_its_published_size(build: Any, parameters: int, blocks: int) -> None:
    graph: Graph = build()
    assert summary.totals(graph).trainable == parameters
    assert sum(node.layer.kind == "DepthwiseConv2D" for node in graph.nodes) == blocks
    assert build((64, 96, 3), Head(include_top=False, pooling="max")).output.shape == (1280,)


@pytest.mark.parametrize("number", [0, 1, 2])
def test_efficientnet_lite_is_the_network_of_its_weights(number: int) -> None:
    """The package's weights in plain PyTorch give the same scores."""
    from lite_in_torch import scores

    model: Model = getattr(applications, f"EfficientNetLite{number}")()
    x = pictures(model, *model.size)
    assert worst(model.predict(x), scores(number, x)) < 1e-5
