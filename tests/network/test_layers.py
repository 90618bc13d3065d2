"""Layers that check themselves: whatever a layer is given, it has a shape or says what is wrong."""

import json
from collections.abc import Callable
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import numpy as np
import pytest
from case_graphs import kinds
from hypothesis import given, settings
from hypothesis import strategies as st

from hati.errors import GraphError
from hati.network import graph_json
from hati.network.graph import Graph, Layer, Node
from hati.network.layers import (
    Activation,
    Add,
    AveragePooling2D,
    BatchNormalization,
    Conv2D,
    Cropping2D,
    Dense,
    DepthwiseConv2D,
    Dropout,
    GlobalAveragePooling2D,
    GlobalMaxPooling2D,
    InputLayer,
    LayerNormalization,
    MaxPooling2D,
    Normalization,
    ReLU,
    Reshape,
    SeparableConv2D,
    ZeroPadding2D,
)
from hati.network.settings import types_of

WHOLE = st.integers(-3, 9) | st.sampled_from([-(2**70), 2**24, 2**70]) | st.integers(-3, 9).map(np.int64)
REAL = st.floats() | st.integers(-3, 9)


def any_value(hint: Any) -> st.SearchStrategy[Any]:
    """Values of a type's kind, and with them such as it forbids."""
    match get_origin(hint), get_args(hint):
        case origin, (plain, _) if origin is Annotated:
            return any_value(plain)
        case origin, options if origin in (Union, UnionType):
            return st.one_of(*map(any_value, options))
        case origin, options if origin is Literal:
            return st.sampled_from(options)
        case origin, (part, end) if origin is tuple and end is ...:
            return st.lists(any_value(part), max_size=4).map(tuple)
        case origin, parts if origin is tuple:
            return st.tuples(*map(any_value, parts))
    return {int: WHOLE, float: REAL, bool: st.booleans(), type(None): st.none()}[hint]


def settings_of(kind: Any) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({name: any_value(hint) for name, hint in types_of(kind).items()})


SHAPES = st.lists(st.lists(st.integers(1, 12) | st.none(), min_size=1, max_size=4).map(tuple), max_size=3)


@pytest.mark.parametrize("kind", sorted({*kinds(), InputLayer}, key=str))
@given(data=st.data())
@settings(max_examples=150)
def test_a_layer_has_a_shape_of_something_or_refuses(kind: type[Layer], data: st.DataObject) -> None:
    given_settings, shapes = data.draw(settings_of(kind)), data.draw(SHAPES)
    try:
        node = kind(**given_settings)(*(InputLayer(shape)() for shape in shapes))
    except GraphError:
        return
    for shape in (node.shape, *node.weights().values()):
        assert all(size is None or (type(size) is int and size > 0) for size in shape)
    assert node.shape
    json.dumps(graph_json.record_to_json(node.layer))
    assert eval(repr(node.layer), {kind.__name__: kind}) == node.layer  # it is written as one would write it


@pytest.mark.parametrize(
    ("make", "fault"),
    [
        (lambda: Conv2D(0, 3), "Conv2D.filters is 0; a whole number from 1 on was expected"),
        (lambda: Conv2D(4, 0), "Conv2D.kernel_size is 0; a whole number from 1 on or "),
        (lambda: Conv2D(4, (3, -1)), r"Conv2D.kernel_size is \(3, -1\); a whole number from 1 on or "),
        (lambda: Conv2D(4, 3, 0), "Conv2D.strides is 0; "),
        (lambda: Conv2D(4, 3, -1), "Conv2D.strides is -1; "),
        (lambda: Conv2D(4, 3, padding=((0, 0), (-1, 0))), r"Conv2D.padding is .*; 'valid' or 'same' or \(\(a whole"),
        (lambda: Conv2D(4, 3, padding="full"), "Conv2D.padding is 'full'; 'valid' or 'same' or "),  # type: ignore[arg-type]
        (lambda: Conv2D(4, 3, activation="swish"), "Conv2D.activation is 'swish'; 'linear' or 'relu' or "),  # type: ignore[arg-type]
        (lambda: Conv2D(4, 3, groups=0), "Conv2D.groups is 0; "),
        (lambda: Conv2D(True, 3), "Conv2D.filters is True; "),
        (lambda: DepthwiseConv2D(3, depth_multiplier=0), "DepthwiseConv2D.depth_multiplier is 0; "),
        (lambda: SeparableConv2D(4, 3, (1, 0)), r"SeparableConv2D.strides is \(1, 0\); "),
        (lambda: MaxPooling2D(0, 2), "MaxPooling2D.pool_size is 0; "),
        (lambda: AveragePooling2D(2, -2), "AveragePooling2D.strides is -2; "),
        (lambda: ZeroPadding2D(((-1, 0), (0, 0))), "ZeroPadding2D.padding is "),
        (lambda: Cropping2D(((-1, 0), (0, 0))), "Cropping2D.cropping is "),
        (lambda: Dense(-2), "Dense.units is -2; "),
        (lambda: Dropout(1.5), r"Dropout.rate is 1\.5; a number from 0 to 1 was expected"),
        (lambda: ReLU(-1.0), r"ReLU.max_value is -1\.0; a number from 0 on or None was expected"),
        (lambda: BatchNormalization(epsilon=-1e-3), "BatchNormalization.epsilon is -0.001; "),
        (lambda: LayerNormalization(float("nan")), "LayerNormalization.epsilon is nan; "),
        (lambda: Normalization((0.0,), (-1.0,)), r"Normalization.variance is \(-1\.0,\); "),
        (lambda: Reshape((0, 4)), r"Reshape.target is \(0, 4\); "),
        (lambda: Reshape(())(InputLayer((1,))(), name="flat"), "flat: nothing is left of a picture"),
        (lambda: InputLayer((0, 4, 3)), r"InputLayer.size is \(0, 4, 3\); "),
        (lambda: GlobalAveragePooling2D()(InputLayer((4, 3))(), name="mean"), "mean: "),
        (lambda: GlobalMaxPooling2D(keepdims=True)(InputLayer((4,))(), name="most"), "most: "),
    ],
)
def test_a_setting_that_means_nothing_is_refused(make: Callable[[], object], fault: str) -> None:
    with pytest.raises(GraphError, match=fault):
        make()


def network(three: Any) -> Graph:
    """With one number wherever a whole number goes."""
    x: Node = InputLayer((three * 8, three * 8, three))(name="picture")
    x = ZeroPadding2D(((three, three), (three, three)))(x)
    x = Conv2D(three * 2, (three, three), strides=three, groups=three)(x)
    x = DepthwiseConv2D(three, depth_multiplier=three)(x)
    x = MaxPooling2D(three, three)(x)
    return Graph(Dense(three)(Reshape((three * 24,))(x)))


def test_numpys_whole_numbers_are_whole_numbers() -> None:
    with_numpys, plain = network(np.int64(3)), network(3)
    assert [node.layer for node in with_numpys.nodes] == [node.layer for node in plain.nodes]
    assert repr(with_numpys.nodes) == repr(plain.nodes)
    assert json.dumps(graph_json.to_json(with_numpys)) == json.dumps(graph_json.to_json(plain))
    assert with_numpys.fingerprint() == plain.fingerprint()


@pytest.mark.parametrize(
    ("shown", "text"),
    [
        (Conv2D(64, 7, 2, use_bias=False), "Conv2D(64, 7, strides=2, use_bias=False)"),
        (Activation("relu"), "Activation('relu')"),
        (ReLU(6), "ReLU(max_value=6)"),
        (Add(), "Add()"),
        (
            Conv2D(4, 1)(InputLayer((8, 8, 3))(), name="conv1_conv"),
            "<conv1_conv: Conv2D(4, 1) -> (8, 8, 4)>",
        ),
        (Add()(InputLayer((3,))(), InputLayer((3,))()), "<unnamed: Add() -> (3,)>"),
        (Graph(Dense(2)(InputLayer((3,))()), "tiny"), "<Graph tiny: 2 layers, (3,) -> (2,)>"),
    ],
    ids=str,
)
def test_what_is_shown_is_short(shown: object, text: str) -> None:
    assert repr(shown) == text
