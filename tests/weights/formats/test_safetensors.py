"""The .safetensors format against its own library, both ways; and headers that lie."""

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy
import torch
from safetensors.torch import save_file

from hati.errors import WeightsError
from hati.weights import reading
from hati.weights.formats import mapped
from hati.weights.formats import safetensors as ours

GENERATOR = np.random.default_rng(0)


def read(path: Path) -> dict[str, np.ndarray]:
    stored = reading.read(path)
    assert isinstance(stored, dict)
    return stored


@pytest.mark.parametrize("dtype", ["f8", "f4", "f2", "i8", "i4", "i2", "i1", "u8", "u4", "u2", "u1", "?"])
def test_what_the_library_writes_is_read_and_what_is_written_the_library_reads(tmp_path: Path, dtype: str) -> None:
    arrays = {
        f"হাতি {shape}": np.asarray(GENERATOR.normal(size=shape) * 50).astype(dtype)
        for shape in [(), (3,), (2, 3, 4), (0, 2), (1,)]
    }
    safetensors.numpy.save_file(arrays, tmp_path / "theirs", {"a": "b"})
    with (tmp_path / "ours").open("wb") as file:
        ours.write(file, arrays, {"a": "b"})
    for found in (read(tmp_path / "theirs"), safetensors.numpy.load_file(tmp_path / "ours"), read(tmp_path / "ours")):
        assert found.keys() == arrays.keys()
        for name, array in arrays.items():
            assert (found[name].dtype, found[name].shape) == (array.dtype, array.shape)
            np.testing.assert_array_equal(found[name], array)
    assert reading.metadata(tmp_path / "theirs") == reading.metadata(tmp_path / "ours") == {"a": "b"}


def test_bfloat16_is_widened(tmp_path: Path) -> None:
    tensor = torch.tensor([[1.5, -2.0, 3e38], [float("inf"), 1e-40, -0.0]]).to(torch.bfloat16)
    save_file({"a": tensor}, tmp_path / "a")
    np.testing.assert_array_equal(read(tmp_path / "a")["a"], tensor.float().numpy())


def test_arrays_are_views_of_the_file_and_lie_as_processors_like_it(tmp_path: Path) -> None:
    with (tmp_path / "a").open("wb") as file:
        ours.write(file, {"a": np.ones((3, 4), np.float32), "b": np.ones((5, 6), np.float32).T}, {})
    content = mapped.content(tmp_path / "a")
    for array in ours.read(content).values():
        assert np.shares_memory(array, np.frombuffer(content, np.uint8))
        assert array.flags.aligned
        assert not array.flags.writeable


def test_offsets_beyond_four_gigabytes_are_followed(tmp_path: Path) -> None:
    """A sparse file: it takes no room on the disk."""
    path, hole, last = tmp_path / "long", 5 << 30, np.arange(7.0)
    header = {
        "hole": {"dtype": "U8", "shape": [hole], "data_offsets": [0, hole]},
        "last": {"dtype": "F64", "shape": [7], "data_offsets": [hole, hole + 56]},
    }
    text = json.dumps(header).encode()
    with path.open("wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        file.seek(hole, os.SEEK_CUR)
        file.write(last.tobytes())
    assert path.stat().st_blocks * 512 < 1 << 20
    found = read(path)
    np.testing.assert_array_equal(found["last"], last)
    assert found["hole"].shape == (hole,)
    assert found["hole"][-1] == 0


def entry(start: int = 0, end: int = 8, shape: Any = (2,), dtype: Any = "F32", **others: Any) -> dict[str, Any]:
    return {"dtype": dtype, "shape": shape, "data_offsets": [start, end], **others}


EXPECTED = "its header does not say where a lies"
LIES: dict[str, tuple[Any, str]] = {
    "more bytes than numbers": ({"a": entry(shape=[1])}, "a needs 4 bytes, F32 of shape (1,); its header gives it 8"),
    "fewer bytes than numbers": ({"a": entry(shape=[3])}, "a needs 12 bytes"),
    "an overlap": ({"a": entry(), "b": entry(4, 12)}, "b starts at byte 4, where 8 was expected"),
    "twice the same": ({"a": entry(), "b": entry()}, "b starts at byte 0, where 8 was expected"),
    "a hole": ({"a": entry(8, 16)}, "a starts at byte 8, where 0 was expected"),
    "bytes at the end": ({"a": entry(0, 4, [1])}, "its arrays need 4 bytes, it has 8: it was not copied whole"),
    "bytes beyond the end": ({"a": entry(0, 80, [20])}, "its arrays need 80 bytes, it has 8: it was not copied whole"),
    "a start behind the end": ({"a": entry(8, 0)}, "its header gives it -8"),
    "a negative start": ({"a": entry(-8, 0)}, EXPECTED),
    "negative sizes": ({"a": entry(shape=[-1, -2])}, EXPECTED),
    "a size of truth": ({"a": entry(shape=[True, 2])}, EXPECTED),
    "a size with a fraction": ({"a": entry(shape=[2.0])}, EXPECTED),
    "absurd sizes": ({"a": entry(shape=[1 << 62, 1 << 62, 0])}, EXPECTED),
    "axes without end": ({"a": entry(shape=[1] * 40)}, EXPECTED),
    "an unknown type": ({"a": entry(dtype="F8_E4M3")}, "a is of type F8_E4M3; hati reads F64, F32"),
    "a type of objects": ({"a": entry(dtype="O")}, "a is of type O"),
    "a type that is no text": ({"a": entry(dtype=4)}, EXPECTED),
    "one more key": ({"a": entry(other=1)}, EXPECTED),
    "nothing of an array": ({"a": None}, EXPECTED),
    "no table": ([1, 2], "are of no format known here"),
    "a name with a line in it": ({"a\n\x1b[2J": None}, "does not say where a ?[2J lies"),
}


def file_of(header: bytes, data: bytes = bytes(8)) -> bytes:
    return len(header).to_bytes(8, "little") + header + data


def refusal(path: Path, content: bytes) -> str:
    path.write_bytes(content)
    with pytest.raises(WeightsError) as refused:
        reading.read(path)
    assert str(refused.value).startswith(f"{path}: ")
    return str(refused.value)


@pytest.mark.parametrize("case", LIES)
def test_a_header_that_lies_is_refused_with_its_lie(tmp_path: Path, case: str) -> None:
    header, lie = LIES[case]
    assert lie in refusal(tmp_path / "a", file_of(json.dumps(header).encode()))


RAW: dict[str, tuple[bytes, str]] = {
    "longer than the file": (
        (1 << 40).to_bytes(8, "little") + b"{}",
        "its header claims 1,099,511,627,776 bytes, the w",
    ),
    "longer than any": (file_of(b"{" + b" " * (1 << 24)), "its header claims 16,777,217 bytes, too many to be true"),
    "no JSON": (file_of(b"{what}"), "its header is damaged"),
    "no text": (file_of(b'{"\xff": 1}'), "its header is damaged"),
    "one name twice": (file_of(b'{"a": 1, "a": 2}'), "its header says two things under one name"),
    "lists in lists": (file_of(b'{"a":' + b"[" * 100_000), "its header is damaged"),
    "a number without end": (file_of(b'{"a":' + b"1" * 100_000 + b"}"), "its header is damaged"),
}


@pytest.mark.parametrize("case", RAW)
def test_a_header_that_is_no_header_is_refused(tmp_path: Path, case: str) -> None:
    content, fault = RAW[case]
    assert fault in refusal(tmp_path / "a", content)


@pytest.mark.parametrize("told", [3, [], {"a": 1}, {"a": None}])
def test_metadata_that_is_no_table_of_texts_is_refused(tmp_path: Path, told: Any) -> None:
    (tmp_path / "a").write_bytes(file_of(json.dumps({"__metadata__": told}).encode(), b""))
    with pytest.raises(WeightsError, match="its __metadata__ is no table of texts"):
        reading.metadata(tmp_path / "a")
