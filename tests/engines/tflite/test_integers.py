"""TFLite in integers: LiteRT against NumPy that rounds where integers round, and the scales that devices demand."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest
import tflite_files
from case_graphs import closed
from cases import CASES, Case
from oracle import lively

from hati.engines import in_numpy
from hati.engines.quantisation import Quantisation
from hati.engines.tflite import translation
from hati.engines.tflite.file.program import Program
from hati.engines.tflite.integers import WEIGHTED, Plan, channels_out_first, landing
from hati.engines.tflite.running import TFLiteSession
from hati.engines.tflite.writer import Numbers
from hati.int8.calibration import observe_layers, quantisation_for_devices
from hati.network import layers
from hati.network.graph import Graph, Node, weights_of
from hati.network.layers import InputLayer
from hati.network.passes.small_devices import for_devices

Array = np.ndarray
Arrays = Mapping[str, Array]

STEPS = 1  # that LiteRT's fixed-point arithmetic may differ by from NumPy's, in each operator


def quantised(graph: Graph, arrays: Arrays, x: Array) -> Quantisation:
    seen = observe_layers(graph, arrays, [x])
    return quantisation_for_devices(graph, arrays, seen, (float(x.min()), float(x.max())), "extremes")


def in_integers(case: Case) -> bool:
    return not isinstance(case.layer, layers.LayerNormalization | layers.Dropout)


def rounded(graph: Graph, arrays: Arrays, plan: Plan, x: Array) -> Array:
    """The network in NumPy, each of its values and weights brought to what integers can say.

    x: floats where the plan has them come, else bytes.
    """
    fused = landing(graph)

    def step(node: Node, inputs: list[Array]) -> Array:
        scale = plan.scales[node.name]
        if node is graph.input:
            return x if not plan.in_integers(node) else scale.real(x)
        if isinstance(node.layer, layers.Rescaling) and plan.in_integers(node):
            return inputs[0]
        y = in_numpy.apply(node.layer, inputs, integer_weights(node, arrays, plan))
        return y if node.name in fused else scale.real(scale.quantised(y))

    def taken(node: Node, inputs: list[Array]) -> Array:
        """Floats become integers where something that computes in integers takes them."""
        real = [plan.in_integers(node) and not plan.in_integers(source) for source in node.inputs]
        scales = [plan.scales[source.name] for source in node.inputs]
        return step(
            node,
            [
                scale.real(scale.quantised(y)) if turns else y
                for y, turns, scale in zip(inputs, real, scales, strict=True)
            ],
        )

    return graph.fold(taken)[graph.output.name]


def integer_weights(node: Node, arrays: Arrays, plan: Plan) -> Arrays:
    w = weights_of(node, arrays)
    if not isinstance(node.layer, WEIGHTED):
        return w
    kernel, _ = channels_out_first(node.layer, w["kernel"])
    found = plan.constants(node, kernel, w.get("bias", np.zeros(len(kernel), np.float32)))
    real = found.kernel * found.steps.reshape(-1, *(1,) * (kernel.ndim - 1))
    match node.layer:
        case layers.DepthwiseConv2D():
            height, width, channels, multiplier = w["kernel"].shape
            real = real.reshape(channels, multiplier, height, width).transpose(2, 3, 0, 1)
        case layers.Conv2D():
            real = real.transpose(2, 3, 1, 0)
        case _:
            real = real.T
    step = plan.scales[node.inputs[0].name].step
    return {"kernel": real, "bias": (found.bias * (step * found.steps)).astype(np.float32)}


@pytest.mark.parametrize("case", [case for case in CASES if in_integers(case)], ids=str)
def test_litert_agrees_with_numpy_that_rounds(case: Case) -> None:
    graph, weights, x = closed(case)
    graph, arrays = for_devices(graph, weights)
    quantisation = quantised(graph, arrays, x)
    plan = Plan(graph, quantisation, floats_come=True)
    expected = rounded(graph, arrays, plan, x)
    found = TFLiteSession(translation.export(graph, arrays, quantisation=quantisation).file())(x)
    step = float(plan.scales[graph.output.name].step)
    computing = sum(not isinstance(node.layer, InputLayer) for node in graph.nodes)
    assert np.abs(found - expected).max() <= STEPS * computing * step + 1e-6


def small() -> tuple[Graph, Arrays]:
    """Every layer whose scale is another one's, behind the kind of picture that a phone gives."""
    picture = InputLayer((16, 16, 3))(name="picture")
    x = layers.Rescaling(1 / 127.5, -1.0)(picture, name="rescaling")
    x = layers.ReLU(6.0)(layers.Conv2D(8, 3, 2, ((1, 1), (1, 1)))(x, name="conv"), name="relu")
    pooled = layers.MaxPooling2D(3, 1, "same")(x, name="max")
    mean = layers.AveragePooling2D(3, 1, "same")(x, name="mean")
    joined = layers.Concatenate()(pooled, mean, x, name="joined")
    x = layers.ZeroPadding2D(((1, 1), (1, 1)))(joined, name="pad")
    x = layers.DepthwiseConv2D(3, 2)(x, name="depthwise")
    x = layers.Flatten()(layers.Cropping2D(((1, 0), (0, 1)))(x, name="crop"), name="flat")
    x = layers.Activation("tanh")(layers.Dense(12)(x, name="dense"), name="tanh")
    graph = Graph(layers.Dense(5, "softmax")(x, name="classes"), "small")
    return graph, lively(graph)


def photos() -> Array:
    return np.random.default_rng(0).uniform(0, 255, (8, 16, 16, 3)).astype(np.uint8)


def written(numbers: Numbers = "uint8", *keep: str) -> tuple[Program, Quantisation]:
    graph, arrays = for_devices(*small())
    seen = observe_layers(graph, arrays, [photos().astype(np.float32)])
    found = quantisation_for_devices(graph, arrays, seen, (0.0, 255.0), "extremes").keeping(*keep)
    return translation.export(graph, arrays, quantisation=found, numbers=numbers), found


def test_a_whole_network_agrees_with_numpy_that_rounds() -> None:
    graph, arrays = for_devices(*small())
    graph, (_, quantisation) = graph.cut("classes/sums"), written()
    expected = rounded(graph, arrays, plan := Plan(graph, quantisation), photos())
    found = TFLiteSession(translation.export(graph, arrays, quantisation=quantisation, numbers="uint8").file())(
        photos()
    )
    step = float(plan.scales[graph.output.name].step)
    assert np.abs(found - expected).max() <= STEPS * len(graph.nodes) * step


@pytest.mark.parametrize("numbers", ["uint8", "int8", "float32"])
def test_a_file_takes_and_gives_the_numbers_that_were_asked_for(numbers: Numbers) -> None:
    found = tflite_files.read(written(numbers)[0].file())
    ends = found.tensors[found.inputs[0]], found.tensors[found.outputs[0]]
    assert [end.type.lower() for end in ends] == [numbers, numbers]
    rescaling = ("MUL", "ADD") if numbers == "float32" else ()
    inner = {found.tensors[one.output].type for one in found.operators[:-1] if one.kind not in rescaling}
    assert inner == {"INT8"}, "nothing between is computed in float"
    turning = [one.kind for one in found.operators if one.kind in ("QUANTIZE", "DEQUANTIZE")]
    expected = {"uint8": ["QUANTIZE", "QUANTIZE"], "int8": [], "float32": ["QUANTIZE", "DEQUANTIZE"]}
    assert turning == expected[numbers]


def test_the_three_kinds_of_numbers_give_the_same_scores() -> None:
    x = photos()
    by_bytes = TFLiteSession(written("uint8")[0].file())(x)
    np.testing.assert_array_equal(
        TFLiteSession(written("int8")[0].file())((x.astype(int) - 128).astype(np.int8)), by_bytes
    )
    real = TFLiteSession(written("float32")[0].file())(x.astype(np.float32))
    np.testing.assert_allclose(real, by_bytes, atol=0.05)  # a picture's half step more or less


def test_raw_bytes_fit_a_network_for_minus_one_to_one() -> None:
    found = tflite_files.read(written()[0].file())
    picture = found.tensors[found.inputs[0]]
    assert picture.scales == pytest.approx((1 / 127.5,))
    assert picture.zeros in ((127,), (128,))


def test_what_only_moves_numbers_has_one_scale() -> None:
    found = tflite_files.read(written()[0].file())
    for kind in ("MAX_POOL_2D", "AVERAGE_POOL_2D", "CONCATENATION", "STRIDED_SLICE", "RESHAPE"):
        one = found.one(kind)
        moved = [number for number in one.inputs if found.tensors[number].type == "INT8"]
        scales = {(found.tensors[number].scales, found.tensors[number].zeros) for number in (*moved, one.output)}
        assert len(scales) == 1, kind
    pads = [one for one in found.operators if one.kind == "PAD"]
    assert len(pads) == 2
    assert all(found.tensors[one.inputs[0]].scales == found.tensors[one.output].scales for one in pads)


@pytest.mark.parametrize(
    ("kind", "scale", "zero"), [("SOFTMAX", 1 / 256, -128), ("TANH", 1 / 128, 0)], ids=["softmax", "tanh"]
)
def test_what_runtimes_demand_a_scale_of_has_it(kind: str, scale: float, zero: int) -> None:
    found = tflite_files.read(written("int8")[0].file())
    made = found.tensors[found.one(kind).output]
    assert (made.scales, made.zeros) == ((scale,), (zero,))


def test_weights_have_a_scale_for_each_channel_and_dense_ones_have_one() -> None:
    found = tflite_files.read(written()[0].file())
    conv, depthwise = found.one("CONV_2D"), found.one("DEPTHWISE_CONV_2D")
    dense = next(one for one in found.operators if one.kind == "FULLY_CONNECTED")
    shapes = [
        (found.tensors[one.inputs[1]].axis, len(found.tensors[one.inputs[1]].scales)) for one in (conv, depthwise)
    ]
    assert shapes == [(0, 8), (3, 24)]
    assert len(found.tensors[dense.inputs[1]].scales) == 1
    for one in (conv, depthwise, dense):
        x, kernel, bias = (found.tensors[number] for number in one.inputs)
        np.testing.assert_allclose(bias.scales, np.multiply(x.scales, kernel.scales), rtol=1e-6)
        assert (kernel.type, bias.type) == ("INT8", "INT32")
        assert set(kernel.zeros) == set(bias.zeros) == {0}
        assert kernel.data is not None
        assert kernel.data.min() >= -127


def test_operators_have_the_versions_of_corals_own_models() -> None:
    found = tflite_files.read(written("int8")[0].file())
    versions = {one.kind: one.version for one in found.operators}
    assert versions == {
        "CONV_2D": 3,
        "MAX_POOL_2D": 2,
        "AVERAGE_POOL_2D": 2,
        "CONCATENATION": 2,
        "PAD": 2,
        "DEPTHWISE_CONV_2D": 3,
        "STRIDED_SLICE": 2,
        "RESHAPE": 1,
        "FULLY_CONNECTED": 4,
        "TANH": 2,
        "SOFTMAX": 2,
    }


def test_a_layer_that_is_kept_in_float_is_computed_in_float() -> None:
    program, _ = written("uint8", "depthwise", "dense")
    found = tflite_files.read(program.file())
    for kind in ("DEPTHWISE_CONV_2D", "FULLY_CONNECTED"):
        one = next(one for one in found.operators if one.kind == kind)
        assert {found.tensors[number].type for number in (*one.inputs, one.output)} == {"FLOAT32"}
    assert [one.kind for one in found.operators].count("DEQUANTIZE") == 2
    plain = TFLiteSession(written()[0].file())(photos())
    np.testing.assert_allclose(TFLiteSession(program.file())(photos()), plain, atol=8 / 256)


@pytest.mark.parametrize("numbers", ["uint8", "int8", "float32"])
def test_the_last_layer_can_stay_in_float_too(numbers: Numbers) -> None:
    program, _ = written(numbers, "classes", "classes/sums")
    found = tflite_files.read(program.file())
    assert found.tensors[found.outputs[0]].type.lower() == numbers
    assert found.tensors[found.one("SOFTMAX").output].type == "FLOAT32"
    x = {"uint8": photos(), "int8": (photos().astype(int) - 128).astype(np.int8), "float32": photos()}[numbers]
    scores = TFLiteSession(program.file())(x.astype(numbers))
    np.testing.assert_allclose(scores, TFLiteSession(written()[0].file())(photos()), atol=0.05)


def test_channels_of_almost_nothing_keep_their_bias() -> None:
    """A bias in 32 bits is counted in steps of the weights: dead channels have tiny ones."""
    x = InputLayer((4, 4, 2))(name="picture")
    graph = Graph(layers.Conv2D(3, 1)(x, name="conv"))
    kernel = np.zeros((1, 1, 2, 3), np.float32)
    kernel[..., 1] = 1e-20
    arrays = {"conv/kernel": kernel, "conv/bias": np.array([5.0, 5.0, -5.0], np.float32)}
    picture = np.random.default_rng(0).uniform(0, 1, (1, 4, 4, 2)).astype(np.float32)
    found = TFLiteSession(translation.export(graph, arrays, quantisation=quantised(graph, arrays, picture)).file())(
        picture
    )
    np.testing.assert_allclose(found, np.broadcast_to(arrays["conv/bias"], found.shape), atol=0.05)


def test_bias_correction_takes_the_mean_error_away() -> None:
    generator = np.random.default_rng(0)
    x = generator.uniform(0, 1, (4, 8, 8, 64)).astype(np.float32)
    graph = Graph(layers.Conv2D(16, 1)(InputLayer((8, 8, 64))(name="picture"), name="conv"))
    kernel = generator.normal(0, 1, (1, 1, 64, 16)).astype(np.float32)
    kernel[:, :, 0] *= 30  # one that makes the steps of all others coarse
    arrays = {"conv/kernel": kernel, "conv/bias": np.zeros(16, np.float32)}
    corrected, expected = quantised(graph, arrays, x), in_numpy.run(graph, arrays, x)

    def error(one: Quantisation) -> float:
        found = TFLiteSession(translation.export(graph, arrays, quantisation=one).file())(x)
        return float(np.abs((found - expected).mean((0, 1, 2))).mean())

    assert error(corrected) < error(replace(corrected, corrections={})) / 5


@pytest.mark.parametrize(
    ("layer", "operators"),
    [
        pytest.param(layers.Activation("relu"), {"QUANTIZE": 1}, id="an integer scale cuts off below zero"),
        pytest.param(layers.ReLU(6), {"QUANTIZE": 1}, id="and above six"),
        pytest.param(layers.ReLU(3), {"QUANTIZE": 1}, id="or above three"),
        pytest.param(layers.Activation("hard_silu"), {"DEPTHWISE_CONV_2D": 1, "MUL": 1}, id="a gate from 0 to 1"),
    ],
)
def test_activations_are_operators_that_every_processor_is_quick_at(
    layer: layers.Activation | layers.ReLU, operators: dict[str, int]
) -> None:
    graph, arrays = for_devices(Graph(layer(InputLayer((8, 8, 4))())), {})
    x = np.random.default_rng(0).uniform(-8, 8, (1, 8, 8, 4)).astype(np.float32)
    quantisation = quantised(graph, arrays, x)
    program = translation.export(graph, arrays, quantisation=quantisation, numbers="int8")
    assert program.counts() == operators
    picture = Plan(graph, quantisation).scales[graph.input.name]
    y = TFLiteSession(program.file())((picture.quantised(x).astype(np.int16) - 128).astype(np.int8))
    assert np.abs(y - in_numpy.apply(layer, [x], {})).max() < 2 * picture.step
