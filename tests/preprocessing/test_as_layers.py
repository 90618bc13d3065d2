"""Preprocessing inside of networks, against NumPy: what normalisation and network give, one after the other."""

from collections.abc import Callable

import numpy as np
import pytest
from oracle import lively

from hati.engines import in_numpy
from hati.network.graph import Graph, Node
from hati.network.layers import (
    AveragePooling2D,
    BatchNormalization,
    Concatenate,
    Conv2D,
    DepthwiseConv2D,
    GlobalAveragePooling2D,
    InputLayer,
    MaxPooling2D,
    SeparableConv2D,
    ZeroPadding2D,
)
from hati.preprocessing import NORMALISATIONS, Normalisation
from hati.preprocessing.as_layers import PREPROCESSING, RED_GREEN_BLUE, on_pixels, on_rgb

EDGE = ((1, 2), (0, 3))
OTHER = Normalisation(scale=2.0, mean=(10.0, 20.0, 30.0), deviation=(3.0, 4.0, 5.0), bgr=True)
EVERY = NORMALISATIONS | {"all at once": OTHER}

# networks by what sees the picture first; whether BGR goes into a kernel there, or needs a layer of its own
BEGINNINGS: dict[str, tuple[Callable[[Node], Node], bool]] = {
    "a convolution": (lambda x: Conv2D(4, 3, 2, "same")(x, name="first"), True),
    "an edge and a convolution": (lambda x: Conv2D(4, 3)(ZeroPadding2D(EDGE)(x), name="first"), True),
    "two edges and a convolution": (
        lambda x: Conv2D(4, 3, use_bias=False)(ZeroPadding2D(EDGE)(ZeroPadding2D(EDGE)(x)), name="first"),
        True,
    ),
    "two convolutions, one of them behind an edge": (
        lambda x: Concatenate()(Conv2D(4, 3)(ZeroPadding2D(((1, 1), (1, 1)))(x)), Conv2D(3, 1)(x)),
        True,
    ),
    "a convolution in groups": (lambda x: Conv2D(6, 3, groups=3, padding="same")(x), False),
    "a depthwise convolution": (lambda x: DepthwiseConv2D(3, padding="same")(x), False),
    "a separable convolution behind an edge": (lambda x: SeparableConv2D(4, 3)(ZeroPadding2D(EDGE)(x)), False),
    "a maximum": (lambda x: MaxPooling2D(3, 2, "same")(x), False),
    "a mean": (lambda x: AveragePooling2D(3, 2, "same")(x), False),
    "a batch norm": (lambda x: BatchNormalization()(x), False),
    "an edge alone": (lambda x: ZeroPadding2D(EDGE)(x), False),
    "a convolution and a mean": (
        lambda x: Concatenate()(Conv2D(4, 3, padding="same")(x), AveragePooling2D(3, 1, "same")(x)),
        False,
    ),
}


def network(beginning: str) -> tuple[Graph, dict[str, np.ndarray]]:
    """What it gives is a map as large as the picture, so that its edges are seen."""
    make, _ = BEGINNINGS[beginning]
    graph = Graph(make(InputLayer((8, 9, 3))(name="picture")), "beginning")
    return graph, lively(graph)


def photos() -> np.ndarray:
    """All that pixels can be, black and white at the edges among them."""
    pixels = np.random.default_rng(0).integers(0, 256, (3, 8, 9, 3)).astype(np.uint8)
    pixels[1, 0], pixels[1, -1], pixels[2, :, 0], pixels[2, :, -1] = 0, 255, 255, 0
    return pixels


@pytest.mark.parametrize("beginning", BEGINNINGS)
@pytest.mark.parametrize("normalisation", EVERY)
def test_a_network_for_rgb_answers_as_the_one_that_was_trained(beginning: str, normalisation: str) -> None:
    graph, arrays = network(beginning)
    x = photos().astype(np.float64)
    expected = in_numpy.run(graph, arrays, EVERY[normalisation](x))
    turned, theirs, left = on_rgb(graph, arrays, EVERY[normalisation])
    assert not left.bgr
    np.testing.assert_allclose(in_numpy.run(turned, theirs, left(x)), expected, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("beginning", BEGINNINGS)
@pytest.mark.parametrize("normalisation", EVERY)
def test_a_network_for_pixels_answers_as_the_one_that_was_trained(beginning: str, normalisation: str) -> None:
    graph, arrays = network(beginning)
    x = photos().astype(np.float64)
    expected = in_numpy.run(graph, arrays, EVERY[normalisation](x))
    inside, theirs = on_pixels(*on_rgb(graph, arrays, EVERY[normalisation]))
    assert inside.input.shape == graph.input.shape
    assert inside.output.name == graph.output.name
    np.testing.assert_allclose(in_numpy.run(inside, theirs, x), expected, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("beginning", BEGINNINGS)
def test_bgr_costs_nothing_where_a_convolution_begins(beginning: str) -> None:
    graph, arrays = network(beginning)
    turned, theirs, _ = on_rgb(graph, arrays, NORMALISATIONS["caffe"])
    _, for_free = BEGINNINGS[beginning]
    assert [node.name for node in turned.nodes if node.name == RED_GREEN_BLUE] == [RED_GREEN_BLUE] * (not for_free)
    assert {name: theirs[name].shape for name in theirs} == turned.weights()
    assert all(array.flags.c_contiguous for array in theirs.values())  # PyTorch takes no other


def test_the_arrays_that_were_given_stay_as_they_are() -> None:
    graph, arrays = network("a convolution")
    before = {name: array.copy() for name, array in arrays.items()}
    _, theirs, _ = on_rgb(graph, arrays, NORMALISATIONS["caffe"])
    assert not np.array_equal(theirs["first/kernel"], before["first/kernel"])
    assert all(np.array_equal(arrays[name], before[name]) for name in before)


@pytest.mark.parametrize("normalisation", EVERY)
def test_there_is_one_layer_more_and_none_where_nothing_is_done(normalisation: str) -> None:
    graph = Graph(GlobalAveragePooling2D()(Conv2D(4, 3)(InputLayer((8, 8, 3))(name="picture"), name="first")))
    inside, _ = on_pixels(*on_rgb(graph, lively(graph), EVERY[normalisation]))
    more = {node.name for node in inside.nodes} - {node.name for node in graph.nodes}
    assert more == (set() if normalisation == "none" else {PREPROCESSING})
