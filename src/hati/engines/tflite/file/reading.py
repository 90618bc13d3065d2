"""What stands in a TFLite file, by the runtime's own schema."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

NUMBERS = {  # of a tensor, by the names of the schema
    "FLOAT32": "float32",
    "FLOAT16": "float16",
    "INT32": "int32",
    "UINT8": "uint8",
    "INT64": "int64",
    "INT8": "int8",
}


@dataclass(frozen=True)
class Tensor:
    name: str
    shape: tuple[int, ...]
    numbers: str  # "int8", …
    scales: tuple[float, ...]  # one, one for each channel, or none
    zero_point: int

    @property
    def bytes(self) -> int:
        return prod(self.shape) * np.dtype(self.numbers).itemsize


@dataclass(frozen=True)
class Operator:
    kind: str
    inputs: tuple[int, ...]  # numbers of tensors
    outputs: tuple[int, ...]


@dataclass(frozen=True)
class File:
    tensors: tuple[Tensor, ...]
    operators: tuple[Operator, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]


def read(path: Path) -> File:
    from ai_edge_litert import schema_py_generated as schema

    model = schema.ModelT.InitFromPackedBuf(path.read_bytes(), 0)
    [graph] = model.subgraphs
    kinds, types = (_names(kind) for kind in (schema.BuiltinOperator, schema.TensorType))
    codes = [kinds[code.builtinCode] for code in model.operatorCodes]
    return File(
        tuple(_tensor(one, NUMBERS[types[one.type]]) for one in graph.tensors),
        tuple(Operator(codes[one.opcodeIndex], _numbers(one.inputs), _numbers(one.outputs)) for one in graph.operators),
        _numbers(graph.inputs),
        _numbers(graph.outputs),
    )


def _tensor(one: Any, numbers: str) -> Tensor:
    steps = one.quantization
    scales = () if steps is None or steps.scale is None else tuple(map(float, steps.scale))
    shape = _numbers(one.shape if one.shape is not None else ())
    return Tensor(one.name.decode(), shape, numbers, scales, int(steps.zeroPoint[0]) if scales else 0)


def _numbers(given: Any) -> tuple[int, ...]:
    return tuple(map(int, given))


def _names(enumeration: type) -> dict[int, str]:
    return {number: name for name, number in vars(enumeration).items() if not name.startswith("_")}
