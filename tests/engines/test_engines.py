"""Every layer kind, in every engine, against the NumPy engine; and that one against Keras."""

from collections.abc import Callable

import numpy as np
import onnx
import onnxruntime
import pytest
from case_graphs import graph_of, kinds, pictures, some
from cases import CASES, Case

from hati.engines import in_numpy
from hati.engines.onnx import translation
from hati.network import layers
from hati.network.graph import Graph, Layer, Node

Array = np.ndarray
Arrays = dict[str, Array]


def run_onnx(graph: Graph, weights: Arrays, x: Array) -> Array:
    session = onnxruntime.InferenceSession(translation.export(graph, weights).SerializeToString())
    return np.asarray(session.run(None, {"image": x})[0])


@pytest.mark.parametrize("run", [run_onnx])
@pytest.mark.parametrize("case", CASES, ids=str)
def test_an_engine_agrees_with_numpy(case: Case, run: Callable[[Graph, Arrays, Array], Array]) -> None:
    generator = np.random.default_rng(0)
    graph = graph_of(case)
    weights = {name: some(shape, generator) for name, shape in graph.weights().items()}
    x = pictures(case, generator)
    expected = in_numpy.run(graph, weights, x)
    found = run(graph, weights, x)
    assert found.shape == expected.shape
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)


def test_zeros_around_a_map_are_the_greatest_of_negative_ones() -> None:
    """As in ResNet50V2; ONNX Runtime up to 1.31 would take them for padding of the pool, which never wins."""
    padded = layers.ZeroPadding2D(((1, 1), (1, 1)))(layers.InputLayer((6, 6, 2))())
    graph = Graph(layers.MaxPooling2D((3, 3), (2, 2), "valid")(padded))
    found = run_onnx(graph, {}, np.full((1, 6, 6, 2), -1, np.float32))
    np.testing.assert_array_equal(found, in_numpy.run(graph, {}, np.full((1, 6, 6, 2), -1, np.float32)))
    assert found.max() == 0


def renamed(graph: Graph, names: dict[str, str]) -> Graph:
    def step(node: Node, x: list[Node]) -> Node:
        return node.layer(*x, name=names.get(node.name, node.name))

    return Graph(graph.fold(step)[graph.output.name])


@pytest.mark.parametrize("names", [("image", "output"), ("output", "image")], ids=" and ".join)
@pytest.mark.parametrize("case", CASES, ids=str)
def test_layers_may_be_called_as_a_models_ends_are(case: Case, names: tuple[str, str]) -> None:
    graph = renamed(graph_of(case), dict(zip(("picture", "layer"), names, strict=True)))
    weights = {name: some(shape, np.random.default_rng(0)) for name, shape in graph.weights().items()}
    x = pictures(case, np.random.default_rng(0))
    expected = in_numpy.run(graph, weights, x)
    np.testing.assert_allclose(run_onnx(graph, weights, x), expected, rtol=1e-5, atol=1e-5)
    half = translation.in_half_precision(translation.export(graph, weights))
    onnx.checker.check_model(half, full_check=True)


@pytest.mark.parametrize("reader", [layers.LayerNormalization(), layers.Flatten()], ids=str)
def test_two_layers_may_read_one_map(reader: Layer) -> None:
    picture = layers.InputLayer((4, 5, 3))(name="picture")
    graph = Graph(layers.Add()(reader(picture, name="one"), reader(picture, name="two"), name="sum"))
    weights = {name: some(shape, np.random.default_rng(0)) for name, shape in graph.weights().items()}
    x = some((2, 4, 5, 3), np.random.default_rng(1))
    found, expected = run_onnx(graph, weights, x), in_numpy.run(graph, weights, x)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_shape_rule_tells_what_numpy_makes(case: Case) -> None:
    generator = np.random.default_rng(0)
    graph = graph_of(case)
    weights = {name: some(shape, generator) for name, shape in graph.weights().items()}
    found = in_numpy.run(graph, weights, pictures(case, generator)).shape[1:]
    assert len(found) == len(graph.output.shape)
    assert all(rule in (None, size) for rule, size in zip(graph.output.shape, found, strict=True))


@pytest.mark.parametrize("rules", [in_numpy.apply, translation.lower], ids=["numpy", "onnx"])
def test_an_engine_has_a_rule_for_every_kind(rules: Callable[..., object]) -> None:
    missing = {kind.__name__ for kind in kinds() if rules.dispatch(kind) is rules.dispatch(Layer)}  # type: ignore[attr-defined]
    assert not missing


def test_every_kind_has_a_case() -> None:
    assert kinds() == {type(case.layer) for case in CASES}


def keras_has(case: Case) -> bool:
    """Not pads in pixels, which the passes make, nor what Keras keeps inside one application.

    Nor an average over odd padding, where Keras on PyTorch errs.

    There it repeats the edge; with TensorFlow, as here, padding is left out of the mean.
    """
    padding = getattr(case.layer, "padding", None)
    own_pads = isinstance(padding, tuple) and case.layer.kind != "ZeroPadding2D"
    odd_average = isinstance(case.layer, layers.AveragePooling2D) and padding == "same" and case.layer.strides != 1
    others = isinstance(case.layer, layers.Reshape | layers.LayerScale)
    return len(case.shapes) == 1 and not (own_pads or odd_average or others)


def keras_settings(layer: Layer) -> dict[str, object]:
    settings = dict(vars(layer))
    if isinstance(layer, layers.Activation):
        settings["activation"] = settings.pop("function")
    if isinstance(layer, layers.Dropout) and settings.pop("whole"):
        settings["noise_shape"] = (None, 1, 1, 1)
    return {key: list(value) if key in ("mean", "variance") and value else value for key, value in settings.items()}


@pytest.mark.parametrize("case", [case for case in CASES if keras_has(case)], ids=str)
def test_numpy_agrees_with_keras(case: Case) -> None:
    """The oracle has an oracle: Keras' own layer of the same name, with the same settings."""
    import keras

    generator = np.random.default_rng(0)
    layer = getattr(keras.layers, case.layer.kind)(**keras_settings(case.layer))
    x = pictures(case, generator)
    layer.build(x.shape)
    weights = [some(tuple(weight.shape), generator) for weight in layer.weights]
    layer.set_weights(weights)
    if hasattr(layer, "finalize_state"):  # Normalization keeps what it derives from its weights
        layer.finalize_state()
    named = dict(zip(case.layer.weights(case.shapes), weights, strict=True))
    expected = keras.ops.convert_to_numpy(layer(x))
    np.testing.assert_allclose(in_numpy.apply(case.layer, [x], named), expected, rtol=1e-5, atol=1e-5)
