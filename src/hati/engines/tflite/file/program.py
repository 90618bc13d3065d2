"""A program: tensors, and the operators that make one from another, in the order in which they run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ....errors import ArgumentError
from ....tools.arrays import Array
from .packing import LONGEST, Table, packed, table
from .schema import IDENTIFIER, OPERATORS, SCHEMA_VERSION, TYPES

RUNTIME = b"1.14.0".ljust(16, b"\0")  # the oldest that reads such a file, as converters note it
SIGNATURE = "serving_default"


@dataclass(frozen=True)
class Steps:
    """How a tensor's integers stand for real numbers: step · (integer - zero point), for all, or along an axis."""

    sizes: Array  # () or (channels,) float32
    zero_point: int = 0
    axis: int = 0


@dataclass(frozen=True)
class Tensor:
    """Numbers that flow, or, with `data`, are stored."""

    name: str
    shape: tuple[int, ...]
    numbers: str  # "float32", "int8", …
    steps: Steps | None = None
    data: Array | None = None


@dataclass(frozen=True)
class Operator:
    kind: str  # a name of schema.OPERATORS
    inputs: tuple[int, ...]  # numbers of tensors
    output: int
    options: dict[str, Any]
    version: int


@dataclass
class Program:
    """What a file holds. A picture goes into the first tensor of `inputs`; the answer is the first of `outputs`."""

    name: str
    tensors: list[Tensor] = field(default_factory=list)
    operators: list[Operator] = field(default_factory=list)
    inputs: tuple[int, ...] = ()
    outputs: tuple[int, ...] = ()

    def tensor(self, tensor: Tensor) -> int:
        """Its number."""
        self.tensors.append(tensor)
        return len(self.tensors) - 1

    def constant(self, name: str, data: Array, steps: Steps | None = None) -> int:
        data = np.ascontiguousarray(data)
        return self.tensor(Tensor(name, data.shape, str(data.dtype), steps, data))

    def operate(self, kind: str, inputs: Sequence[int], output: int, **options: Any) -> int:
        """One operator more, in the version that its numbers need. Returns the number of its output."""
        known, numbers = OPERATORS[kind], {self.tensors[number].numbers for number in (*inputs, output)}
        in_integers = bool(numbers & {"int8", "uint8"})
        version = known.int8_version if in_integers else known.float_version
        self.operators.append(Operator(kind, tuple(inputs), output, options, version))
        return output

    def counts(self) -> Counter[str]:
        return Counter(operator.kind for operator in self.operators)

    def file(self, metadata: bytes | None = None) -> bytes:
        """The bytes of the file; every buffer lies inside it, where the oldest runtimes look for it.

        Raises ArgumentError where it would be longer than offsets of 31 bits reach.
        """
        size = sum(tensor.data.nbytes for tensor in self.tensors if tensor.data is not None)
        if size + (1 << 20) > LONGEST:
            raise ArgumentError(
                f"{self.name} has {size / 1e9:.1f} GB of numbers, and a TFLite file can hold 2.1; "
                "take float16 or int8, or another format"
            )
        return packed(self._model(metadata), IDENTIFIER, size)

    def _model(self, metadata: bytes | None) -> Table:
        buffers = [table("Buffer")]  # the first is that of every tensor without numbers of its own

        def stored(data: bytes | Array | None) -> int:
            if data is None:
                return 0
            buffers.append(table("Buffer", data=data))
            return len(buffers) - 1

        tensors = [_tensor(one, stored(one.data)) for one in self.tensors]
        notes = [table("Metadata", name="min_runtime_version", buffer=stored(RUNTIME))]
        if metadata is not None:
            notes.append(table("Metadata", name="TFLITE_METADATA", buffer=stored(metadata)))
        codes = list(dict.fromkeys((one.kind, one.version) for one in self.operators))
        graph = table(
            "SubGraph",
            tensors=tensors,
            inputs=self.inputs,
            outputs=self.outputs,
            operators=[_operator(one, codes.index((one.kind, one.version))) for one in self.operators],
            name="main",
        )
        return table(
            "Model",
            version=SCHEMA_VERSION,
            operator_codes=[_code(kind, version) for kind, version in codes],
            subgraphs=[graph],
            description=self.name,
            buffers=buffers,
            metadata=notes,
            signature_defs=[self._signature()],
        )

    def _signature(self) -> Table:
        ends = {
            "inputs": [table("TensorMap", name="image", tensor_index=self.inputs[0])],
            "outputs": [table("TensorMap", name="output", tensor_index=self.outputs[0])],
        }
        return table("SignatureDef", **ends, signature_key=SIGNATURE, subgraph_index=0)


def _tensor(one: Tensor, buffer: int) -> Table:
    steps = None
    if one.steps is not None:
        sizes = np.atleast_1d(one.steps.sizes)
        steps = table(
            "QuantizationParameters",
            scale=sizes,
            zero_point=np.full(len(sizes), one.steps.zero_point),
            quantized_dimension=one.steps.axis,
        )
    return table(
        "Tensor",
        shape=one.shape,
        type=TYPES[one.numbers],
        buffer=buffer,
        name=one.name,
        quantization=steps,
        has_rank=True,
    )


def _operator(one: Operator, code: int) -> Table:
    kind = OPERATORS[one.kind]
    options = table(kind.options, **one.options) if kind.options else None
    return table(
        "Operator",
        opcode_index=code,
        inputs=one.inputs,
        outputs=(one.output,),
        builtin_options_type=kind.options_type,
        builtin_options=options,
    )


def _code(kind: str, version: int) -> Table:
    code = OPERATORS[kind].code
    return table("OperatorCode", deprecated_builtin_code=min(code, 127), version=version, builtin_code=code)
