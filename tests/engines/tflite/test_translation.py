"""Every layer kind in TFLite: run by LiteRT against NumPy, and read back with the runtime's own schema."""

import numpy as np
import pytest
import tflite_files
from case_graphs import closed, kinds
from cases import CASES, Case
from oracle import lively

from hati.engines import in_numpy
from hati.engines.quantisation import Quantisation
from hati.engines.tflite import translation
from hati.engines.tflite.file import schema
from hati.engines.tflite.file.program import Program
from hati.engines.tflite.running import TFLiteSession
from hati.errors import ArgumentError
from hati.network import layers
from hati.network.graph import Graph, Layer
from hati.network.layers import InputLayer
from hati.network.passes.small_devices import for_devices

Array = np.ndarray
Arrays = dict[str, Array]


def program_of(case: Case) -> Program:
    graph, weights, _ = closed(case)
    return translation.export(*for_devices(graph, weights))


@pytest.mark.parametrize("case", CASES, ids=str)
def test_litert_agrees_with_numpy(case: Case) -> None:
    graph, weights, x = closed(case)
    expected = in_numpy.run(graph, weights, x)
    found = TFLiteSession(translation.export(*for_devices(graph, weights)).file())(x)
    assert found.shape == expected.shape
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)


def test_every_kind_is_one_that_devices_have_or_becomes_one() -> None:
    left = {type(node.layer) for case in CASES for node in for_devices(*closed(case)[:2])[0].nodes}
    assert {layers.Conv2D, layers.DepthwiseConv2D, layers.Dense, layers.Activation, layers.Add} < left
    assert not left & {layers.SeparableConv2D, layers.BatchNormalization, layers.LayerScale, layers.Dropout}
    missing = {kind.__name__ for kind in left if translation.lower.dispatch(kind) is translation.lower.dispatch(Layer)}
    assert not missing
    assert left <= kinds() | {InputLayer}


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_runtimes_own_schema_reads_what_was_written(case: Case) -> None:
    """Wrong tables of options go unnoticed by the runtime."""
    program = program_of(case)
    found = tflite_files.read(program.file())
    assert [one.kind for one in found.operators] == [one.kind for one in program.operators]
    for written, read in zip(program.operators, found.operators, strict=True):
        kind = schema.OPERATORS[written.kind]
        assert read.options_type == (kind.options or "NONE")
        assert (read.version, read.inputs, read.output) == (written.version, written.inputs, written.output)
        for name, value in written.options.items():
            told = getattr(read.options, camel_case(name))
            np.testing.assert_array_equal(told, value, err_msg=f"{written.kind}.{name}")
    for tensor, read_tensor in zip(program.tensors, found.tensors, strict=True):
        assert read_tensor.name == tensor.name
        assert read_tensor.shape == tensor.shape
        assert read_tensor.type.lower() == tensor.numbers
        if tensor.data is not None:
            assert read_tensor.data is not None
            np.testing.assert_array_equal(read_tensor.data, tensor.data)


def camel_case(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(other.capitalize() for other in others)


def test_operators_have_the_schemas_numbers_and_options() -> None:
    from ai_edge_litert import schema_py_generated as official

    for name, kind in schema.OPERATORS.items():
        assert kind.code == getattr(official.BuiltinOperator, name)
        assert kind.options_type == (getattr(official.BuiltinOptions, kind.options) if kind.options else 0)
        if kind.options:
            own = {camel_case(field.partition(":")[0]).lower() for field in schema.TABLES[kind.options].split()}
            told = {field.lower() for field in vars(getattr(official, f"{kind.options}T")())}
            assert own <= told, name


def network() -> tuple[Graph, Arrays]:
    x = InputLayer((24, 24, 3))(name="picture")
    x = layers.ReLU(6.0)(layers.BatchNormalization()(layers.Conv2D(8, 3, 2, "same", use_bias=False)(x)))
    x = layers.Activation("silu")(layers.SeparableConv2D(12, 3, padding="same")(x))
    x = layers.Dense(5, "softmax")(layers.GlobalAveragePooling2D()(x), name="classes")
    graph = Graph(x, "network")
    return graph, lively(graph)


def test_numbers_lie_where_microcontrollers_read_them() -> None:
    places = tflite_files.offsets(translation.export(*for_devices(*network())).file())
    assert len(places) > 8
    assert all(place % 16 == 0 for place in places)


def test_one_network_makes_one_file() -> None:
    first, second = (translation.export(*for_devices(*network())).file() for _ in range(2))
    assert first == second


def test_an_activation_is_its_operators_work() -> None:
    graph, arrays = for_devices(*network())
    found = tflite_files.read(translation.export(graph, arrays).file())
    assert [one.kind for one in found.operators] == [
        "CONV_2D",
        "DEPTHWISE_CONV_2D",
        "CONV_2D",
        "LOGISTIC",
        "MUL",
        "MEAN",
        "FULLY_CONNECTED",
        "SOFTMAX",
    ]
    assert found.operators[0].options.fusedActivationFunction == schema.ACTIVATIONS["relu6"]


def test_padding_that_is_the_same_needs_no_operator() -> None:
    def operators(pads: layers.Pads) -> list[str]:
        x = layers.ZeroPadding2D(pads)(InputLayer((8, 8, 3))(name="picture"))
        graph = Graph(layers.Conv2D(4, 3, 2)(x))
        return [one.kind for one in translation.export(*for_devices(graph, lively(graph))).operators]

    assert operators(((0, 1), (0, 1))) == ["CONV_2D"]
    assert operators(((1, 1), (1, 1))) == ["PAD", "CONV_2D"]


def test_half_precision_stores_two_bytes_a_number_and_answers_almost_the_same() -> None:
    graph, arrays = network()
    half = translation.export(*for_devices(graph, arrays), half=True).file()
    x = np.random.default_rng(0).uniform(-1, 1, (3, 24, 24, 3)).astype(np.float32)
    np.testing.assert_allclose(TFLiteSession(half)(x), in_numpy.run(graph, arrays, x), atol=2e-3)
    stored = [tensor for tensor in tflite_files.read(half).tensors if tensor.data is not None]
    assert {tensor.type for tensor in stored} == {"FLOAT16", "INT32"}


@pytest.mark.parametrize(
    ("ranges", "precision", "missing"),
    [
        (None, "float32", "pool (AveragePooling2D("),
        ({"picture": (0.0, 1.0)}, "int8", "first (LayerNormalization), second (LayerNormalization), pool (AverageP"),
    ],
)
def test_every_layer_without_a_rule_is_named_at_once(
    ranges: dict[str, tuple[float, float]] | None, precision: str, missing: str
) -> None:
    x = InputLayer((8, 8, 3))(name="picture")
    x = layers.LayerNormalization()(layers.LayerNormalization()(x, name="first"), name="second")
    x = layers.AveragePooling2D(3, 1, ((2, 0), (0, 2)))(x, name="pool")
    graph = Graph(x, "odd")
    with pytest.raises(ArgumentError, match="without a rule") as told:
        translation.export(graph, lively(graph), quantisation=Quantisation(ranges) if ranges else None)
    assert precision in str(told.value)
    assert missing in str(told.value)


def test_calls_from_several_threads_do_not_mix() -> None:
    from concurrent.futures import ThreadPoolExecutor

    session = TFLiteSession(translation.export(*for_devices(*network())).file())
    x = np.random.default_rng(0).uniform(-1, 1, (40, 24, 24, 3)).astype(np.float32)
    expected = session(x)
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda picture: session(picture[np.newaxis])[0], x))
    np.testing.assert_array_equal(np.stack(found), expected)
