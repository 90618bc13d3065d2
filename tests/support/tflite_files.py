"""Reads what was written, with the runtime's own schema."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema

Array = np.ndarray


def names_of(enumeration: type) -> dict[int, str]:
    return {number: name for name, number in vars(enumeration).items() if not name.startswith("_")}


CODES, OPTIONS, TYPES = map(names_of, (schema.BuiltinOperator, schema.BuiltinOptions, schema.TensorType))


@dataclass(frozen=True)
class ReadTensor:
    name: str
    type: str
    shape: tuple[int, ...]
    scales: tuple[float, ...]
    zeros: tuple[int, ...]
    axis: int
    data: Array | None


@dataclass(frozen=True)
class ReadOperator:
    kind: str
    version: int
    inputs: tuple[int, ...]
    output: int
    options_type: str
    options: Any  # the official class' object


@dataclass(frozen=True)
class ReadFile:
    tensors: list[ReadTensor]
    operators: list[ReadOperator]
    inputs: list[int]
    outputs: list[int]
    metadata: dict[str, bytes]
    signatures: list[Any]

    def one(self, kind: str) -> ReadOperator:
        [found] = (operator for operator in self.operators if operator.kind == kind)
        return found


def read(file: bytes) -> ReadFile:
    model = schema.ModelT.InitFromPackedBuf(file, 0)
    [graph] = model.subgraphs
    buffers = [None if buffer.data is None else bytes(buffer.data) for buffer in model.buffers]
    metadata = {one.name.decode(): buffers[one.buffer] or b"" for one in model.metadata}
    operators = [_operator(one, model.operatorCodes[one.opcodeIndex]) for one in graph.operators]
    tensors = [_tensor(one, buffers[one.buffer]) for one in graph.tensors]
    return ReadFile(tensors, operators, list(graph.inputs), list(graph.outputs), metadata, model.signatureDefs)


def offsets(file: bytes) -> list[int]:
    """Where the numbers of each buffer begin."""
    model = schema.Model.GetRootAs(file, 0)
    tables = [model.Buffers(number) for number in range(model.BuffersLength())]
    return [table._tab.Vector(table._tab.Offset(4)) for table in tables if table.DataLength()]


def _tensor(one: Any, data: bytes | None) -> ReadTensor:
    told = one.quantization
    quantised = told is not None and told.scale is not None
    return ReadTensor(
        one.name.decode(),
        TYPES[one.type],
        tuple(one.shape),
        tuple(told.scale) if quantised else (),
        tuple(told.zeroPoint) if quantised else (),
        told.quantizedDimension if quantised else 0,
        None if data is None else np.frombuffer(data, TYPES[one.type].lower()).reshape(tuple(one.shape)),
    )


def _operator(one: Any, code: Any) -> ReadOperator:
    return ReadOperator(
        CODES[code.builtinCode],
        code.version,
        tuple(one.inputs),
        one.outputs[0],
        OPTIONS[one.builtinOptionsType],
        one.builtinOptions,
    )
