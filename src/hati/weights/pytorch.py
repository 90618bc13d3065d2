"""PyTorch's .pth and .pt files, without PyTorch: the legacy one (one long pickle) and the zip-shaped one (since 1.6).

Layout of both: torch/serialization.py of github.com/pytorch/pytorch.
"""

import mmap
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import IO, Any, cast

import numpy as np

from ..errors import WeightsError
from . import pickles

Array = np.ndarray

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

    def view(self, numbers: Array) -> Array:
        """The array in its storage's numbers, once it is sure to lie inside them."""
        sizes = (self.offset, *self.shape, *self.strides)
        if len(self.shape) != len(self.strides) or not all(isinstance(n, int) and n >= 0 for n in sizes):
            raise WeightsError("a tensor has an impossible shape")
        last = self.offset + sum((size - 1) * step for size, step in zip(self.shape, self.strides, strict=True))
        count = prod(self.shape)
        if count and (last >= len(numbers) or count > len(numbers)):
            raise WeightsError(f"a tensor of shape {self.shape} reaches past the end of its {len(numbers):,} numbers")
        strides = [step * numbers.itemsize for step in self.strides]
        array = np.lib.stride_tricks.as_strided(numbers[self.offset :], self.shape, strides, writeable=False)
        return (array.astype(np.uint32) << 16).view(np.float32) if self.storage.kind == "BFloat16Storage" else array


def read_legacy(path: Path) -> dict[str, Array]:
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
        stream = cast(IO[bytes], mapped)
        magic = pickles.load(stream, {}, _no_persistent_ids)
        if magic != LEGACY_MAGIC:
            raise WeightsError("it is a pickle, but not one that PyTorch wrote")
        pickles.load(stream, {}, _no_persistent_ids)  # protocol version
        system = pickles.load(stream, {}, _no_persistent_ids)
        if isinstance(system, dict) and system.get("little_endian") is False:
            raise WeightsError("it was written on a big-endian machine; save it again on a common one")
        tensors = _load(stream)
        keys = pickles.load(stream, {}, _no_persistent_ids)
        storages = {tensor.storage.key: tensor.storage for tensor in tensors.values()}
        numbers = {str(key): _next_storage(stream, storages.get(str(key))) for key in keys}
        return _arrays(tensors, lambda storage: numbers[storage.key])


def read_zip(path: Path) -> dict[str, Array]:
    with zipfile.ZipFile(path) as archive:
        [program] = [name for name in archive.namelist() if name.rpartition("/")[2] == "data.pkl"]
        root = program.removesuffix("data.pkl")

        def numbers(storage: Storage) -> Array:
            return np.frombuffer(_stored(archive, f"{root}data/{storage.key}", storage.bytes), storage.dtype)

        with archive.open(program) as stream:
            return _arrays(_load(stream), numbers)


def _load(stream: IO[bytes]) -> dict[str, Tensor]:
    return _tensors(pickles.load(stream, ALLOWED, _storage))


def _tensors(value: Any) -> dict[str, Tensor]:
    """The state dict, also where a checkpoint holds it beside an optimizer, or DataParallel wrapped it."""
    if isinstance(value, dict):
        found = {str(key).removeprefix("module."): item for key, item in value.items() if isinstance(item, Tensor)}
        inner = [value[key] for key in ("state_dict", "model_state_dict", "model", "weights") if key in value]
        if found or inner:
            return found or _tensors(inner[0])
    raise WeightsError("it holds no dict of tensors")


def _arrays(tensors: dict[str, Tensor], numbers: Callable[[Storage], Array]) -> dict[str, Array]:
    return {name: np.array(tensor.view(numbers(tensor.storage))) for name, tensor in tensors.items()}


def _next_storage(stream: IO[bytes], storage: Storage | None) -> Array:
    count = int.from_bytes(stream.read(8), "little")
    if storage is None or count != storage.count:
        raise WeightsError("the list of its storages does not fit its tensors")
    data = stream.read(storage.bytes)
    if len(data) < storage.bytes:
        raise WeightsError(f"it ends {storage.bytes - len(data):,} bytes too early: it was not copied whole")
    return np.frombuffer(data, storage.dtype)


def _stored(archive: zipfile.ZipFile, name: str, size: int) -> bytes:
    info = archive.getinfo(name)
    if info.compress_type != zipfile.ZIP_STORED or info.file_size != size:
        raise WeightsError(f"{name} holds {info.file_size:,} bytes, its tensors need {size:,}")
    return archive.read(info)


def _storage(identity: Any) -> Storage:
    _, kind, key, _, count, *view = identity
    if not (isinstance(kind, pickles.Allowed) and isinstance(key, str) and isinstance(count, int) and count >= 0):
        raise WeightsError("its pickle describes no storage")
    if any(part is not None for part in view):
        raise WeightsError("it keeps views of storages, as PyTorch before 0.4 did; save it again with a newer one")
    return Storage(kind.build(), key, count)


def _tensor(storage: Any, offset: Any, shape: Any, strides: Any, *_: Any) -> Tensor:
    if not (isinstance(storage, Storage) and isinstance(shape, tuple) and isinstance(strides, tuple)):
        raise WeightsError("its pickle describes no tensor")
    return Tensor(storage, offset, shape, strides)


def _no_persistent_ids(identity: Any) -> Any:
    raise WeightsError("its pickle refers to storages before it has any")


ALLOWED: dict[str, Callable[..., Any]] = {
    "collections.OrderedDict": dict,
    "torch._utils._rebuild_tensor_v2": _tensor,
    "torch._utils._rebuild_parameter": lambda data, *_: data,
    **{f"torch.{kind}": lambda kind=kind: kind for kind in DTYPES},
}
