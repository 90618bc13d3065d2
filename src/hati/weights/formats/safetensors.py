"""The .safetensors format: a header of JSON that says where each array lies, then the arrays, one behind the other.

Layout: README of github.com/huggingface/safetensors.
"""

import json
from collections.abc import Iterable, Mapping
from math import prod
from typing import IO, Any, NamedTuple

import numpy as np

from ...errors import WeightsError
from ...tools.arrays import Array
from . import mapped

MOST_HEADER = 1 << 24  # bytes; ten thousand arrays and their network take two million
MOST_AXES, MOST_SIZE = 32, 1 << 48
ALIGNMENT = 64  # bytes, at which the first array starts
BFLOAT16 = "BF16"
DTYPES = {
    "F64": "<f8", "F32": "<f4", "F16": "<f2", BFLOAT16: "<u2",
    "I64": "<i8", "I32": "<i4", "I16": "<i2", "I8": "i1",
    "U64": "<u8", "U32": "<u4", "U16": "<u2", "U8": "u1", "BOOL": "?",
}  # fmt: skip
NAMES = {np.dtype(dtype): name for name, dtype in DTYPES.items() if name != BFLOAT16}


class Entry(NamedTuple):
    """Where an array lies, in bytes behind the header."""

    dtype: str
    shape: tuple[int, ...]
    start: int
    end: int


def read(content: memoryview) -> dict[str, Array]:
    """Every array, as a view; bfloat16 is widened to float32."""
    header, data = _parts(content)
    header.pop("__metadata__", None)
    entries = {name: _entry(name, value) for name, value in header.items()}
    _check_order(entries, len(data))
    return {name: _array(entry, data) for name, entry in entries.items()}


def metadata(content: memoryview) -> dict[str, str]:
    """The texts that its writer put beside the arrays."""
    found = _parts(content)[0].get("__metadata__", {})
    if not isinstance(found, dict) or not all(isinstance(value, str) for value in found.values()):
        raise WeightsError("its __metadata__ is no table of texts")
    return found


def write(file: IO[bytes], arrays: Mapping[str, Array], metadata: Mapping[str, str]) -> None:
    """Arrays and texts, one array after the other."""
    header = json.dumps({"__metadata__": dict(metadata)} | dict(_headings(arrays)), ensure_ascii=False).encode()
    header += b" " * (-(8 + len(header)) % ALIGNMENT)
    if len(header) > MOST_HEADER:
        raise WeightsError(f"a header of {len(header):,} bytes is too long to be read again")
    file.write(len(header).to_bytes(8, "little") + header)
    for array in arrays.values():
        file.write(np.ascontiguousarray(array, array.dtype.newbyteorder("<")).data)


def _headings(arrays: Mapping[str, Array]) -> Iterable[tuple[str, Any]]:
    start = 0
    for name, array in arrays.items():
        end = start + array.nbytes
        dtype = NAMES[array.dtype.newbyteorder("<")]
        yield name, {"dtype": dtype, "shape": array.shape, "data_offsets": [start, end]}
        start = end


def _parts(content: memoryview) -> tuple[dict[str, Any], memoryview]:
    """The header, and the bytes behind it."""
    length = int.from_bytes(content[:8], "little")
    if length > len(content) - 8:
        claim = f"its header claims {length:,} bytes, the whole file has {len(content):,}"
        raise WeightsError(f"{claim}; it may be cut short")
    if length > MOST_HEADER:
        raise WeightsError(f"its header claims {length:,} bytes, too many to be true")
    try:
        header = json.loads(str(content[8 : 8 + length], "utf-8"), object_pairs_hook=_table)
    except (ValueError, RecursionError) as error:
        if isinstance(error, WeightsError):
            raise
        raise WeightsError(f"its header is damaged ({error})") from None
    if not isinstance(header, dict):
        raise WeightsError("its header is no table")
    return header, content[8 + length :]


def _table(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise WeightsError("its header says two things under one name")
    return found


def _entry(name: str, value: Any) -> Entry:
    match value:
        case {"dtype": str(dtype), "shape": list(shape), "data_offsets": [start, end], **others} if not others:
            sizes = [*shape, start, end]
            if len(shape) <= MOST_AXES and all(type(size) is int and 0 <= size < MOST_SIZE for size in sizes):
                return _checked(name, Entry(dtype, tuple(shape), start, end))
    raise WeightsError(f"its header does not say where {name} lies")


def _checked(name: str, entry: Entry) -> Entry:
    if entry.dtype not in DTYPES:
        raise WeightsError(f"{name} is of type {entry.dtype}; hati reads {', '.join(DTYPES)}")
    needed, found = prod(entry.shape) * np.dtype(DTYPES[entry.dtype]).itemsize, entry.end - entry.start
    if found != needed:
        kind = f"{entry.dtype} of shape {entry.shape}"
        raise WeightsError(f"{name} needs {needed:,} bytes, {kind}; its header gives it {found:,}")
    return entry


def _check_order(entries: Mapping[str, Entry], size: int) -> None:
    """Refuse arrays that overlap, leave holes, or do not end where the file does."""
    place = 0
    for name, entry in sorted(entries.items(), key=lambda item: item[1][2:]):
        if entry.start != place:
            raise WeightsError(f"{name} starts at byte {entry.start:,}, where {place:,} was expected")
        place = entry.end
    if place != size:
        raise WeightsError(f"its arrays need {place:,} bytes, it has {size:,}: it was not copied whole")


def _array(entry: Entry, data: memoryview) -> Array:
    array = mapped.array(data[entry.start : entry.end], np.dtype(DTYPES[entry.dtype]), entry.shape)
    return mapped.from_bfloat16(array) if entry.dtype == BFLOAT16 else array
