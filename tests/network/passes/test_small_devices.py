"""Networks as small devices compute them: fewer kinds of layers, the same answers."""

import numpy as np
import pytest
from networks import FORTY, Network
from oracle import lively

import hati.keras.applications
from hati.engines import in_numpy
from hati.model import Model
from hati.network import layers
from hati.network.graph import Graph
from hati.network.layers import Conv2D, InputLayer
from hati.network.passes import with_input
from hati.network.passes.small_devices import for_devices

KINDS = {  # what one operator there stands for
    "Activation",
    "Add",
    "AveragePooling2D",
    "Concatenate",
    "Conv2D",
    "Cropping2D",
    "Dense",
    "DepthwiseConv2D",
    "Flatten",
    "GlobalAveragePooling2D",
    "InputLayer",
    "LayerNormalization",
    "MaxPooling2D",
    "Multiply",
    "Reshape",
    "Rescaling",
    "ZeroPadding2D",
}
ONE_OF_EACH = ("Xception", "VGG16", "ResNet50", "ResNet50V2", "InceptionV3", "InceptionResNetV2", "MobileNet",
    "MobileNetV2", "MobileNetV3Small", "DenseNet121", "NASNetMobile", "EfficientNetB0", "EfficientNetV2B0",
    "EfficientNetV2S", "ConvNeXtTiny")  # fmt: skip


def made(network: Network) -> Model:
    build = getattr(hati.keras.applications, network.function)
    found = build(weights=None, input_shape=(network.size, network.size, 3), **network.options)
    assert isinstance(found, Model)
    return found


@pytest.mark.parametrize("network", [one for one in FORTY if one.function in ONE_OF_EACH], ids=str)
def test_a_network_for_devices_answers_the_same_with_fewer_kinds(network: Network) -> None:
    graph = with_input(made(network).graph, (network.size, network.size, 3))
    arrays = lively(graph)
    x = np.random.default_rng(1).uniform(-1, 1, (1, network.size, network.size, 3))
    fewer, own = for_devices(graph, arrays)
    assert {node.layer.kind for node in fewer.nodes} <= KINDS
    assert list(own) == list(fewer.weights())
    assert all(own[name].shape == shape for name, shape in fewer.weights().items())
    assert not any(getattr(node.layer, "activation", "linear") != "linear" for node in fewer.nodes)
    expected = in_numpy.run(graph, arrays, x)
    np.testing.assert_allclose(in_numpy.run(fewer, own, x), expected, rtol=1e-3, atol=1e-6)


def kinds(graph: Graph) -> list[str]:
    return [node.layer.kind for node in for_devices(graph, lively(graph))[0].nodes]


PICTURE = InputLayer((6, 6, 3))(name="picture")


@pytest.mark.parametrize(
    ("graph", "expected"),
    [
        (Graph(layers.Rescaling(2.0, 1.0)(PICTURE)), ["InputLayer", "Rescaling"]),
        (Graph(layers.Rescaling((1.0, 2.0, 3.0))(PICTURE)), ["InputLayer", "DepthwiseConv2D"]),
        (
            Graph(layers.Normalization()(layers.Rescaling(2.0)(PICTURE))),
            ["InputLayer", "DepthwiseConv2D"],
        ),
        (Graph(layers.Rescaling(2.0)(Conv2D(4, 1)(PICTURE))), ["InputLayer", "Conv2D"]),
        (Graph(layers.Add(0.2)(PICTURE, Conv2D(3, 1)(PICTURE))), ["InputLayer", "Conv2D", "Add"]),
        (Graph(layers.Dropout(0.5)(Conv2D(4, 1)(PICTURE))), ["InputLayer", "Conv2D"]),
        (
            Graph(layers.Normalization()(layers.GlobalAveragePooling2D()(PICTURE))),
            ["InputLayer", "GlobalAveragePooling2D", "Reshape", "DepthwiseConv2D", "Reshape"],
        ),
    ],
    ids=lambda value: value.output.layer.kind if isinstance(value, Graph) else "",
)
def test_what_multiplies_channels_goes_into_a_kernel(graph: Graph, expected: list[str]) -> None:
    assert kinds(graph) == expected


def test_a_scale_stays_apart_where_another_layer_sees_what_it_scales() -> None:
    conv = Conv2D(4, 1)(PICTURE)
    graph = Graph(layers.Add()(conv, layers.BatchNormalization()(conv)))
    assert kinds(graph) == ["InputLayer", "Conv2D", "DepthwiseConv2D", "Add"]
