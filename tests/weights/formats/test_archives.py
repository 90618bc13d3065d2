"""Zip archives of every kind: views of what lies in them, and refusals of what they only claim."""

import io
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from fuzz_seeds import sound, zipped

from hati.errors import WeightsError
from hati.weights import reading
from hati.weights.formats import archives, mapped
from hati.weights.formats.layouts import Numbered

INNER = "model.weights.h5"


def read(path: Path) -> dict[str, np.ndarray]:
    stored = reading.read(path)
    assert isinstance(stored, dict)
    return stored


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed], ids=["stored", "packed"])
def test_arrays_of_every_make_are_read(tmp_path: Path, save: Callable[..., None]) -> None:
    rows = np.arange(60.0).reshape(3, 4, 5)
    arrays = {
        "rows": rows,
        "columns": np.asfortranarray(rows),
        "steps": rows[::2, :, ::-1],
        "number": np.array(7),
        "nothing": np.zeros((0, 3)),
        "big": rows.astype(">f4"),
    }
    save(tmp_path / "a.npz", **arrays)
    found = read(tmp_path / "a.npz")
    assert list(found) == list(arrays)
    for name, array in arrays.items():
        assert (found[name].dtype, found[name].shape) == (array.dtype, array.shape)
        np.testing.assert_array_equal(found[name], array)


def test_what_is_stored_is_a_view_of_the_file(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", a=np.arange(1000.0), b=np.asfortranarray(np.ones((20, 30))))
    content = mapped.content(tmp_path / "a.npz")
    for array in archives.read_npz(archives.Archive(content), 1 << 20).values():
        assert np.shares_memory(array, np.frombuffer(content, np.uint8))
        assert not array.flags.writeable


def test_offsets_beyond_four_gigabytes_are_followed(tmp_path: Path) -> None:
    """A sparse archive: between its two members lies a hole, which takes no room on the disk."""
    path, hole = tmp_path / "long.npz", 5 << 30
    with path.open("wb") as file, zipfile.ZipFile(file, "w") as archive:
        for name, array in (("first.npy", np.arange(3.0)), ("last.npy", np.arange(7.0))):
            member = io.BytesIO()
            np.save(member, array)
            archive.writestr(zipfile.ZipInfo(name), member.getvalue())
            if name == "first.npy":
                file.seek(hole)
                archive.start_dir = hole
    assert path.stat().st_size > hole
    assert path.stat().st_blocks * 512 < 1 << 20
    np.testing.assert_array_equal(read(path)["last"], np.arange(7.0))


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED], ids=["stored", "packed"])
def test_a_keras_archive_gives_the_weights_inside_it(tmp_path: Path, compression: int) -> None:
    members = {"config.json": b"{}", INNER: sound(".weights.h5")}
    (tmp_path / "a.keras").write_bytes(zipped(members, compression))
    (tmp_path / "a.weights.h5").write_bytes(sound(".weights.h5"))
    inner, alone = reading.read(tmp_path / "a.keras"), reading.read(tmp_path / "a.weights.h5")
    assert isinstance(inner, Numbered)
    assert isinstance(alone, Numbered)
    assert inner.names == alone.names
    for place, arrays in alone.layers.items():
        for ours, theirs in zip(inner.layers[place], arrays, strict=True):
            np.testing.assert_array_equal(ours, theirs)


def test_the_weights_of_a_keras_archive_are_not_copied(tmp_path: Path) -> None:
    (tmp_path / "a.keras").write_bytes(zipped({INNER: sound(".weights.h5")}))
    content = mapped.content(tmp_path / "a.keras")
    assert np.shares_memory(np.asarray(archives.Archive(content).view(INNER)), np.asarray(content))


def npy(shape: tuple[int, ...], data: bytes) -> bytes:
    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(file, {"descr": "<f4", "fortran_order": False, "shape": shape})
    return file.getvalue() + data


def with_claim(archive: bytes, size: int) -> bytes:
    """An archive whose directory claims another length of its only member, and whose member does too."""
    changed = bytearray(archive)
    for signature, at in ((b"PK\x01\x02", 20), (b"PK\x03\x04", 18)):
        place = changed.index(signature) + at
        if signature == b"PK\x01\x02" or struct.unpack_from("<I", changed, place)[0]:
            struct.pack_into("<I", changed, place + 4, size)
    return bytes(changed)


def overlapping() -> bytes:
    """A directory in which ten thousand names lead to one member of 1 MB."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("a.npy", npy((1 << 18,), bytes(1 << 20)))
        [member] = archive.infolist()
        archive.filelist.extend([member] * 9_999)
    return file.getvalue()


def locked() -> bytes:
    """A member that says it is encrypted."""
    content = bytearray(zipped({"a.npy": npy((2,), bytes(8))}))
    content[content.index(b"PK\x01\x02") + 8] |= 1
    content[6] |= 1
    return bytes(content)


ZEROS = npy((1 << 26,), bytes(1 << 28))
FAULTS: dict[str, tuple[Callable[[], bytes], str]] = {
    "zeros, packed a thousand times": (
        lambda: zipped({"a.npy": ZEROS}, zipfile.ZIP_DEFLATED),
        "it claims arrays of 268,",
    ),
    "zeros in a Keras archive": (
        lambda: zipped({INNER: ZEROS}, zipfile.ZIP_DEFLATED),
        "model.weights.h5 in it claims 268,435,584 bytes, too many to be true",
    ),
    "one member under many names": (overlapping, "it claims arrays of 10,487,040,000 bytes"),
    "a directory that claims more": (
        lambda: with_claim(zipped({"a.npy": npy((2,), bytes(8))}), 1 << 24),
        "a.npy in it is cut short",
    ),
    "a header that claims more": (
        lambda: zipped({"a.npy": npy((1 << 30,), bytes(8))}),
        "an array of shape (1073741824,) does not fit in the 136 bytes of its member",
    ),
    "a header that claims more, packed": (
        lambda: zipped({"a.npy": npy((1 << 30,), bytes(8))}, zipfile.ZIP_DEFLATED),
        "an array of shape (1073741824,) does not fit",
    ),
    "packed with LZMA": (
        lambda: zipped({"a.npy": npy((2,), bytes(8))}, zipfile.ZIP_LZMA),
        "pack it again with deflate",
    ),
    "a locked member": (locked, "is encrypted"),
    "a Keras archive of something else": (lambda: zipped({INNER: b"weights"}), "damaged"),
    "other bytes": (lambda: zipped({"a.npy": npy((2,), b"elephant")}).replace(b"elephant", b"Elephant"), "Bad CRC-32"),
    "other bytes, packed": (
        lambda: zipped({"a.npy": npy((2,), bytes(8))}, zipfile.ZIP_DEFLATED).replace(b"PK\x01\x02", b"PK\x01\x03"),
        "it cannot be read",
    ),
}


@pytest.mark.parametrize("case", FAULTS)
def test_an_archive_that_is_not_what_it_claims_is_refused(tmp_path: Path, case: str) -> None:
    make, fault = FAULTS[case]
    (tmp_path / "a.npz").write_bytes(make())
    with pytest.raises(WeightsError) as refused:
        reading.read(tmp_path / "a.npz")
    assert fault in str(refused.value)
