from collections.abc import Callable

import numpy as np
import pytest

from hati.architectures.blocks import Head
from hati.architectures.efficientnet_lite import efficientnet_lite0, pytorch_names
from hati.architectures.mobilenet import mobilenet
from hati.errors import WeightsError
from hati.graph import Graph
from hati.weights import random
from hati.weights.fitting import PYTORCH_WEIGHTS, fit
from hati.weights.reading import Layered

Arrays = dict[str, np.ndarray]


def small(classes: int = 5, *, top: bool = True) -> Graph:
    return mobilenet((32, 32, 3), Head(include_top=top, classes=classes), alpha=0.25)


def named(graph: Graph | None = None) -> Arrays:
    return random(graph or small(), seed=1).arrays()


def layered(graph: Graph) -> dict[str, list[np.ndarray]]:
    arrays = named(graph)
    return {
        node.name: [arrays[f"{node.name}/{key}"] for key in node.weights()] for node in graph.nodes if node.weights()
    }


def same(found: Arrays, expected: Arrays) -> bool:
    return list(found) == list(expected) and all(np.array_equal(found[name], expected[name]) for name in expected)


def test_arrays_by_the_graphs_own_names_fit_in_any_order() -> None:
    assert same(fit(dict(reversed(named().items())), small(), "file"), named())


@pytest.mark.parametrize("rename", [lambda name: name, lambda name: f"old_{name}"], ids=["by name", "by order"])
def test_keras_lists_fit(rename: Callable[[str], str]) -> None:
    stored = Layered({rename(name): arrays for name, arrays in layered(small()).items()})
    assert same(fit(stored, small(), "file"), named())


def test_keras_lists_with_the_graphs_names_fit_in_any_order() -> None:
    stored = Layered(dict(reversed(layered(small()).items())))
    assert same(fit(stored, small(), "file"), named())


def in_pytorch(graph: Graph) -> Arrays:
    """The graph's arrays as a state dict would hold them."""
    arrays, names, stored = named(graph), pytorch_names(graph), {}
    for node in graph.nodes:
        for key in node.weights():
            array = arrays[f"{node.name}/{key}"]
            if array.ndim == 4:
                array = array.transpose((2, 3, 0, 1) if node.layer.kind == "DepthwiseConv2D" else (3, 2, 0, 1))
            stored[f"{names[node.name]}.{PYTORCH_WEIGHTS[key]}"] = array.T if array.ndim == 2 else array
            if key == "moving_mean":
                stored[f"{names[node.name]}.num_batches_tracked"] = np.array(7)
    return stored


def test_a_pytorch_state_dict_fits() -> None:
    graph = efficientnet_lite0((64, 64, 3))
    assert same(fit(in_pytorch(graph), graph, "file", pytorch_names(graph)), named(graph))


def test_a_body_takes_what_it_needs_from_a_file_with_a_classifier() -> None:
    body = small(top=False)
    assert list(fit(named(), body, "file", body_only=True)) == list(body.weights())


@pytest.mark.parametrize("dtype", [np.float16, np.float64, np.int32])
def test_other_numbers_become_float32(dtype: type) -> None:
    found = fit({name: array.astype(dtype) for name, array in named().items()}, small(), "file")
    assert {array.dtype for array in found.values()} == {np.dtype(np.float32)}


def without(name: str) -> Arrays:
    return {key: array for key, array in named().items() if key != name}


def changed(name: str, array: np.ndarray) -> Arrays:
    return named() | {name: array}


REFUSED = {
    "a missing array": (without("conv_dw_2_bn/beta"), "conv_dw_2_bn has no beta there"),
    "an extra array": (named() | {"more/kernel": np.ones(1)}, "it has more/kernel, which mobilenet does not"),
    "a wrong shape": (
        changed("conv_pw_3/kernel", np.ones((1, 1, 8, 9))),
        r"conv_pw_3: its kernel is \(1, 1, 8, 9\) there, mobilenet needs \(1, 1, 32, 32\)\. .*another network",
    ),
    "other classes": (named(small(9)), r"conv_preds: its kernel is .*Is it a file for classes=9\?"),
    "no classifier": (named(small(top=False)), "conv_preds has no kernel there.*include_top=False"),
    "strings": (changed("conv1_bn/beta", np.array(["x"] * 8)), "conv1_bn: its beta is of type <U1"),
    "numbers too large": (changed("conv1_bn/beta", np.full(8, 1e300)), "conv1_bn: its beta has numbers .* too large"),
    "keras lists without classifier": (Layered(layered(small(top=False))), "conv_preds.*include_top=False"),
    "keras lists of fewer arrays": (
        Layered(layered(small()) | {"conv1_bn": [np.ones(8)]}),
        "conv1_bn has 1 arrays there, mobilenet needs gamma, beta, moving_mean, moving_variance",
    ),
    "keras lists of another network": (
        Layered({"stem": [np.ones((3, 3, 3, 32))], "more": [np.ones(32)]}),
        r"it has 2 layers with weights, mobilenet has 55; conv1 is the first that does not fit",
    ),
}


@pytest.mark.parametrize(("stored", "message"), REFUSED.values(), ids=REFUSED)
def test_what_does_not_fit_is_refused_with_the_first_layer(stored: Arrays | Layered, message: str) -> None:
    with pytest.raises(WeightsError, match=f"^file: .*{message}"):
        fit(stored, small(), "file")


def test_a_classifier_is_too_much_for_a_body() -> None:
    with pytest.raises(WeightsError, match="include_top=True"):
        fit(Layered(layered(small())), small(top=False), "file")
