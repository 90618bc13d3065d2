"""From the names of a file to those of a graph, by name or by order; or the first layer that does not fit."""

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hati import catalog
from hati.errors import WeightsError
from hati.network.architectures import efficientnet_lite, mobilenet, resnet, vgg
from hati.network.architectures.blocks import Top
from hati.network.graph import Graph
from hati.network.layers import Dense, InputLayer
from hati.weights import fitting, reading
from hati.weights.bringing import store
from hati.weights.formats.layouts import Layered, Named

TOP, NOTOP, TEN = Top(), Top(include_top=False), Top(classes=10)
SMALL = (32, 32, 3)

GRAPHS = {
    "mobilenet": lambda head: mobilenet.mobilenet(SMALL, head, alpha=0.25),
    "wider mobilenet": lambda head: mobilenet.mobilenet(SMALL, head, alpha=0.5),
    "resnet50": lambda head: resnet.resnet(SMALL, head, name="resnet50"),
    "vgg16": lambda head: vgg.vgg(SMALL, head, name="vgg16"),
    "vgg19": lambda head: vgg.vgg(SMALL, head, name="vgg19"),
    "lite0": lambda head: efficientnet_lite.efficientnet_lite(SMALL, head, name="efficientnet_lite0"),
    "lite1": lambda head: efficientnet_lite.efficientnet_lite(SMALL, head, name="efficientnet_lite1"),
}


@cache
def graph(name: str, head: Top = TOP) -> Graph:
    return GRAPHS[name](head)


def named(graph: Graph) -> dict[str, np.ndarray]:
    """Arrays by the graph's own names, each with a number of its own in it."""
    return {
        name: np.full(shape, number, np.float32) if np.prod(shape) < 5000 else np.zeros(shape, np.float32)
        for number, (name, shape) in enumerate(graph.weights().items())
    }


def layered(graph: Graph, rename: str = "{}") -> Layered:
    """The same as Keras' legacy lists; `rename` is made of each layer's name."""
    layers: dict[str, list[np.ndarray]] = {}
    for name, array in named(graph).items():
        layers.setdefault(rename.format(name.rpartition("/")[0]), []).append(array)
    return Layered(layers)


def pytorch(graph: Graph) -> dict[str, np.ndarray]:
    """The same as a PyTorch state dict, with the counters that it has beside."""
    names = efficientnet_lite.pytorch_names(graph)
    stored: dict[str, np.ndarray] = {}
    for name, array in named(graph).items():
        layer, _, key = name.rpartition("/")
        theirs = fitting.PYTORCH_WEIGHTS[key]
        axes = (3, 2, 0, 1) if array.ndim == 4 and "dwconv" not in layer else (2, 3, 0, 1)
        stored[f"{names[layer]}.{theirs}"] = array.transpose(axes) if array.ndim == 4 else array.T
        if key == "moving_variance":
            stored[f"{names[layer]}.num_batches_tracked"] = np.array(7)
    return stored


def fit(stored: Named | Layered, graph: Graph, **options: Any) -> dict[str, np.ndarray]:
    names = efficientnet_lite.pytorch_names(graph) if graph.name.startswith("efficientnet_lite") else None
    return fitting.fit(stored, graph, "file.h5", names, **options)


def assert_same(found: Named, expected: Named) -> None:
    assert list(found) == list(expected)
    for name, array in expected.items():
        assert found[name].dtype == np.float32
        np.testing.assert_array_equal(found[name], array, err_msg=name)


HEADS = pytest.mark.parametrize("head", [TOP, NOTOP, TEN], ids=["top", "notop", "ten classes"])


@HEADS
@pytest.mark.parametrize("name", ["mobilenet", "resnet50", "lite0"])
def test_every_layout_gives_the_graphs_arrays_in_its_order(name: str, head: Top) -> None:
    network = graph(name, head)
    expected = named(network)
    shuffled = dict(sorted(expected.items(), key=lambda item: item[0][::-1]))
    backwards = Layered(dict(reversed(layered(network).layers.items())))
    assert list(shuffled) != list(expected)
    for stored in (expected, shuffled, layered(network), backwards, layered(network, "model_1_{}")):
        assert_same(fit(stored, network), expected)


@HEADS
def test_pytorchs_names_and_layouts_become_ours(head: Top) -> None:
    network = graph("lite0", head)
    assert_same(fit(pytorch(network), network), named(network))


def test_the_real_pytorch_file_fits_number_for_number() -> None:
    path = store.path_of(catalog.find("EfficientNetLite0").top_file)
    assert path is not None
    stored = reading.read(path)
    assert isinstance(stored, dict)
    arrays = fit(stored, graph("lite0"))
    height, width, channel, filters = 2, 1, 0, 5
    kernel = stored["_conv_stem.weight"][filters, channel, height, width]
    assert arrays["stem_conv/kernel"][height, width, channel, filters] == kernel
    depthwise = stored["_blocks.3._depthwise_conv.weight"][filters, 0, height, width]
    assert arrays["block3a_dwconv/kernel"][height, width, filters, 0] == depthwise
    assert arrays["predictions/kernel"][filters, 386] == stored["_fc.weight"][386, filters]
    np.testing.assert_array_equal(arrays["top_bn/moving_variance"], stored["_bn1.running_var"])
    assert (
        sum(array.size for array in arrays.values()) == 4_652_008 + 42_016
    )  # trained ones, and batch norm's running ones


def test_the_real_keras_file_fits_by_name_and_by_order(shared: Path) -> None:
    stored = reading.read(shared / "mobilenet_2_5_224_tf.h5")
    assert isinstance(stored, Layered)
    renamed = Layered({f"layer{number}": arrays for number, arrays in enumerate(stored.layers.values())})
    by_name = fit(stored, graph("mobilenet"))
    assert_same(fit(renamed, graph("mobilenet")), by_name)
    assert sum(array.size for array in by_name.values()) == 475_544


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", ">f4", "int8", "uint16", "int64"])
def test_numbers_of_every_type_come_out_as_float32(dtype: str) -> None:
    network = graph("mobilenet")
    stored = {name: (array % 100).astype(dtype) for name, array in named(network).items()}
    assert_same(fit(stored, network), {name: array % 100 for name, array in named(network).items()})


LAYOUTS = {"names": named, "lists": layered, "lists by order": lambda network: layered(network, "other_{}")}
ANOTHER = "Is it a file of another network?"
WITHOUT = "Is it a file without the classifier, for include_top=False?"
WITH = "Is it a file with the classifier, for include_top=True?"

# (the file's network, the graph), then what is said where the file has names, lists of our names, lists of others
MISFITS = {
    "another network": (
        ("mobilenet", TOP), ("resnet50", TOP),
        f"conv1_conv has no kernel there; it has conv1/kernel, conv_dw_1/kernel, conv_dw_1_bn/gamma. {ANOTHER}",
        "it has 55 layers with weights, resnet50 has 107; conv1_conv is the first that does not fit: conv1 there is "
        f"[(3, 3, 3, 8)], not [(7, 7, 3, 64), (64,)]. {ANOTHER}",
    ),
    "a wider one": (
        ("wider mobilenet", TOP), ("mobilenet", TOP),
        f"conv1: its kernel is (3, 3, 3, 16) there, mobilenet needs (3, 3, 3, 8). {ANOTHER}", "same",
    ),
    "a longer one": (
        ("vgg19", NOTOP), ("vgg16", NOTOP),
        f"it has block3_conv4/kernel, which vgg16 does not. {ANOTHER}",
        f"it has block3_conv4/0, which vgg16 does not. {ANOTHER}",
    ),
    "a shorter one": (
        ("vgg16", NOTOP), ("vgg19", NOTOP), "block3_conv4 has no kernel there", "same",
    ),
    "no classifier": (
        ("resnet50", NOTOP), ("resnet50", TOP), f"predictions has no kernel there. {WITHOUT}", "same",
    ),
    "no classifier of three layers": (
        ("vgg16", NOTOP), ("vgg16", TOP), f"fc1 has no kernel there. {WITHOUT}", "same",
    ),
    "no classifier that is a convolution": (
        ("mobilenet", NOTOP), ("mobilenet", TOP), f"conv_preds has no kernel there. {WITHOUT}", "same",
    ),
    "a classifier": (
        ("resnet50", TOP), ("resnet50", NOTOP),
        f"it has predictions/kernel, which resnet50 does not. {WITH}",
        f"it has predictions/0, which resnet50 does not. {WITH}",
    ),
    "a classifier of three layers": (
        ("vgg16", TOP), ("vgg16", NOTOP),
        f"it has fc1/kernel, which vgg16 does not. {WITH}", f"it has fc1/0, which vgg16 does not. {WITH}",
    ),
    "other classes": (
        ("resnet50", TEN), ("resnet50", TOP),
        "predictions: its kernel is (2048, 10) there, resnet50 needs (2048, 1000). Is it a file for classes=10?",
        "same",
    ),
    "other classes of a convolution": (
        ("mobilenet", TEN), ("mobilenet", TOP),
        "conv_preds: its kernel is (1, 1, 256, 10) there, mobilenet needs (1, 1, 256, 1000). Is it a file for "
        "classes=10?",
        "same",
    ),
}  # fmt: skip


def refusal(stored: Named | Layered, network: Graph, **options: Any) -> str:
    with pytest.raises(WeightsError) as refused:
        fit(stored, network, **options)
    source, _, said = str(refused.value).partition(": ")
    assert source == "file.h5"
    return said.replace(network.name, network.name.partition("_0.")[0])


@pytest.mark.parametrize("case", MISFITS)
def test_a_file_of_something_else_is_refused_with_the_first_layer_that_does_not_fit(case: str) -> None:
    theirs, ours, with_names, with_lists = MISFITS[case]
    assert refusal(named(graph(*theirs)), graph(*ours)) == with_names
    assert refusal(layered(graph(*theirs)), graph(*ours)) == (with_names if with_lists == "same" else with_lists)


BY_ORDER = {
    "another network": (("mobilenet", TOP), ("resnet50", TOP), "conv1_conv is the first that does not fit: x_conv1 th"),
    "a wider one": (("wider mobilenet", TOP), ("mobilenet", TOP), "conv1: its kernel is (3, 3, 3, 16) there"),
    "a longer one": (("vgg19", TOP), ("vgg16", TOP), "block4_conv1 is the first that does not fit: x_block3_conv4"),
    "no classifier": (
        ("resnet50", NOTOP), ("resnet50", TOP),
        f"106 layers with weights, resnet50 has 107; all fit but the last ones. {WITHOUT}",
    ),
    "a classifier": (
        ("vgg16", TOP), ("vgg16", NOTOP),
        f"16 layers with weights, vgg16 has 13; all fit but the last ones. {WITH}",
    ),
    "other classes": (("resnet50", TEN), ("resnet50", TOP), "Is it a file for classes=10?"),
}  # fmt: skip


@pytest.mark.parametrize("case", BY_ORDER)
def test_a_file_with_unknown_names_is_refused_by_its_shapes(case: str) -> None:
    theirs, ours, said = BY_ORDER[case]
    assert said in refusal(layered(graph(*theirs), "x_{}"), graph(*ours))


PYTORCH = {
    "another size": (("lite1", TOP), ("lite0", TOP), "block3a_dwconv: its kernel is (3, 3, 144, 1) there"),
    "no classifier": (("lite0", NOTOP), ("lite0", TOP), f"predictions has no kernel there. {WITHOUT}"),
    "a classifier": (("lite0", TOP), ("lite0", NOTOP), f"it has _fc.weight, which efficientnet_lite0 does not. {WITH}"),
    "other classes": (("lite0", TEN), ("lite0", TOP), "needs (1280, 1000). Is it a file for classes=10?"),
}  # fmt: skip


@pytest.mark.parametrize("case", PYTORCH)
def test_a_state_dict_of_something_else_is_refused(case: str) -> None:
    theirs, ours, said = PYTORCH[case]
    assert said in refusal(pytorch(graph(*theirs)), graph(*ours))


def test_a_state_dict_of_another_network_is_refused_with_what_it_has() -> None:
    said = refusal(pytorch(graph("lite0")), graph("mobilenet"))
    assert said == f"conv1 has no kernel there; it has _conv_stem.weight, _bn0.weight, _bn0.bias. {ANOTHER}"


@pytest.mark.parametrize("layout", [named, layered, pytorch])
def test_a_body_may_come_from_a_file_with_a_classifier(layout: Any) -> None:
    body = graph("lite0", NOTOP)
    assert_same(fit(layout(graph("lite0")), body, body_only=True), named(body))


def test_a_body_may_not_come_from_a_file_with_other_layers() -> None:
    assert "it has block3_conv4/kernel" in refusal(named(graph("vgg19")), graph("vgg16", NOTOP), body_only=True)


@pytest.mark.parametrize("layout", [named, pytorch])
@pytest.mark.parametrize("layer", ["stem_conv", "block4b_dwconv", "top_bn"])
def test_a_missing_array_is_named(layout: Any, layer: str) -> None:
    network = graph("lite0")
    theirs = {
        "stem_conv": "_conv_stem.weight",
        "block4b_dwconv": "_blocks.6._depthwise_conv.weight",
        "top_bn": "_bn1.bias",
    }
    key = "beta" if layer == "top_bn" else "kernel"
    stored = layout(network)
    del stored[theirs[layer] if layout is pytorch else f"{layer}/{key}"]
    assert refusal(stored, network) == f"{layer} has no {key} there"


@pytest.mark.parametrize("rename", ["{}", "other_{}"])
def test_a_missing_array_of_a_list_is_named_with_what_the_layer_needs(rename: str) -> None:
    stored = layered(graph("mobilenet"), rename)
    stored.layers[rename.format("conv_dw_3_bn")].pop()
    needs = "mobilenet needs gamma, beta, moving_mean, moving_variance"
    assert refusal(stored, graph("mobilenet")) == f"conv_dw_3_bn has 3 arrays there, {needs}. {ANOTHER}"


@pytest.mark.parametrize("stored", [{}, Layered({})], ids=["names", "lists"])
def test_a_file_without_arrays_is_refused(stored: Named | Layered) -> None:
    assert refusal(stored, graph("mobilenet")) == "conv1 has no kernel there"


def test_an_array_too_much_is_named() -> None:
    network = graph("mobilenet")
    said = refusal({**named(network), "conv1/bias": np.zeros(8)}, network)
    assert said == f"it has conv1/bias, which mobilenet does not. {ANOTHER}"


@pytest.mark.parametrize(
    ("wrong", "dtype"),
    [
        (np.full(8, None), "object"),
        (np.full(8, True), "bool"),
        (np.full(8, "0.5"), "<U3"),
        (np.full(8, b"0"), "|S1"),
        (np.zeros(8, complex), "complex128"),
        (np.zeros(8, "M8[s]"), "datetime64[s]"),
        (np.zeros(8, "f4,f4"), "[('f0', '<f4'), ('f1', '<f4')]"),
    ],
    ids=lambda case: case if isinstance(case, str) else "",
)
def test_what_is_not_of_numbers_is_refused(wrong: np.ndarray, dtype: str) -> None:
    network = graph("mobilenet")
    said = refusal({**named(network), "conv1_bn/beta": wrong}, network)
    assert said == f"conv1_bn: its beta is of type {dtype}, not of numbers"


def test_numbers_that_float32_cannot_hold_are_refused() -> None:
    network = graph("mobilenet")
    said = refusal({**named(network), "conv1_bn/beta": np.full(8, 1e300)}, network)
    assert said == "conv1_bn: its beta has numbers that are too large for float32"


def test_the_first_of_many_faults_is_named_before_any_array_is_used() -> None:
    network = Graph(Dense(2)(Dense(3)(InputLayer((4,))(), name="first"), name="second"))
    stored = {"first/kernel": np.zeros((4, 3)), "first/bias": np.zeros(9), "second/kernel": np.zeros(1)}
    assert refusal(stored, network).startswith("first: its bias is (9,) there, graph needs (3,).")
