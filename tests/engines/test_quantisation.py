"""The arithmetic of eight bits, and the record that it needs."""

import json
from contextlib import suppress
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hati.engines.quantisation import (
    Quantisation,
    bias_correction,
    quantised_bias,
    quantised_weights,
    scale_of,
    with_shared_ranges,
)
from hati.errors import ArgumentError
from hati.network.graph import Graph
from hati.network.layers import Add, Concatenate, Conv2D, Flatten, InputLayer, MaxPooling2D

NUMBERS = st.floats(-1e6, 1e6, width=32)
RANGES = st.tuples(NUMBERS, NUMBERS).map(lambda ends: (min(ends), max(ends)))
QUANTISATIONS = st.builds(
    Quantisation,
    ranges=st.dictionaries(st.text(max_size=9), RANGES, max_size=4),
    in_float=st.lists(st.text(max_size=9), max_size=3).map(tuple),
    corrections=st.dictionaries(st.text(max_size=9), st.lists(NUMBERS, max_size=3).map(tuple), max_size=3),
    bits=st.sampled_from([7, 8]),
)


@given(RANGES)
def test_zero_is_exact_in_every_range(ends: tuple[float, float]) -> None:
    scale = scale_of(*ends)
    assert scale.real(scale.quantised(np.zeros(1, np.float32))) == 0


@given(RANGES, st.floats(0, 1))
def test_a_number_within_the_range_comes_back_within_a_step(ends: tuple[float, float], place: float) -> None:
    low, high = min(ends[0], 0.0), max(ends[1], 0.0)
    scale = scale_of(*ends)
    x = np.array([low + place * (high - low)], np.float32)
    assert abs(scale.real(scale.quantised(x)) - x) <= 1.001 * scale.step


@given(RANGES)
def test_a_number_outside_becomes_the_nearer_end(ends: tuple[float, float]) -> None:
    found = scale_of(*ends).quantised(np.array([-1e9, 1e9], np.float32))
    np.testing.assert_array_equal(found, [0, 255])


@pytest.mark.parametrize(("x", "expected"), [(0.5, 0), (1.5, 2), (2.5, 2), (254.5, 254), (300, 255), (-3, 0)])
def test_halves_are_rounded_to_even(x: float, expected: int) -> None:
    assert scale_of(0, 255).quantised(np.array(x)) == expected


@given(st.integers(0, 2**32 - 1), st.sampled_from([7, 8]))
def test_weights_come_back_within_half_a_step_of_their_channel(seed: int, bits: int) -> None:
    generator = np.random.default_rng(seed)
    kernel = (generator.standard_normal((5, 3, 2, 2)) * 10.0 ** generator.integers(-5, 5, (5, 1, 1, 1))).astype("f")
    integers, steps = quantised_weights(kernel, np.zeros(5), 0.01, bits)
    by_channel = steps.reshape(5, 1, 1, 1)
    assert np.abs(integers).max() == 2 ** (bits - 1) - 1
    assert (np.abs(integers * by_channel - kernel) <= 0.501 * by_channel).all()


@pytest.mark.parametrize("largest", [0.0, 1e-30, 1e-12, 1.0])
@pytest.mark.parametrize("bias", [0.0, -3.0, 4e4])
def test_the_bias_of_a_dead_channel_fits_into_32_bits(largest: float, bias: float) -> None:
    kernel, biases = np.full((2, 3), largest, np.float32), np.array([bias, 1.0])
    _, steps = quantised_weights(kernel, biases, 1e-6)
    found = quantised_bias(biases, 1e-6, steps)
    np.testing.assert_allclose(found * (1e-6 * steps.astype(float)), biases, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("groups", [1, 2, 6])
def test_the_correction_is_what_rounding_costs_on_the_average(groups: int) -> None:
    generator = np.random.default_rng(0)
    kernel = generator.standard_normal((6, 6 // groups))
    rounded = np.rint(kernel * 3) / 3
    x = generator.uniform(0, 2, (500, 6))

    def products(w: np.ndarray) -> np.ndarray:
        parts = [part @ rows.T for part, rows in zip(np.split(x, groups, 1), np.split(w, groups), strict=True)]
        return np.concatenate(parts, 1)

    expected = (products(kernel) - products(rounded)).mean(0)
    found = bias_correction(kernel[..., None, None], rounded[..., None, None], x.mean(0), groups)
    np.testing.assert_allclose(found, expected, atol=1e-12)


def test_layers_that_pass_numbers_on_have_one_range_on_both_sides() -> None:
    picture = InputLayer((8, 8, 3))(name="picture")
    left, right = (Conv2D(2, 1)(picture, name=name) for name in ("left", "right"))
    joined = Concatenate()(MaxPooling2D(2, 2)(left, name="pool"), MaxPooling2D(2, 2)(right, name="pool2"), name="both")
    graph = Graph(Flatten()(Add()(joined, joined, name="sum"), name="flat"))
    ranges = {"left": (-1.0, 2.0), "pool": (0.0, 2.0), "right": (-3.0, 1.0), "both": (-3.0, 2.0), "sum": (-6.0, 4.0)}
    found = with_shared_ranges(graph, ranges)
    assert found == dict.fromkeys(("left", "pool", "right", "both"), (-3.0, 2.0)) | {"sum": (-6.0, 4.0)}


@given(QUANTISATIONS)
def test_json_brings_back_the_same(quantisation: Quantisation) -> None:
    assert Quantisation.from_json(quantisation.to_json()) == quantisation


def test_its_layers_are_those_whose_biases_are_corrected() -> None:
    found = Quantisation({"a": (0, 1)}, corrections={"first/conv": (0.5,), "first": (0.5,), "second": (0.1, 0.2)})
    assert found.layers == ("first", "second")
    assert found.keeping("first").layers == ("first", "second"), "what can run in integers does not change"
    assert repr(found.keeping("first")) == (
        "<Quantisation: ranges of 1 values, weights in 7 bits, 1 of 2 layers in float>"
    )


SOUND = Quantisation({"a": (-1.0, 2.0)}, ("b",), {"c": (0.5, 1.0)}).to_json()


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"ranges": {"a": [2, 1]}}, "a: its range"),
        ({"ranges": {"a": [0, 1e99]}}, "a: its range"),
        ({"ranges": {"a": [True, 1]}}, "a: its range"),
        ({"ranges": [1]}, "damaged"),
        ({"in_float": [1]}, "damaged"),
        ({"corrections": {"c": "0.5"}}, "c: its correction"),
        ({"bits": 4}, "damaged"),
        ({"bits": 7.0}, "damaged"),
        ({"more": 1}, "damaged"),
    ],
)
def test_a_wrong_field_is_named(change: dict[str, Any], fault: str) -> None:
    with pytest.raises(ArgumentError, match=f"{fault}.*calibrate again"):
        Quantisation.from_json(json.dumps(json.loads(SOUND) | change))


@settings(max_examples=300)
@given(st.data())
def test_damaged_text_is_refused_or_read_and_nothing_else(data: st.DataObject) -> None:
    text = bytearray(SOUND.encode())
    for _ in range(data.draw(st.integers(1, 5))):
        text[data.draw(st.integers(0, len(text) - 1))] = data.draw(st.integers(0, 255))
    with suppress(ArgumentError):
        assert isinstance(Quantisation.from_json(bytes(text)), Quantisation)


@pytest.mark.parametrize("text", ["", "[", "null", "[" * 100_000, '{"ranges": NaN}', "\x00"])
def test_what_is_no_record_is_refused(text: str) -> None:
    with pytest.raises(ArgumentError, match="calibrate again"):
        Quantisation.from_json(text)
