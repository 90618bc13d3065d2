"""PyTorch's .pth and .pt files, without PyTorch: the legacy one (one long pickle) and the zip-shaped one (since 1.6).

Layout of both: torch/serialization.py of github.com/pytorch/pytorch.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from ...errors import WeightsError
from ...tools.arrays import Array
from . import mapped, pickles
from .archives import Archive

Arrays = dict[str, Array]

MOST_AXES, MOST_SIZE = 32, 1 << 48
BIG_ENDIAN = "it was written on a big-endian machine; save it again on a common one"
LEGACY_MAGIC = 0x1950A86A20F9469CFC6C
DTYPES = {
    "FloatStorage": "<f4",
    "DoubleStorage": "<f8",
    "HalfStorage": "<f2",
    "BFloat16Storage": "<u2",  # the upper half of a float32; widened when read
    "LongStorage": "<i8",
    "IntStorage": "<i4",
    "ShortStorage": "<i2",
    "CharStorage": "i1",
    "ByteStorage": "u1",
    "BoolStorage": "?",
}


@dataclass(frozen=True)
class Storage:
    """A row of numbers that tensors look into."""

    kind: str
    key: str
    count: int

    @property
    def dtype(self) -> np.dtype[Any]:
        return np.dtype(DTYPES[self.kind])

    @property
    def bytes(self) -> int:
        return self.count * self.dtype.itemsize


@dataclass(frozen=True)
class Tensor:
    storage: Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]

    @property
    def bytes(self) -> int:
        return prod(self.shape) * self.storage.dtype.itemsize

    def view(self, numbers: Array) -> Array:
        """The array in its storage's numbers, once it is sure to lie inside them; none of them is copied."""
        last = self.offset + sum((size - 1) * step for size, step in zip(self.shape, self.strides, strict=True))
        if prod(self.shape) and last >= len(numbers):
            raise WeightsError(f"a tensor of shape {self.shape} reaches past the end of its {len(numbers):,} numbers")
        strides = [step * numbers.itemsize for step in self.strides]
        return np.lib.stride_tricks.as_strided(numbers[self.offset :], self.shape, strides, writeable=False)


Tensors = dict[str, Tensor]
Storages = dict[str, Storage]  # by their keys


def read_legacy(content: memoryview, most: int) -> Arrays:
    """Every tensor of the state dict; together they can take `most` bytes."""
    stream = mapped.Stream(content)
    magic = pickles.load(stream, {}, _no_persistent_ids)
    if magic != LEGACY_MAGIC:
        raise WeightsError("it is a pickle, but not one that PyTorch wrote")
    pickles.load(stream, {}, _no_persistent_ids)  # protocol version
    system = pickles.load(stream, {}, _no_persistent_ids)
    if isinstance(system, dict) and system.get("little_endian") is False:
        raise WeightsError(BIG_ENDIAN)
    tensors, storages = _load(stream, len(content), most)
    keys = pickles.load(stream, {}, _no_persistent_ids)
    wanted, numbers = _looked_into(tensors), {}
    for key in _checked_keys(keys):
        data = _next_storage(stream, storages.get(key))
        if key in wanted:
            numbers[key] = _numbers(data, wanted[key])
    if numbers.keys() < wanted.keys():
        raise WeightsError("the list of its storages does not fit its tensors")
    return _arrays(tensors, numbers)


def read_zip(archive: Archive, most: int) -> Arrays:
    """Every tensor of the state dict; together they can take `most` bytes."""
    [program] = [name for name in archive.names if name.rpartition("/")[2] == "data.pkl"]
    root = program.removesuffix("data.pkl")
    if f"{root}byteorder" in archive.names and bytes(_stored(archive, f"{root}byteorder")) == b"big":
        raise WeightsError(BIG_ENDIAN)
    tensors, _ = _load(mapped.Stream(_stored(archive, program)), len(archive.content), most)
    numbers = {
        key: _numbers(_stored(archive, f"{root}data/{key}"), storage) for key, storage in _looked_into(tensors).items()
    }
    return _arrays(tensors, numbers)


def _load(stream: mapped.Stream, file_bytes: int, most: int) -> tuple[Tensors, Storages]:
    """What the pickle describes, once it is sure that the file is long enough for it."""
    storages: Storages = {}

    def persistent(identity: Any) -> Storage:
        storage = _storage(identity)
        if storages.setdefault(storage.key, storage) != storage:
            raise WeightsError(f"its pickle describes storage {storage.key} in two ways")
        return storage

    tensors = _tensors(pickles.load(stream, ALLOWED, persistent))
    needed = sum(storage.bytes for storage in storages.values())
    if needed > file_bytes:
        raise WeightsError(f"it is {file_bytes:,} bytes long, its tensors need {needed:,}: it was not copied whole")
    claimed = sum(tensor.bytes for tensor in tensors.values())
    if claimed > most:
        raise WeightsError(f"it is {file_bytes:,} bytes long and claims tensors of {claimed:,}, too many to be true")
    return tensors, storages


def _tensors(value: Any) -> Tensors:
    """The state dict, also where a checkpoint holds it beside an optimizer, or DataParallel wrapped it."""
    if not isinstance(value, dict):
        raise WeightsError("it holds no dict of tensors")
    for key in ("state_dict", "model_state_dict", "model", "weights"):
        if isinstance(value.get(key), dict):
            return _tensors(value[key])
    found = {str(key).removeprefix("module."): item for key, item in value.items() if isinstance(item, Tensor)}
    if not found:
        raise WeightsError("it holds a dict without tensors")
    return found


def _looked_into(tensors: Tensors) -> Storages:
    return {tensor.storage.key: tensor.storage for tensor in tensors.values()}


def _arrays(tensors: Tensors, numbers: Mapping[str, Array]) -> Arrays:
    return {name: tensor.view(numbers[tensor.storage.key]) for name, tensor in tensors.items()}


def _checked_keys(keys: Any) -> list[str]:
    if not isinstance(keys, list) or not all(isinstance(key, str) for key in keys):
        raise WeightsError("the list of its storages is no list of names")
    return keys


def _next_storage(stream: mapped.Stream, storage: Storage | None) -> memoryview:
    count = int.from_bytes(stream.read(8), "little")
    if storage is None or count != storage.count:
        raise WeightsError("the list of its storages does not fit its tensors")
    return stream.view(storage.bytes)


def _numbers(data: memoryview, storage: Storage) -> Array:
    if len(data) != storage.bytes:
        raise WeightsError(
            f"storage {storage.key} holds {len(data):,} bytes, its tensors need {storage.bytes:,}: "
            "it was not copied whole"
        )
    numbers = mapped.array(data, storage.dtype, (storage.count,))
    return mapped.from_bfloat16(numbers) if storage.kind == "BFloat16Storage" else numbers


def _stored(archive: Archive, name: str) -> memoryview:
    if not archive.is_stored(name):
        raise WeightsError(f"{name} in it is compressed, as PyTorch never does; save it again with torch.save")
    return archive.view(name)


def _is_size(number: Any) -> bool:
    return isinstance(number, int) and 0 <= number < MOST_SIZE


def _storage(identity: Any) -> Storage:
    match identity:
        case ("storage", pickles.Allowed() as kind, str(key), _, count, *view) if _is_size(count):
            if any(part is not None for part in view):
                raise WeightsError(
                    "it keeps views of storages, as PyTorch before 0.4 did; save it again with a newer one"
                )
            return Storage(kind.build(), key, count)
    raise WeightsError("its pickle describes no storage")


def _tensor(storage: Any, offset: Any, shape: Any, strides: Any, *_: Any) -> Tensor:
    if not (isinstance(storage, Storage) and isinstance(shape, tuple) and isinstance(strides, tuple)):
        raise WeightsError("its pickle describes no tensor")
    if len(shape) != len(strides) or len(shape) > MOST_AXES or not all(map(_is_size, (offset, *shape, *strides))):
        raise WeightsError("a tensor has an impossible shape")
    return Tensor(storage, offset, shape, strides)


def _no_persistent_ids(identity: Any) -> Any:
    raise WeightsError("its pickle refers to storages before it has any")


ALLOWED: dict[str, Callable[..., Any]] = {
    "collections.OrderedDict": pickles.dict_of,
    "torch._utils._rebuild_tensor_v2": _tensor,
    "torch._utils._rebuild_parameter": lambda data, *_: data,
    **{f"torch.{kind}": lambda kind=kind: kind for kind in DTYPES},
}
