"""Int8 networks in ONNX Runtime: their integers against NumPy's, and what its optimiser makes of them."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import onnx
import pytest
from case_graphs import graph_of, pictures, some
from cases import CASES, Case
from oracle import lively

from hati.engines import in_numpy
from hati.engines.onnx.integers import export_int8
from hati.engines.onnx.running import OnnxRuntime, OnnxSession
from hati.engines.quantisation import Quantisation, quantised_bias, quantised_weights, scale_of
from hati.int8.calibration import observe, quantisation_from
from hati.int8.comparison import safe_bits
from hati.network.architectures.efficientnet_lite import efficientnet_lite
from hati.network.architectures.inception_v3 import inception_v3
from hati.network.architectures.mobilenet import mobilenet
from hati.network.architectures.mobilenet_v3 import mobilenet_v3
from hati.network.architectures.resnet import resnet
from hati.network.graph import Graph, Shape
from hati.network.layers import Concatenate, Conv2D, DepthwiseConv2D, InputLayer, MaxPooling2D, ReLU
from hati.network.passes import for_inference
from hati.weights import Weights, from_file

Array = np.ndarray
Arrays = dict[str, Array]


def run(graph: Graph, arrays: Arrays, quantisation: Quantisation, x: Array) -> Array:
    return OnnxSession(export_int8(graph, arrays, quantisation).SerializeToString())(x)


def calibrated(graph: Graph, arrays: Arrays, x: Array, bits: int = 7) -> Quantisation:
    return quantisation_from(graph, arrays, observe(graph, arrays, [x]), bits=bits)


def optimised(graph: Graph, arrays: Arrays, quantisation: Quantisation, folder: Path) -> onnx.ModelProto:
    """What ONNX Runtime really runs."""
    model = export_int8(graph, arrays, quantisation)
    OnnxSession(model.SerializeToString(), save_as=folder / "optimised.onnx")
    return onnx.load(folder / "optimised.onnx")


def kinds(model: onnx.ModelProto) -> Counter[str]:
    return Counter(node.op_type for node in model.graph.node)


def chain() -> tuple[Graph, Arrays]:
    """Convolution, depthwise and convolution, each cut at zero."""
    x = InputLayer((9, 8, 3))(name="picture")
    x = ReLU()(Conv2D(8, 3, 2, "same")(x, name="first"), name="first_cut")
    x = ReLU(6.0)(DepthwiseConv2D(3, padding="same")(x, name="second"), name="second_cut")
    graph = Graph(ReLU()(Conv2D(5, 1)(x, name="third"), name="third_cut"))
    return graph, lively(graph)


CHAIN = Quantisation(
    {"picture": (-1, 1), "first_cut": (0, 3), "second_cut": (0, 2.5), "third_cut": (0, 2)},
    corrections={"first": tuple(np.linspace(-0.1, 0.1, 8))},
)


def in_integers(graph: Graph, arrays: Arrays, quantisation: Quantisation, x: Array) -> Array:
    """The chain in whole numbers, as Jacob et al. write it down: sums of products, one multiplication, one rounding."""
    scale = scale_of(*quantisation.ranges["picture"])
    integers = scale.quantised(x).astype(np.float64)
    for name in ("first", "second", "third"):
        layer, kernel = graph[name].layer, arrays[f"{name}/kernel"]
        bias = arrays[f"{name}/bias"] + np.array(quantisation.corrections.get(name, 0.0), np.float32)
        out_first = np.moveaxis(kernel, 2 if name == "second" else 3, 0)
        w, steps = quantised_weights(out_first, bias, float(scale.step), quantisation.bits)
        back = np.moveaxis(w, 0, 2 if name == "second" else 3).astype(np.float64)
        whole = {"kernel": back, "bias": quantised_bias(bias, float(scale.step), steps).astype(np.float64)}
        sums = in_numpy.apply(layer, [integers - float(scale.zero_point)], whole)
        after = scale_of(*quantisation.ranges[f"{name}_cut"])
        rescaled = sums * (scale.step * steps / after.step)
        integers, scale = np.clip(np.rint(rescaled) + float(after.zero_point), 0, 255), after
    return scale.real(integers)


@pytest.mark.parametrize("bits", range(7, safe_bits() + 1))  # other processors saturate with 8, as the paper does not
def test_the_integers_are_those_of_the_paper(bits: int) -> None:
    graph, arrays = chain()
    quantisation = Quantisation(CHAIN.ranges, corrections=CHAIN.corrections, bits=bits)
    x = np.random.default_rng(0).uniform(-1.2, 1.2, (4, 9, 8, 3)).astype(np.float32)
    expected = in_integers(graph, arrays, quantisation, x)
    steps = np.abs(run(graph, arrays, quantisation, x) - expected) / scale_of(0, 2).step
    assert len(np.unique(expected)) > 100
    assert steps.max() <= 1.01  # a half that one of both rounds the other way
    assert (steps < 0.01).mean() > 0.99


@pytest.mark.parametrize("case", [case for case in CASES if len(case.shapes[0]) == 3], ids=str)
def test_every_kind_of_layer_is_close_to_float(case: Case) -> None:
    generator = np.random.default_rng(0)
    body = graph_of(case)
    behind = body.output
    graph = Graph(Conv2D(3, 1)(behind, name="behind") if len(behind.shape) == 3 else behind)
    arrays = {name: some(shape, generator) for name, shape in graph.weights().items()}
    x = pictures(case, generator)
    expected = in_numpy.run(graph, arrays, x)
    found = run(graph, arrays, calibrated(graph, arrays, x), x)
    assert np.abs(found - expected).max() <= 0.04 * np.abs(expected).max()


NETWORKS: dict[str, tuple[Callable[[Shape], Graph], Counter[str]]] = {
    "resnet50": (partial(resnet, name="resnet50"), Counter(QLinearConv=53, QLinearAdd=16, QGemm=1)),
    "mobilenet": (mobilenet, Counter(QLinearConv=28, QLinearAdd=0, QGemm=0)),
    "efficientnet_lite0": (
        partial(efficientnet_lite, name="efficientnet_lite0"),
        Counter(QLinearConv=49, QLinearAdd=9, QGemm=1),
    ),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_everything_heavy_runs_in_integers(name: str, tmp_path: Path) -> None:
    build, expected = NETWORKS[name]
    graph, arrays = folded(build((64, 64, 3)))
    x = np.random.default_rng(0).uniform(-1, 1, (2, 64, 64, 3)).astype(np.float32)
    quantisation = calibrated(graph, arrays, x)
    found = kinds(optimised(graph, arrays, quantisation, tmp_path))
    assert {kind: found[kind] for kind in expected} == dict(expected)
    assert not found.keys() & {"Conv", "FusedConv", "Gemm", "FusedGemm", "MatMul", "Add", "Relu", "Clip"}
    assert found["QuantizeLinear"] <= 2
    assert found["DequantizeLinear"] <= 2


def folded(graph: Graph) -> tuple[Graph, Arrays]:
    smaller, arrays = for_inference(graph, lively(graph))
    return smaller, dict(arrays)


@pytest.mark.parametrize("kept", ["first", "second", "third"])
def test_a_layer_kept_in_float_has_the_weights_of_float(kept: str, tmp_path: Path) -> None:
    """ONNX Runtime would quantise it on its own: then no float convolution would be left."""
    graph, arrays = chain()
    arrays[f"{kept}/kernel"] *= np.float32(0.9876)
    model = optimised(graph, arrays, CHAIN.keeping(kept), tmp_path)
    found = kinds(model)
    assert found["Conv"] + found["FusedConv"] == 1
    assert found["QLinearConv"] == 2


@pytest.mark.parametrize("bits", [7, 8])
def test_everything_kept_in_float_is_the_float_model(bits: int) -> None:
    graph, arrays = chain()
    x = np.random.default_rng(0).uniform(-1, 1, (2, 9, 8, 3)).astype(np.float32)
    found = run(graph, arrays, Quantisation(CHAIN.ranges, ("first", "second", "third"), bits=bits), x)
    np.testing.assert_allclose(found, in_numpy.run(graph, arrays, x), atol=1e-5)


def test_values_without_a_range_stay_in_float() -> None:
    graph, arrays = chain()
    x = np.random.default_rng(0).uniform(-1, 1, (2, 9, 8, 3)).astype(np.float32)
    np.testing.assert_allclose(run(graph, arrays, Quantisation({}), x), in_numpy.run(graph, arrays, x), atol=1e-5)


@pytest.mark.parametrize("cut", [ReLU(), ReLU(6.0)], ids=str)
def test_an_activation_cuts_where_its_range_is_shared_with_wider_ones(cut: ReLU) -> None:
    picture = InputLayer((6, 6, 3))(name="picture")
    left = cut(Conv2D(4, 1)(picture, name="left"), name="left_cut")
    both = Concatenate()(left, Conv2D(4, 1)(picture, name="right"), name="both")
    graph = Graph(MaxPooling2D(2, 2)(both, name="pool"))
    arrays = {name: 4 * array for name, array in lively(graph).items()}
    x = np.random.default_rng(0).uniform(-1, 1, (4, 6, 6, 3)).astype(np.float32)
    expected, quantisation = in_numpy.run(graph, arrays, x), calibrated(graph, arrays, x)
    assert quantisation.ranges["left_cut"] == quantisation.ranges["both"]
    assert quantisation.ranges["left_cut"][0] < 0
    found = run(graph, arrays, quantisation, x)
    assert np.abs(found - expected).max() <= 0.04 * np.abs(expected).max()
    assert found[..., :4].min() >= 0


def test_a_dead_channel_gives_its_bias() -> None:
    graph, arrays = chain()
    arrays["third/kernel"][..., 0] = 0
    arrays["third/bias"][0] = 1.5
    x = np.random.default_rng(0).uniform(-1, 1, (1, 9, 8, 3)).astype(np.float32)
    np.testing.assert_allclose(run(graph, arrays, CHAIN, x)[..., 0], 1.5, atol=2 / 255)


@pytest.mark.parametrize(
    "build",
    [partial(mobilenet_v3, name="MobileNetV3Small", include_preprocessing=False), inception_v3],
    ids=["squeeze and excite", "branches"],
)
def test_other_networks_run_too(build: Callable[[Shape], Graph]) -> None:
    graph, arrays = folded(build((80, 80, 3)))
    x = np.random.default_rng(0).uniform(-1, 1, (4, 80, 80, 3)).astype(np.float32)
    expected, found = (
        np.log(y) for y in (in_numpy.run(graph, arrays, x), run(graph, arrays, calibrated(graph, arrays, x), x))
    )
    assert np.corrcoef(expected.ravel(), found.ravel())[0, 1] > 0.99


@pytest.mark.parametrize("cut", ["second", "second_cut", "third"])
def test_a_part_of_the_network_runs_with_the_ranges_of_the_whole(cut: str) -> None:
    graph, arrays = chain()
    x = np.random.default_rng(0).uniform(-1, 1, (2, 9, 8, 3)).astype(np.float32)
    part = graph.cut(cut)
    expected = in_numpy.run(part, arrays, x)
    engine = OnnxRuntime(quantisation=calibrated(graph, arrays, x))
    found = engine.session(part, Weights(lambda: {name: arrays[name] for name in part.weights()}))(x)
    assert np.abs(found - expected).max() <= 0.05 * np.abs(expected).max()


@pytest.mark.parametrize(
    "other",
    [
        replace(CHAIN, ranges={**CHAIN.ranges, "first_cut": (0, 0.3)}),
        replace(CHAIN, corrections={"first": (0.5,) * 8}),
        replace(CHAIN, bits=8),
        CHAIN.keeping("third"),
    ],
    ids=["a range", "corrections", "bits", "a layer in float"],
)
def test_another_quantisation_is_compiled_anew(other: Quantisation, empty_cache: Path, tmp_path: Path) -> None:
    graph, arrays = chain()
    np.savez(tmp_path / "weights.npz", **arrays)  # type: ignore[arg-type]
    weights = from_file(tmp_path / "weights.npz", graph)
    OnnxRuntime(quantisation=CHAIN).session(graph, weights)
    assert OnnxRuntime(quantisation=CHAIN).cached(graph, weights) is not None
    assert OnnxRuntime(quantisation=other).cached(graph, weights) is None


def test_the_model_keeps_to_the_rules_of_the_format() -> None:
    graph, arrays = chain()
    onnx.checker.check_model(export_int8(graph, arrays, CHAIN), full_check=True)
