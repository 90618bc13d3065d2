"""How much memory TFLite Micro needs for a file: its arena, estimated as its own planner fills it.

Facts: tensorflow/lite/micro/memory_planner/greedy_memory_planner.cc and micro_allocation_info.cc for what flows; for
what is kept, the records of its RecordingMicroAllocator on a processor of 64 bits. Pointers of 32 bits take less.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import prod

from ...engines.tflite.file.reading import File

ALIGNMENT = 16  # bytes, of every tensor that flows
PER_TENSOR = 24  # bytes that are kept for a tensor, flowing or stored,
PER_OPERATOR = 64 + 112  # for an operator and its settings, at the most,
PER_CHANNEL = 8  # for the multiplier and the shift of an output channel that has a scale of its own,
PER_FILE = 1024 + ALIGNMENT  # and for the interpreter itself and an arena that begins anywhere
PER_PLANNED = 80  # bytes for each tensor while the planner works, which are free again afterwards
SUM = 4  # bytes of a number that a mean adds up in
BY_CHANNEL = {"CONV_2D", "DEPTHWISE_CONV_2D"}


@dataclass(frozen=True)
class Buffer:
    """Memory that is needed from one operator to another."""

    size: int  # bytes
    first: int
    last: int

    def meets(self, other: Buffer) -> bool:
        return self.first <= other.last and other.first <= self.last


@dataclass(frozen=True)
class Arena:
    """Bytes of memory that a file needs beside itself."""

    flowing: int  # what operators give each other
    kept: int  # what the interpreter keeps for tensors, operators and channels

    @property
    def total(self) -> int:
        return self.flowing + self.kept


def estimated(file: File) -> Arena:
    """Enough for the plain kernels; others, such as CMSIS-NN's, ask for some memory of their own."""
    channels = sum(
        file.tensors[one.outputs[0]].shape[-1]
        for one in file.operators
        if one.kind in BY_CHANNEL and len(file.tensors[one.inputs[1]].scales) > 1
    )
    kept = PER_FILE + PER_TENSOR * len(file.tensors) + PER_OPERATOR * len(file.operators) + PER_CHANNEL * channels
    return Arena(max(planned(list(_buffers(file))), PER_PLANNED * len(file.tensors)), kept)


def planned(buffers: Sequence[Buffer]) -> int:
    """How far buffers reach when the largest is placed first, each into the first gap among those it meets.

    Of equal ones the last comes first, as there.
    """
    placed: list[tuple[int, Buffer]] = []  # where a buffer begins
    last_first = list(reversed(buffers))
    for buffer in sorted(last_first, key=lambda one: -one.size):
        start = 0
        for begins, other in sorted((one for one in placed if one[1].meets(buffer)), key=lambda one: one[0]):
            if begins - start >= buffer.size:
                break
            start = max(start, begins + other.size)
        placed.append((start, buffer))
    return max((begins + buffer.size for begins, buffer in placed), default=0)


def _buffers(file: File) -> Iterable[Buffer]:
    """Every tensor that flows, in the order of the file, and what means add up in."""
    made = dict.fromkeys(file.inputs, 0)
    used = dict(made)
    for number, operator in enumerate(file.operators, 1):
        made.update((x, number) for x in operator.outputs if x not in made)
        used.update((x, number) for x in (*operator.inputs, *operator.outputs) if x in made)
    used.update((x, len(file.operators)) for x in file.outputs)
    for x in sorted(made):
        yield Buffer(_aligned(file.tensors[x].bytes), made[x], used[x])
    for number, operator in enumerate(file.operators, 1):
        if operator.kind == "MEAN":
            yield Buffer(_aligned(SUM * prod(file.tensors[operator.outputs[0]].shape)), number, number)


def _aligned(size: int) -> int:
    return -(-size // ALIGNMENT) * ALIGNMENT
