"""Tables of a schema -> the bytes of a flatbuffer, by the format's own library."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import flatbuffers
import numpy as np

from ....tools.arrays import Array
from .schema import TABLES

Lying = dict[tuple[str, bytes], int]  # where numbers lie, by their kind and their bytes

ALIGNMENT = 16  # bytes, of a tensor's numbers: microcontrollers read them where they lie
SLACK = 4096  # bytes that a file needs beside its numbers, at the least
LONGEST = 2**31 - 1  # bytes; offsets in a flatbuffer have 31 bits


@dataclass(frozen=True)
class Table:
    """A table of the schema and its fields, by name; those that are left out have their default."""

    kind: str
    fields: dict[str, Any]


def table(kind: str, **fields: Any) -> Table:
    return Table(kind, fields)


def packed(root: Table, identifier: bytes, size: int = 0) -> bytes:
    """`size` is about how many bytes the numbers take, so that the buffer need not grow."""
    builder = flatbuffers.Builder(size + SLACK)
    builder.Finish(_table(builder, root, {}), identifier)
    return bytes(builder.Output())


def _table(builder: flatbuffers.Builder, one: Table, lying: Lying) -> int:
    """What a table points at lies before it; then its own fields."""
    kinds = dict(field.split(":") for field in TABLES[one.kind].split())
    unknown = one.fields.keys() - kinds.keys()
    assert not unknown, f"{one.kind} has no field {', '.join(unknown)}"
    values = {name: _placed(builder, kinds[name], value, lying) for name, value in one.fields.items()}
    builder.StartObject(len(kinds))
    for slot, (name, kind) in enumerate(kinds.items()):
        if values.get(name) is not None:
            _put(builder, slot, kind, values[name])
    return int(builder.EndObject())


def _placed(builder: flatbuffers.Builder, kind: str, value: Any, lying: Lying) -> Any:
    """Where a value lies; a single number is itself."""
    match kind:
        case _ if value is None:
            return None
        case "text":
            return builder.CreateString(value)
        case "table":
            return _table(builder, value, lying)
        case "tables":
            return _offsets(builder, [_table(builder, one, lying) for one in value])
        case "texts":
            return _offsets(builder, [builder.CreateString(one) for one in value])
        case "bytes":
            return _numbers(builder, _as_bytes(value), ALIGNMENT)
        case "int32s" | "int64s" | "float32s":
            return _once(builder, np.asarray(value, kind.removesuffix("s")), lying)
    return value


def _as_bytes(value: bytes | Array) -> Array:
    return np.frombuffer(value, np.uint8) if isinstance(value, bytes) else value.reshape(-1).view(np.uint8)


def _once(builder: flatbuffers.Builder, array: Array, lying: Lying) -> int:
    """The same numbers lie in a file once: a zero point for each channel takes more room than the channel's scale."""
    key = str(array.dtype), array.tobytes()
    if key not in lying:
        lying[key] = _numbers(builder, array, array.itemsize)
    return lying[key]


def _numbers(builder: flatbuffers.Builder, array: Array, alignment: int) -> int:
    builder.Prep(max(alignment, 4), array.nbytes)
    return int(builder.CreateNumpyVector(array)) if array.size else int(builder.CreateByteVector(b""))


def _offsets(builder: flatbuffers.Builder, offsets: list[int]) -> int:
    builder.StartVector(4, len(offsets), 4)
    for offset in reversed(offsets):
        builder.PrependUOffsetTRelative(offset)
    return int(builder.EndVector())


def _put(builder: flatbuffers.Builder, slot: int, kind: str, value: Any) -> None:
    match kind:
        case "bool":
            builder.PrependBoolSlot(slot, bool(value), False)
        case "int8":
            builder.PrependInt8Slot(slot, value, 0)
        case "uint8":
            builder.PrependUint8Slot(slot, value, 0)
        case "int32":
            builder.PrependInt32Slot(slot, value, 0)
        case "uint32":
            builder.PrependUint32Slot(slot, value, 0)
        case "float32":
            builder.PrependFloat32Slot(slot, value, 0.0)
        case _:
            builder.PrependUOffsetTRelativeSlot(slot, value, 0)
