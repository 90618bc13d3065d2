"""What turns a network of floats into one of eight-bit integers: ranges of values, and the arithmetic on them.

A value of a map is scale · (integer - zero point), with 0 … 255 as integers; a weight is scale · integer, each output
channel with a scale of its own (Jacob et al. 2018; Krishnamoorthi 2018). No engine is known here.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, NamedTuple, TypeVar

import numpy as np

from ..errors import ArgumentError
from ..network.graph import Graph, Layer
from ..network.layers import Concatenate, Cropping2D, Dropout, Flatten, MaxPooling2D, Reshape, ZeroPadding2D
from ..tools.arrays import Array

Range = tuple[float, float]
T = TypeVar("T")

LEVELS = 255  # the largest integer of a value
BITS = 7  # of a weight: what two products and their sum leave room for in 16 bits, where processors have no VNNI
LARGEST_BIAS = 2.0**30  # half of what 32 bits hold; the sum of products has the other half
SMALLEST_SCALE = 1e-12
PASSING = (Concatenate, Cropping2D, Dropout, Flatten, MaxPooling2D, Reshape, ZeroPadding2D)  # numbers go through them


class Scale(NamedTuple):
    """How the integers 0 … 255 stand for real numbers."""

    step: np.float32
    zero_point: np.uint8

    def quantised(self, x: Array) -> Array:
        """Rounded half to even, as every runtime rounds; what lies outside the range becomes its nearer end."""
        return np.clip(np.rint(x / self.step) + self.zero_point, 0, LEVELS).astype(np.uint8)

    def real(self, integers: Array) -> Array:
        return (integers.astype(np.float32) - np.float32(self.zero_point)) * self.step


class Rounding(NamedTuple):
    """The weights of one operator before and after, as (out, in / groups, …)."""

    name: str  # of the value that it makes
    source: str  # of the value that it reads
    kernel: Array
    rounded: Array
    groups: int


@dataclass(frozen=True)
class Quantisation:
    """All that an int8 network needs beside the float one.

    `ranges` are the lowest and the highest number of values, by the names that values have in the graph as
    `passes.for_inference` leaves it; `in_float` are the layers that stay as they are; `corrections` are added to
    biases, one number for each output channel (Nagel et al. 2019).
    """

    ranges: Mapping[str, Range]
    in_float: tuple[str, ...] = ()
    corrections: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    bits: int = BITS

    def __repr__(self) -> str:
        kept = f"{len(self.in_float)} of {len(self.layers)} layers in float"
        return f"<Quantisation: ranges of {len(self.ranges)} values, weights in {self.bits} bits, {kept}>"

    @property
    def layers(self) -> tuple[str, ...]:
        """Those with weights that can run in integers, by their names in the model."""
        return tuple(dict.fromkeys(name.partition("/")[0] for name in self.corrections))

    def keeping(self, *layers: str) -> Quantisation:
        """The same with these layers in float, and no others."""
        return replace(self, in_float=layers)

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str | bytes) -> Quantisation:
        """Raises ArgumentError where the text describes no quantisation."""
        try:
            found = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise ArgumentError(f"a quantisation is damaged: {error}; calibrate again") from None
        return cls.from_fields(found)

    @classmethod
    def from_fields(cls, found: Any) -> Quantisation:
        """From what JSON makes of it. Raises ArgumentError."""
        match found:
            case {
                "ranges": dict(ranges),
                "in_float": list(kept),
                "corrections": dict(corrections),
                "bits": 7 | 8 as bits,
            }:
                if len(found) == 4 and all(isinstance(name, str) for name in kept) and type(bits) is int:
                    return cls(_each(_range, ranges), tuple(kept), _each(_numbers, corrections), bits)
        raise ArgumentError(
            "a quantisation is damaged: ranges, in_float, corrections and bits were expected; calibrate again"
        )


def scale_of(low: float, high: float) -> Scale:
    """The scale for a range. Zero is one of its numbers, exactly, as padding needs it."""
    low, high = min(low, 0.0), max(high, 0.0)
    step = max((high - low) / LEVELS, SMALLEST_SCALE)
    return Scale(np.float32(step), np.uint8(np.clip(np.rint(-low / step), 0, LEVELS)))


def quantised_weights(kernel: Array, bias: Array, input_step: float, bits: int = BITS) -> tuple[Array, Array]:
    """A kernel, its output channels first, as int8 and one scale for each of them.

    A channel whose weights are so small that its bias would not fit into 32 bits gets a larger scale.
    """
    largest = np.abs(kernel.reshape(len(kernel), -1)).max(1, initial=0).astype(np.float64)
    top = 2 ** (bits - 1) - 1
    steps = np.maximum(largest / top, np.abs(bias) / (LARGEST_BIAS * input_step))
    steps = np.maximum(steps, SMALLEST_SCALE).astype(np.float32)
    by_channel = steps.reshape(-1, *(1,) * (kernel.ndim - 1))
    return np.clip(np.rint(kernel / by_channel), -top, top).astype(np.int8), steps


def quantised_bias(bias: Array, input_step: float, steps: Array) -> Array:
    """A bias as the int32 that sums of products of integers begin with."""
    return np.rint(bias / (np.float64(input_step) * steps)).astype(np.int32)


def bias_correction(kernel: Array, rounded: Array, means: Array, groups: int) -> Array:
    """What rounded weights miss on the average, for each output channel: (kernel - rounded) · mean input.

    kernel, rounded: (out, in / groups, …); means: (in,), over pictures and places (Nagel et al. 2019, equation 17).
    """
    lost = (kernel.astype(np.float64) - rounded).reshape(groups, len(kernel) // groups, kernel.shape[1], -1).sum(3)
    return np.einsum("goi,gi->go", lost, means.reshape(groups, -1)).reshape(-1)


def with_shared_ranges(
    graph: Graph, ranges: Mapping[str, Range], passing: tuple[type[Layer], ...] = PASSING
) -> dict[str, Range]:
    """The same range on both sides of every layer that only passes numbers on, so that none is scaled again."""
    leader: dict[str, str] = {}

    def find(name: str) -> str:
        while leader.get(name, name) != name:
            name = leader[name]
        return name

    for node in graph.nodes:
        for x in node.inputs if isinstance(node.layer, passing) else ():
            leader[find(x.name)] = find(node.name)
    joined: dict[str, Range] = {}
    for name, (low, high) in ranges.items():
        known = joined.get(find(name), (low, high))
        joined[find(name)] = min(low, known[0]), max(high, known[1])
    return {name: joined[find(name)] for name in ranges}


def _each(read: Callable[[str, Any], T], found: dict[str, Any]) -> dict[str, T]:
    return {name: read(name, value) for name, value in found.items()}


def _range(name: str, value: Any) -> Range:
    match value:
        case [low, high] if _is_number(low) and _is_number(high) and low <= high:
            return float(low), float(high)
    raise ArgumentError(
        f"{name}: its range is {value!r:.80}; two numbers, the lower first, were expected; calibrate again"
    )


def _numbers(name: str, value: Any) -> tuple[float, ...]:
    if isinstance(value, list) and all(map(_is_number, value)):
        return tuple(map(float, value))
    raise ArgumentError(f"{name}: its correction is {value!r:.80}; a list of numbers was expected; calibrate again")


def _is_number(value: Any) -> bool:
    return type(value) in (int, float) and math.isfinite(value) and abs(value) < 1e30
