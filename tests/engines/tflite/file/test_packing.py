"""Tables of a schema as a flatbuffer's bytes: what lies there once, and what lies there in full."""

import numpy as np
import pytest
from tflite_files import read

from hati.engines.tflite.file.packing import packed, table
from hati.engines.tflite.file.program import Program, Steps, Tensor

CHANNELS = 64


def steps(size: float, axis: int = 0) -> Steps:
    return Steps(np.full(CHANNELS, size, np.float32), axis=axis)


@pytest.mark.parametrize(
    ("kind", "field", "numbers", "bytes_each"),
    [("Stats", "max", np.arange(100) / 7, 4), ("QuantizationParameters", "zero_point", np.zeros(100), 8)],
)
def test_the_same_numbers_lie_in_a_file_once(kind: str, field: str, numbers: np.ndarray, bytes_each: int) -> None:
    one = table(kind, **{field: numbers})
    other = table(kind, **{field: numbers[::-1] + 1})
    lengths = [len(packed(table("ModelMetadata", associated_files=[one, two]), b"TEST")) for two in (one, other)]
    assert lengths[1] - lengths[0] == pytest.approx(100 * bytes_each, abs=16)


def test_what_lies_there_once_is_read_wherever_it_belongs() -> None:
    program = Program("shared")
    program.constant("a", np.ones((1, 1, 1, CHANNELS), np.int8), steps(0.5, axis=3))
    program.constant("b", np.ones(CHANNELS, np.int32), steps(0.5))
    program.constant("c", np.ones(CHANNELS, np.int32), steps(0.25))
    program.inputs = program.outputs = (program.tensor(Tensor("x", (1, CHANNELS), "float32")),)
    found = read(program.file()).tensors
    assert [set(one.scales) for one in found] == [{0.5}, {0.5}, {0.25}, set()]
    assert [one.zeros for one in found] == [(0,) * CHANNELS] * 3 + [()]
    assert [one.axis for one in found] == [3, 0, 0, 0]
