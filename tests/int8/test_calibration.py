"""What a network's numbers are, and which ranges lose least of them."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle import lively

import hati
from hati import photos
from hati.engines import in_numpy
from hati.engines.onnx.running import OnnxRuntime
from hati.engines.quantisation import Quantisation, scale_of
from hati.int8.calibration import BINS, METHODS, Method, Observed, least_squares, observe, quantisation_from
from hati.int8.comparison import safe_bits
from hati.model import lazy_weights
from hati.network.architectures.mobilenet import mobilenet
from hati.network.graph import Graph
from hati.network.layers import Conv2D, InputLayer, MaxPooling2D, ReLU
from hati.network.passes import for_inference

Array = np.ndarray


def seen(*batches: Array) -> Observed:
    found = Observed()
    for batch in batches:
        found.add(batch)
    return found


def batches(seed: int = 0) -> list[Array]:
    """Long tails, each batch wider than the one before."""
    generator = np.random.default_rng(seed)
    return [generator.laplace(0.3, 2.0**number, (2, 3, 40, 40)).astype(np.float32) for number in range(6)]


def test_the_ends_and_the_means_are_those_of_all_pictures_together() -> None:
    together = np.concatenate(batches())
    found = seen(*batches())
    assert (found.low, found.high) == (together.min(), together.max())
    np.testing.assert_allclose(found.means, together.mean((0, 2, 3)), rtol=1e-5)
    assert found.pictures == len(together)


def test_the_histogram_widens_and_loses_nobody() -> None:
    found = seen(*batches())
    together = np.concatenate([batch.ravel() for batch in batches()])
    assert found.counts.sum() == together.size
    expected, _ = np.histogram(together, BINS, (-found.reach, found.reach))
    assert np.abs(expected.cumsum() - found.counts.cumsum()).max() <= 3  # numbers on the edge between two bins


def test_what_is_held_does_not_grow_with_the_pictures() -> None:
    few, many = seen(*batches()), seen(*(batch for seed in range(5) for batch in batches(seed)))
    assert few.counts.nbytes == many.counts.nbytes == BINS * 8


@pytest.mark.parametrize("value", [0.0, 3.0, -2.0, 1e-20])
@pytest.mark.parametrize("method", METHODS)
def test_a_value_that_never_changes_has_a_range_too(value: float, method: Method) -> None:
    low, high = METHODS[method](seen(np.full((1, 2, 3, 3), value, np.float32)))
    assert low <= 0.999 * min(value, 0)
    assert high >= 0.999 * max(value, 0)


@settings(max_examples=30)
@given(st.integers(0, 1000), st.sampled_from(list(METHODS)))
def test_no_method_goes_past_the_ends(seed: int, method: Method) -> None:
    found = seen(*batches(seed)[:2])
    low, high = METHODS[method](found)
    assert found.low <= low <= 0 <= high <= found.high


def squares_lost(x: Array, ends: tuple[float, float]) -> float:
    scale = scale_of(*ends)
    return float(((scale.real(scale.quantised(x)) - x) ** 2).mean())


@pytest.mark.parametrize("tail", [2.5, 4, 30])
def test_no_other_range_loses_much_less_than_least_squares(tail: float) -> None:
    x = np.random.default_rng(0).standard_t(tail, (4, 8, 25, 25)).astype(np.float32)
    found = seen(x)
    others = [
        (found.low * low, found.high * high) for low in np.linspace(0.1, 1, 10) for high in np.linspace(0.1, 1, 10)
    ]
    assert squares_lost(x, least_squares(found)) <= 1.05 * min(squares_lost(x, ends) for ends in others)


def test_every_value_that_integers_stand_for_is_observed() -> None:
    x = InputLayer((8, 8, 3))(name="picture")
    x = MaxPooling2D(2, 2)(ReLU()(Conv2D(4, 3)(x, name="conv"), name="cut"), name="pool")
    graph = Graph(Conv2D(2, 1, activation="silu")(x, name="last"))
    arrays, pictures = lively(graph), np.random.default_rng(0).uniform(-1, 1, (3, 8, 8, 3)).astype(np.float32)
    found = observe(graph, arrays, [pictures[:2], pictures[2:]])
    assert {"picture", "cut", "pool", "last/linear", "last"} <= found.keys()
    assert "conv" not in found  # it is cut at zero before anyone reads it
    expected = in_numpy.run(graph.cut("pool"), arrays, pictures)
    assert found["pool"].high == pytest.approx(expected.max(), rel=1e-5)
    np.testing.assert_allclose(found["pool"].means, expected.mean((0, 1, 2)), rtol=1e-4)


@pytest.mark.parametrize("bits", range(7, safe_bits() + 1))
@pytest.mark.parametrize("method", METHODS)
def test_corrected_biases_bring_scores_nearer_to_float(bits: int, method: Method) -> None:
    graph, arrays = for_inference(mobilenet((64, 64, 3), alpha=0.25), lively(mobilenet((64, 64, 3), alpha=0.25)))
    x = np.random.default_rng(0).uniform(-1, 1, (16, 64, 64, 3)).astype(np.float32)
    corrected = quantisation_from(graph, arrays, observe(graph, arrays, [x[:8]]), method, bits)
    plain = Quantisation(corrected.ranges, bits=bits)
    expected = in_numpy.run(graph, arrays, x[8:])
    errors = [np.abs(scores(graph, arrays, one, x[8:]) - expected).mean() for one in (corrected, plain)]
    assert errors[0] < errors[1]


def scores(graph: Graph, arrays: object, quantisation: Quantisation, x: Array) -> Array:
    from hati.engines.onnx.integers import export_int8
    from hati.engines.onnx.running import OnnxSession

    return OnnxSession(export_int8(graph, arrays, quantisation).SerializeToString())(x)  # type: ignore[arg-type]


def agreement(model: hati.Model, folder: Path, bits: int, method: Method = "extremes") -> float:
    """Of 60 photos that were not among the 40 that were calibrated on."""
    found = sorted(folder.glob("*.jpg"))[:100]
    x = np.stack([model.preprocessing(photos.read(path), model.size) for path in found])
    graph, arrays = for_inference(model.graph, lazy_weights(model).arrays())
    seen = observe(graph, arrays, np.split(x[:40], 10))
    int8 = model.running_on(OnnxRuntime(quantisation=quantisation_from(graph, arrays, seen, method, bits)))
    return float((int8.predict(x[40:]).argmax(1) == model.predict(x[40:]).argmax(1)).mean())


@pytest.mark.parametrize("bits", range(7, safe_bits() + 1))
def test_the_default_model_keeps_its_answers(shared: Path, bits: int) -> None:
    assert agreement(hati.load(), shared / "imagenet_ccby", bits) >= 0.95


@pytest.mark.parametrize("bits", range(7, safe_bits() + 1))
def test_the_smallest_mobilenet_keeps_most_of_them(shared: Path, bits: int) -> None:
    model = hati.load("MobileNet_0.25_224", shared / "mobilenet_2_5_224_tf.h5")
    assert agreement(model, shared / "imagenet_ccby", bits) >= 0.8
