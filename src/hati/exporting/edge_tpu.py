"""What Coral's Edge TPU computes of a file, before its compiler is asked.

Facts: "TensorFlow models on the Edge TPU", coral.ai/docs/edgetpu/models-intro, its table of supported operations.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

TAKEN = {
    "ADD", "AVERAGE_POOL_2D", "CONCATENATION", "CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "LOGISTIC",
    "MAX_POOL_2D", "MEAN", "MINIMUM", "MUL", "PAD", "QUANTIZE", "REDUCE_MAX", "RELU", "RELU6", "RESHAPE", "RSQRT",
    "SOFTMAX", "SQUARED_DIFFERENCE", "STRIDED_SLICE", "SUB", "TANH",
}  # fmt: skip


@dataclass(frozen=True)
class EdgeTPU:
    """Which operators it would take, and why the others, or all, stay on the processor."""

    taken: dict[str, int]
    left: dict[str, int]
    reason: str  # "" where it takes all of them


def edge_tpu(operators: Mapping[str, int], precision: str, numbers: str) -> EdgeTPU:
    """Only integers run there; the compiler hands over at the first operator that it does not know."""
    taken = {name: count for name, count in operators.items() if name in TAKEN}
    left = {name: count for name, count in operators.items() if name not in TAKEN}
    if precision != "int8":
        return EdgeTPU({}, dict(operators), f"it computes in integers, and this is {precision}")
    if numbers == "float32":
        return EdgeTPU({}, dict(operators), "it takes and gives integers: export with --io uint8 or int8")
    if "DEQUANTIZE" in operators:
        return EdgeTPU({}, dict(operators), "some layers are kept in float, and it computes in integers")
    reason = f"it has no {', '.join(left)}: what follows the first of them stays on the processor" if left else ""
    return EdgeTPU(taken, left, reason)
