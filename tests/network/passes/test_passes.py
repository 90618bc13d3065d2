from collections.abc import Callable
from functools import partial

import numpy as np
import pytest
from oracle import lively

from hati.engines import in_numpy
from hati.network.architectures.efficientnet_lite import efficientnet_lite
from hati.network.architectures.inception_v3 import inception_v3
from hati.network.architectures.mobilenet import mobilenet
from hati.network.architectures.resnet import resnet
from hati.network.architectures.xception import xception
from hati.network.graph import Graph, Layer, Shape
from hati.network.layers import (
    Activation,
    Add,
    BatchNormalization,
    Conv2D,
    DepthwiseConv2D,
    InputLayer,
    MaxPooling2D,
    ReLU,
    SeparableConv2D,
    ZeroPadding2D,
)
from hati.network.passes import Convolution, fold_batch_norm, fold_padding, for_inference


def kinds(graph: Graph) -> set[str]:
    return {node.layer.kind for node in graph.nodes}


NETWORKS: dict[str, Callable[[Shape], Graph]] = {
    "resnet50": partial(resnet, name="resnet50"),
    "mobilenet": mobilenet,
    "inception_v3": inception_v3,
    "efficientnet_lite0": partial(efficientnet_lite, name="efficientnet_lite0"),
    "xception": xception,
}


@pytest.mark.parametrize("name", NETWORKS)
def test_a_graph_for_inference_is_smaller_and_answers_the_same(name: str) -> None:
    graph = NETWORKS[name]((96, 80, 3))
    arrays = lively(graph)
    x = np.random.default_rng(1).uniform(-1, 1, (2, 96, 80, 3))
    smaller, folded = for_inference(graph, arrays)
    assert "BatchNormalization" not in kinds(smaller)
    assert list(folded) == list(smaller.weights())
    assert all(folded[name].shape == shape for name, shape in smaller.weights().items())
    expected = in_numpy.run(graph, arrays, x)
    np.testing.assert_allclose(in_numpy.run(smaller, folded, x), expected, rtol=1e-3, atol=1e-6)


def test_batch_norm_stays_where_another_layer_looks_at_the_convolution() -> None:
    conv = Conv2D(4, 1)(InputLayer((5, 5, 3))(), name="conv")
    graph = Graph(Add()(conv, BatchNormalization()(conv, name="bn"), name="sum"))
    kept, _ = fold_batch_norm(graph, lively(graph))
    assert "BatchNormalization" in kinds(kept)


@pytest.mark.parametrize("before", [ZeroPadding2D(((1, 1), (1, 1))), Conv2D(3, 1, activation="relu")])
def test_batch_norm_stays_behind_anything_but_a_linear_convolution(before: ZeroPadding2D | Conv2D) -> None:
    graph = Graph(BatchNormalization()(before(InputLayer((5, 5, 3))())))
    kept, _ = fold_batch_norm(graph, lively(graph))
    assert "BatchNormalization" in kinds(kept)


@pytest.mark.parametrize(
    "layer",
    [Conv2D(4, 3, 2), DepthwiseConv2D(3, 2, depth_multiplier=2), SeparableConv2D(4, 3, 2), Conv2D(6, 3, 2, groups=3)],
    ids=["convolution", "depthwise", "separable", "grouped"],
)
def test_padding_and_batch_norm_vanish_into_a_convolution(layer: Convolution) -> None:
    x = ZeroPadding2D(((0, 1), (2, 0)))(InputLayer((6, 7, 3))())
    graph = Graph(BatchNormalization()(layer(x, name="conv")))
    arrays, picture = lively(graph), np.random.default_rng(1).normal(size=(1, 6, 7, 3))
    small, folded = for_inference(graph, arrays)
    assert kinds(small) == {"InputLayer", layer.kind}
    np.testing.assert_allclose(
        in_numpy.run(small, folded, picture), in_numpy.run(graph, arrays, picture), rtol=1e-5, atol=1e-6
    )


def test_padding_stays_before_a_convolution_that_pads_itself() -> None:
    x = ZeroPadding2D(((1, 1), (1, 1)))(InputLayer((6, 6, 3))())
    assert "ZeroPadding2D" in kinds(fold_padding(Graph(Conv2D(4, 3, 2, "same")(x))))


@pytest.mark.parametrize(
    ("before", "padding", "vanishes"),
    [
        (Activation("relu"), 1, True),
        (ReLU(6), 1, True),
        (Conv2D(3, 1, activation="relu"), 1, True),
        (Activation("tanh"), 1, False),
        (Conv2D(3, 1), 1, False),
        (Activation("relu"), 3, False),  # there a window would see nothing but padding
    ],
)
def test_padding_vanishes_into_a_maximum_of_what_is_never_negative(before: Layer, padding: int, vanishes: bool) -> None:
    x = ZeroPadding2D(((padding, padding), (padding, padding)))(before(InputLayer((7, 7, 3))()))
    graph = Graph(MaxPooling2D(3, 2)(x))
    arrays, picture = lively(graph), np.random.default_rng(1).normal(size=(1, 7, 7, 3))
    small = fold_padding(graph)
    assert ("ZeroPadding2D" not in kinds(small)) == vanishes
    np.testing.assert_array_equal(in_numpy.run(small, arrays, picture), in_numpy.run(graph, arrays, picture))


def test_folded_arrays_are_made_when_they_are_asked_for_and_not_kept() -> None:
    graph = Graph(BatchNormalization()(Conv2D(4, 3)(InputLayer((5, 5, 3))(), name="conv")))
    _, folded = fold_batch_norm(graph, lively(graph))
    assert list(folded) == ["conv/kernel", "conv/bias"]
    assert folded["conv/kernel"] is not folded["conv/kernel"]
    np.testing.assert_array_equal(folded["conv/kernel"], folded["conv/kernel"])
