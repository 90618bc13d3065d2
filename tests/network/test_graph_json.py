"""Networks as JSON and back; and JSON that describes none."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from cases import CASES, Case

from hati.errors import GraphError
from hati.network import graph_json
from hati.network.architectures import (
    convnext,
    densenet,
    efficientnet_lite,
    inception_v3,
    mobilenet,
    nasnet,
    resnet,
    vgg,
)
from hati.network.architectures.blocks import Top
from hati.network.graph import Graph
from hati.network.layers import Conv2D, Dense, Flatten, InputLayer, ReLU

SHAPE, OPEN = (96, 96, 3), (None, None, 3)
NETWORKS: dict[str, Callable[[], Graph]] = {
    "resnet50": lambda: resnet.resnet(SHAPE, name="resnet50"),
    "vgg16 for ten classes": lambda: vgg.vgg(SHAPE, Top(classes=10), name="vgg16"),
    "inception_v3 of any size": lambda: inception_v3.inception_v3(OPEN, Top(include_top=False)),
    "mobilenet": lambda: mobilenet.mobilenet(SHAPE, alpha=0.25),
    "efficientnet_lite0": lambda: efficientnet_lite.efficientnet_lite(SHAPE, name="efficientnet_lite0"),
    "densenet121": lambda: densenet.densenet(SHAPE, name="densenet121"),
    "nasnet_mobile": lambda: nasnet.nasnet(SHAPE, name="nasnet_mobile"),
    "convnext_tiny": lambda: convnext.convnext(SHAPE, name="convnext_tiny"),
}


def described(graph: Graph) -> list[tuple[Any, ...]]:
    return [(node.name, node.layer, node.group, node.shape, [x.name for x in node.inputs]) for node in graph.nodes]


def again(graph: Graph) -> Graph:
    return graph_json.from_json(json.loads(json.dumps(graph_json.to_json(graph))))


@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_comes_back_as_it_was(name: str) -> None:
    graph = NETWORKS[name]()
    assert again(graph).name == graph.name
    assert described(again(graph)) == described(graph)
    assert again(graph).weights() == graph.weights()


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_layer_of_every_kind_comes_back_as_it_was(case: Case) -> None:
    value = json.loads(json.dumps(graph_json.record_to_json(case.layer)))
    assert graph_json.record_from_json(type(case.layer), value) == case.layer


def small() -> dict[str, Any]:
    """The JSON of a network of four layers."""
    x = Conv2D(4, (3, 1), padding=((1, 1), (0, 0)))(InputLayer((8, 8, 3))(), name="conv", group="stem")
    return graph_json.to_json(Graph(Dense(2, "softmax")(Flatten()(x), name="predictions"), "small"))


def test_json_is_as_short_and_as_plain_as_its_network() -> None:
    assert small()["nodes"][1] == {
        "name": "conv",
        "kind": "Conv2D",
        "settings": {
            "filters": 4,
            "kernel_size": (3, 1),
            "strides": 1,
            "padding": ((1, 1), (0, 0)),
            "activation": "linear",
            "use_bias": True,
            "groups": 1,
        },
        "inputs": ["input_layer"],
        "group": "stem",
    }


def set_in(*path: Any) -> Callable[[dict[str, Any]], None]:
    """Put the last of the path at the place that the others lead to."""

    def change(value: Any) -> None:
        *way, last, new = path
        for step in way:
            value = value[step]
        value[last] = new

    return change


def setting(name: str, value: Any) -> Callable[[dict[str, Any]], None]:
    return set_in("nodes", 1, "settings", name, value)


def without(*path: Any) -> Callable[[dict[str, Any]], None]:
    def change(value: Any) -> None:
        for step in path[:-1]:
            value = value[step]
        del value[path[-1]]

    return change


def twice(value: dict[str, Any]) -> None:
    value["nodes"].append(value["nodes"][-1])


def backwards(value: dict[str, Any]) -> None:
    value["nodes"].reverse()


def thousands(value: dict[str, Any]) -> None:
    value["nodes"] *= 10_000


def a_fan(value: dict[str, Any]) -> None:
    value["nodes"][1] = {"name": "add", "kind": "Add", "settings": {"scale": 1}, "inputs": ["input_layer"] * 200_000}


def a_dead_end(value: dict[str, Any]) -> None:
    value["nodes"].insert(2, value["nodes"][1] | {"name": "dead"})


def doubling(value: dict[str, Any]) -> None:
    value["nodes"][1:] = [
        {"name": f"n{n}", "kind": "Concatenate", "settings": {}, "inputs": [f"n{n - 1}" if n else "input_layer"] * 2}
        for n in range(5000)
    ]


def deep(value: dict[str, Any]) -> None:
    for _ in range(100_000):
        value["nodes"] = [value["nodes"]]


def deep_setting(value: dict[str, Any]) -> None:
    inner: list[Any] = []
    for _ in range(100_000):
        inner = [inner]
    value["nodes"][1]["settings"]["padding"] = inner


HOSTILE: dict[str, tuple[Callable[[dict[str, Any]], None], str]] = {
    "no nodes": (set_in("nodes", []), "it describes no graph of 1 to 10,000 layers"),
    "thousands of nodes": (thousands, "it describes no graph of 1 to 10,000 layers"),
    "nodes that are no list": (set_in("nodes", {"a": 1}), "it describes no graph"),
    "a name that is no text": (set_in("name", 5), "it describes no graph"),
    "a name that leads elsewhere": (set_in("name", "../../etc/x"), "the network is called '../../etc/x'"),
    "a name with stars": (set_in("name", "*"), r"the network is called '\*'"),
    "a name with lines": (set_in("nodes", 1, "name", "a\nb"), r"a name is 'a\\nb'"),
    "a name without end": (set_in("nodes", 1, "name", "a" * 300), "1 to 200 letters"),
    "no name": (set_in("nodes", 1, "name", ""), "1 to 200 letters"),
    "a group that leads elsewhere": (set_in("nodes", 1, "group", "a/b"), "a name is 'a/b'"),
    "a group that is no text": (set_in("nodes", 1, "group", 4), "a layer is described wrongly"),
    "two of one name": (twice, "two layers are called 'predictions'"),
    "users before inputs": (backwards, "by inputs that do not come before it"),
    "an input of itself": (set_in("nodes", 1, "inputs", ["conv"]), "by inputs that do not come before it"),
    "an input that is not there": (set_in("nodes", 1, "inputs", ["lost"]), "by inputs that do not come before it"),
    "an input that is no name": (set_in("nodes", 1, "inputs", [[]]), "by inputs that do not come before it"),
    "no inputs": (set_in("nodes", 1, "inputs", []), "conv: .*"),
    "inputs without end": (a_fan, "two layers are called 'add', or their inputs are too many"),
    "a layer that leads nowhere": (a_dead_end, "are not in their order, or some lead nowhere"),
    "no input layer": (without("nodes", 0), "by inputs that do not come before it"),
    "a second input layer": (
        set_in("nodes", 1, {"name": "b", "kind": "InputLayer", "settings": {"size": [8, 8, 3]}, "inputs": []}),
        "b: a network has one InputLayer",
    ),
    "a node that is a number": (set_in("nodes", 1, 7), "a layer is described wrongly"),
    "one more key": (set_in("nodes", 1, "code", "print()"), "a layer is described wrongly"),
    "an unknown kind": (set_in("nodes", 1, "kind", "Lambda"), "there is no kind of layer called 'Lambda'"),
    "a kind that is none itself": (set_in("nodes", 1, "kind", "Pooling2D"), "no kind of layer called 'Pooling2D'"),
    "a kind that is Python's": (set_in("nodes", 1, "kind", "__class__"), "no kind of layer called '__class__'"),
    "an unknown setting": (setting("call", 1), "Conv2D has the settings filters, .*; it came with others"),
    "a missing setting": (without("nodes", 1, "settings", "filters"), "it came with others"),
    "settings that are no table": (set_in("nodes", 1, "settings", [1]), "it came with others"),
    "a text for a number": (setting("filters", "4"), "Conv2D.filters is '4'; a whole number from 1 on was expected"),
    "a truth for a number": (setting("filters", True), "Conv2D.filters is True; a whole number from 1 on was expected"),
    "a fraction for a number": (
        setting("filters", 4.5),
        "Conv2D.filters is 4.5; a whole number from 1 on was expected",
    ),
    "a number for a truth": (setting("use_bias", 1), "Conv2D.use_bias is 1; True or False was expected"),
    "fewer than nothing": (setting("filters", -1), "Conv2D.filters is -1"),
    "a number without end": (setting("filters", 10**30), "Conv2D.filters is 1000000"),
    "an unknown function": (setting("activation", "exec"), "Conv2D.activation is 'exec'"),
    "three sides of a pair": (setting("strides", [1, 1, 1]), r"Conv2D.strides is \[1, 1, 1\]"),
    "strides that stand still": (setting("strides", 0), "Conv2D.strides is 0; a whole number from 1 on or "),
    "no groups at all": (setting("groups", 0), "Conv2D.groups is 0; a whole number from 1 on was expected"),
    "no filters": (setting("filters", 0), "Conv2D.filters is 0; a whole number from 1 on was expected"),
    "units of an absurd number": (set_in("nodes", 3, "settings", "units", 1 << 24), "a layer of shape .* is absurd"),
    "a border of an absurd width": (setting("padding", [[1 << 24] * 2] * 2), "a layer of shape .* is absurd"),
    "pictures of an absurd size": (set_in("nodes", 0, "settings", "size", [1 << 20, 1 << 20, 3]), "is absurd"),
    "pictures of many axes": (set_in("nodes", 0, "settings", "size", [1] * 9), "is absurd"),
    "pictures that are nothing": (set_in("nodes", 0, "settings", "size", [0, 0, 3]), r"InputLayer.size is \[0, 0, 3\]"),
    "channels that double": (doubling, "a layer of shape .* is absurd"),
    "lists in lists": (deep, "a layer is described"),
    "lists in a setting": (deep_setting, "lists in lists|Conv2D.padding is"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_json_that_describes_no_network_is_refused_with_its_fault(case: str) -> None:
    change, fault = HOSTILE[case]
    value = small()
    change(value)
    with pytest.raises(GraphError, match=fault):
        graph_json.from_json(value)


@pytest.mark.parametrize("value", [None, 5, "graph", [], {}, {"name": "a"}, {"nodes": []}])
def test_json_of_something_else_is_refused(value: Any) -> None:
    with pytest.raises(GraphError, match="it describes no graph"):
        graph_json.from_json(value)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 1e300])
def test_numbers_that_are_none_are_no_settings(value: float) -> None:
    told = graph_json.to_json(Graph(ReLU(6)(InputLayer((3,))())))
    told["nodes"][1]["settings"]["max_value"] = value
    with pytest.raises(GraphError, match=r"ReLU\.max_value is"):
        graph_json.from_json(told)


@pytest.mark.parametrize("name", ["a/b", "..", "*", "a\nb", ""])
def test_a_name_that_could_not_come_back_is_refused_when_it_is_written(name: str) -> None:
    with pytest.raises(GraphError, match=r"a name is|is called"):
        graph_json.to_json(Graph(InputLayer((3,))(), name))
