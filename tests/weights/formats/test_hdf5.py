"""HDF5 in plain Python against HDF5's own library; and files that would keep that library busy for ever."""

import os
import struct
import time
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from fuzz_seeds import sound

from hati.errors import WeightsError
from hati.weights import reading
from hati.weights.formats import hdf5, mapped
from hati.weights.formats.layouts import Layered

LIBVERS = pytest.mark.parametrize("libver", ["earliest", "v108", "v110", "latest"])


def opened(path: Path) -> hdf5.Object:
    return hdf5.opened(mapped.content(path))


@LIBVERS
@pytest.mark.parametrize("dtype", ["<f4", ">f8", "f2", "i1", "<u2", ">i4", "i8", "u8"])
@pytest.mark.parametrize(
    "options",
    [{}, {"chunks": True}, {"compression": "gzip"}, {"compression": 1, "shuffle": True, "fletcher32": True}],
    ids=["in one piece", "in a chunk", "packed", "packed and shuffled"],
)
def test_arrays_of_every_make_are_read(tmp_path: Path, libver: str, dtype: str, options: dict[str, Any]) -> None:
    shapes: list[tuple[int, ...]] = [(), (5,), (3, 4), (2, 3, 1, 4), (0, 3)]
    arrays = [(np.arange(np.prod(shape)) % 100).reshape(shape).astype(dtype) for shape in shapes]
    with h5py.File(tmp_path / "a.h5", "w", libver=libver) as file:
        for number, array in enumerate(arrays):
            file.create_dataset(f"a{number}", data=array, **(options if array.size and array.ndim else {}))
    root = opened(tmp_path / "a.h5")
    for number, array in enumerate(arrays):
        found = root.inside(f"a{number}").array()
        assert (found.dtype, found.shape) == (array.dtype, array.shape)
        np.testing.assert_array_equal(found, array)


@pytest.mark.parametrize("libver", ["earliest", "v108"])
@pytest.mark.parametrize("chunk", [(1, 1), (7, 5), (32, 64), (50, 60)])
def test_chunks_that_do_not_fill_the_array_are_put_together(
    tmp_path: Path, libver: str, chunk: tuple[int, ...]
) -> None:
    array = np.random.default_rng(0).normal(size=(50, 60)).astype(np.float32)
    with h5py.File(tmp_path / "a.h5", "w", libver=libver) as file:
        file.create_dataset("a", data=array, chunks=chunk, compression="gzip", maxshape=(1000, 1000))
    np.testing.assert_array_equal(opened(tmp_path / "a.h5").inside("a").array(), array)


@LIBVERS
@pytest.mark.parametrize("count", [8, 9, 100, 1200])
def test_groups_and_attributes_of_any_number_are_read_whole(tmp_path: Path, libver: str, count: int) -> None:
    with h5py.File(tmp_path / "a.h5", "w", libver=libver) as file:
        for number in range(count):
            file.create_group(f"layer_{number}")
            file.attrs[f"attribute_{number}"] = np.array([b"text" * number])
    root = opened(tmp_path / "a.h5")
    assert root.links.keys() == {f"layer_{number}" for number in range(count)}
    assert root.attributes.keys() == {f"attribute_{number}" for number in range(count)}
    assert root.texts(f"attribute_{count - 1}", 1 << 16) == ["text" * (count - 1)]


@pytest.mark.parametrize("libver", ["earliest", "latest"])
def test_attributes_are_read(tmp_path: Path, libver: str) -> None:
    with h5py.File(tmp_path / "a.h5", "w", libver=libver) as file:
        file.attrs["fixed"] = np.array([b"one", b"three"])
        file.attrs["free"] = ["হাতি", "", "three"]
        file.attrs["text"] = "elephant"
    root = opened(tmp_path / "a.h5")
    assert root.texts("fixed", 99) == ["one", "three"]
    assert root.texts("free", 99) == ["হাতি", "", "three"]
    assert root.text("text", 99) == "elephant"


def test_an_array_in_one_piece_is_a_view_of_the_file(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["a"] = np.arange(1000.0)
    content = mapped.content(tmp_path / "a.h5")
    found = hdf5.opened(content).inside("a").array()
    assert np.shares_memory(found, np.frombuffer(content, np.uint8))
    assert not found.flags.writeable


Edit = Callable[[bytearray], None]


def replaced(old: bytes, new: bytes) -> Edit:
    def edit(content: bytearray) -> None:
        place = content.index(old)
        content[place : place + len(new)] = new

    return edit


def a_heap_that_stands_still(content: bytearray) -> None:
    """An entry of no length: libhdf5 steps over it for ever, up to its 2.0."""
    place = content.index(b"GCOL\x01") + 16
    content[place : place + 16] = bytes(16)


def a_heap_of_absurd_length(content: bytearray) -> None:
    place = content.index(b"GCOL\x01") + 24
    content[place : place + 8] = (1 << 62).to_bytes(8, "little")


def names_of_absurd_length(content: bytearray) -> None:
    """Each name claims 4 GB of a heap: libhdf5 makes room for them all."""
    name = struct.pack("<IQ", len("dense"), content.index(b"GCOL\x01"))
    place = content.index(name)
    content[place : place + 4] = b"\xff" * 4


def a_tree_that_is_its_own_branch(content: bytearray) -> None:
    place = content.index(b"TREE")
    content[place + 5] = 1
    content[place + 32 : place + 40] = place.to_bytes(8, "little")


def a_header_that_goes_on_in_itself(content: bytearray) -> None:
    """The root's header, after its superblock: its first message says that it goes on where it starts."""
    [place] = struct.unpack_from("<Q", content, 64)
    content[place + 2 : place + 4] = b"\xff\xff"
    content[place + 16 : place + 24] = struct.pack("<HHI", 0x10, 16, 0)
    content[place + 24 : place + 40] = struct.pack("<QQ", place + 16, 24)


CRAFTED: dict[str, tuple[str, Edit, str]] = {
    "a heap that stands still": ("earliest", a_heap_that_stands_still, "a heap of names in it is damaged"),
    "a heap of absurd length": ("earliest", a_heap_of_absurd_length, "a heap of names in it is damaged"),
    "names of absurd length": ("earliest", names_of_absurd_length, "a heap of names in it is damaged"),
    "a tree in itself": ("earliest", a_tree_that_is_its_own_branch, "a tree in it leads astray"),
    "a header in itself": ("earliest", a_header_that_goes_on_in_itself, "it is an HDF5 file, but has no layer_names"),
    "a later superblock": ("earliest", replaced(b"\n\0", b"\n\x63"), "version 99, which is not known here"),
    "short addresses": ("earliest", replaced(b"\x08\x08\0\x04", b"\x04\x08\0\x04"), "unusual addresses"),
}


@pytest.mark.parametrize("case", CRAFTED)
def test_a_file_that_leads_in_circles_is_refused_soon(tmp_path: Path, case: str) -> None:
    libver, edit, fault = CRAFTED[case]
    path = tmp_path / "hostile.h5"
    with h5py.File(path, "w", libver=libver) as file:
        file.attrs["layer_names"] = ["dense"]
        file.create_group("dense").attrs["weight_names"] = ["kernel", "bias"]
        file["dense/kernel"], file["dense/bias"] = np.ones((3, 4)), np.ones(4)
    content = bytearray(path.read_bytes())
    edit(content)
    path.write_bytes(content)
    start = time.perf_counter()
    with pytest.raises(WeightsError, match=fault):
        reading.read(path)
    assert time.perf_counter() - start < 2


def test_a_group_inside_itself_ends(tmp_path: Path) -> None:
    """Hard links may make a circle, and Keras 3's folders are walked down."""
    path = tmp_path / "hostile.weights.h5"
    with h5py.File(path, "w") as file:
        file.create_group("layers").create_group("model")
        file["layers/model/layers"] = file["layers"]
    with pytest.raises(WeightsError, match="models lie in models without end"):
        reading.read(path)


def layered(path: Path, **options: Any) -> None:
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = [b"dense"]
        file.create_group("dense").attrs["weight_names"] = [b"kernel"]
        file["dense"].create_dataset("kernel", **options)


def bomb(path: Path) -> None:
    """One chunk of 256 kB that unpacks to 256 MB."""
    layered(path, shape=(1 << 26,), dtype="f4", chunks=(1 << 26,), compression="gzip")
    with h5py.File(path, "a") as file:
        packer = zlib.compressobj(9)
        packed = b"".join(packer.compress(bytes(1 << 20)) for _ in range(256)) + packer.flush()
        file["dense/kernel"].id.write_direct_chunk((0,), packed)


def smuggled(path: Path) -> None:
    """A chunk that unpacks to a thousand times the array that it is for."""
    layered(path, shape=(1000,), dtype="f4", chunks=(1000,), compression="gzip")
    with h5py.File(path, "a") as file:
        file["dense/kernel"].id.write_direct_chunk((0,), zlib.compress(bytes(1 << 22), 9))


def unwritten(path: Path) -> None:
    layered(path, shape=(1000,), dtype="f4")


def half_written(path: Path) -> None:
    layered(path, shape=(1000,), dtype="f4", chunks=(500,))
    with h5py.File(path, "a") as file:
        file["dense/kernel"][:500] = 1


def unknown_filter(path: Path) -> None:
    layered(path, data=np.ones(1000), chunks=(500,), compression="lzf")


def absurd(path: Path) -> None:
    layered(path, shape=(1 << 31, 1 << 31), dtype="f8", chunks=(1, 1))


BOMBS: dict[Callable[[Path], None], str] = {
    bomb: "claims arrays of 268,435,456 bytes",
    smuggled: "a chunk of 4,000 bytes has 4,004",
    unwritten: "its numbers were never written",
    half_written: "some of its numbers were never written",
    unknown_filter: "packed by filter 32000; hati knows gzip and shuffle",
    absurd: "claims arrays of 36,893,488,147,419,103,232 bytes",
}


@pytest.mark.parametrize("make", BOMBS, ids=lambda make: make.__name__)
def test_arrays_that_are_not_what_they_claim_are_refused(tmp_path: Path, make: Callable[[Path], None]) -> None:
    make(tmp_path / "hostile.h5")
    with pytest.raises(WeightsError, match=BOMBS[make]):
        reading.read(tmp_path / "hostile.h5")


@pytest.mark.parametrize("form", [".h5", "newer .h5", ".weights.h5"])
def test_a_file_that_was_cut_says_how_long_it_should_be(tmp_path: Path, form: str) -> None:
    content = sound(form)
    (tmp_path / "cut.h5").write_bytes(content[:-1])
    with pytest.raises(WeightsError, match=f"header says {len(content):,}: it was not copied whole"):
        reading.read(tmp_path / "cut.h5")


def test_addresses_beyond_four_gigabytes_are_followed(tmp_path: Path) -> None:
    """A sparse file: the array lies at its end, and the rest takes no room on the disk."""
    path = tmp_path / "long.h5"
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = [b"dense"]
        file.create_group("dense").attrs["weight_names"] = [b"kernel"]
        plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        plist.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
        plist.set_fill_time(h5py.h5d.FILL_TIME_NEVER)
        space = h5py.h5s.create_simple((5 << 30,))
        h5py.h5d.create(file.id, b"hole", h5py.h5t.NATIVE_UINT8, space, plist)
        file["dense/kernel"] = np.arange(7.0)
    assert path.stat().st_size > 5 << 30
    assert os.stat(path).st_blocks * 512 < 1 << 20
    stored = reading.read(path)
    assert isinstance(stored, Layered)
    np.testing.assert_array_equal(stored.layers["dense"][0], np.arange(7.0))
