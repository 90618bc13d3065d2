"""Files of every format, sound, strange and broken: arrays come out, or one sentence says why not."""

import io
import os
import warnings
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import cache, partial
from pathlib import Path
from tempfile import TemporaryDirectory

import h5py
import numpy as np
import pytest
import safetensors.numpy
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from hati.errors import WeightsError
from hati.weights import reading
from hati.weights.formats.layouts import Layered, Named, Numbered, Stored

GENERATOR = np.random.default_rng(0)
ARRAYS: dict[str, np.ndarray] = {
    "conv/kernel": GENERATOR.normal(size=(3, 3, 2, 4)).astype(np.float32),
    "conv/bias": GENERATOR.normal(size=4),
    "dense/kernel": GENERATOR.normal(size=(5, 2)).astype(np.float16),
}


def write_legacy(path: Path) -> None:
    tensors = {name: torch.from_numpy(array) for name, array in ARRAYS.items()}
    torch.save(tensors, path, _use_new_zipfile_serialization=False)


def write_zip(path: Path) -> None:
    torch.save({name: torch.from_numpy(array) for name, array in ARRAYS.items()}, path)


def write_npz(path: Path) -> None:
    with path.open("wb") as file:
        np.savez(file, **ARRAYS)  # type: ignore[arg-type]


def write_packed_npz(path: Path) -> None:
    with path.open("wb") as file:
        np.savez_compressed(file, **ARRAYS)  # type: ignore[arg-type]


def write_safetensors(path: Path) -> None:
    safetensors.numpy.save_file(ARRAYS, path)


def write_h5(path: Path) -> None:
    """As Keras' published files are: names of fixed length."""
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = np.array([b"conv", b"dense"])
        for layer in ("conv", "dense"):
            keys = [name.partition("/")[2] for name in ARRAYS if name.startswith(layer)]
            file.create_group(layer).attrs["weight_names"] = np.array([key.encode() for key in keys])
            for key in keys:
                file[layer][key] = ARRAYS[f"{layer}/{key}"]


WRITERS: dict[str, Callable[[Path], None]] = {
    "legacy .pth": write_legacy,
    "zip .pth": write_zip,
    ".npz": write_npz,
    "packed .npz": write_packed_npz,
    ".safetensors": write_safetensors,
    ".h5": write_h5,
}
FORMATS = pytest.mark.parametrize("form", WRITERS)


@cache
def sound(form: str) -> bytes:
    """The content of a small file of a format."""
    with TemporaryDirectory() as place:
        path = Path(place) / "weights"
        WRITERS[form](path)
        return path.read_bytes()


def arrays_of(stored: Stored) -> list[np.ndarray]:
    if isinstance(stored, Layered | Numbered):
        return [array for arrays in stored.layers.values() for array in arrays]
    return list(stored.values())


def refusal(path: Path) -> str:
    """What `read` says of a file, which it names first and once."""
    with pytest.raises(WeightsError) as refused:
        reading.read(path)
    said = str(refused.value)
    assert said.startswith(f"{path}: ")
    assert said.count(str(path)) == 1
    assert "\n" not in said
    return said


@FORMATS
@pytest.mark.parametrize("suffix", [".h5", ".pth", ".npz", ".txt", ""])
def test_the_format_is_told_by_the_content_and_not_by_the_name(tmp_path: Path, form: str, suffix: str) -> None:
    path = tmp_path / f"weights{suffix}"
    path.write_bytes(sound(form))
    stored = reading.read(path)
    assert isinstance(stored, Layered) == (form == ".h5")
    if not isinstance(stored, Layered | Numbered):
        assert stored.keys() == ARRAYS.keys()
        for name, array in ARRAYS.items():
            np.testing.assert_array_equal(stored[name], array)
            assert stored[name].dtype == array.dtype
    else:
        assert list(stored.layers) == ["conv", "dense"]
        for found, array in zip(arrays_of(stored), ARRAYS.values(), strict=True):
            np.testing.assert_array_equal(found, array)


@FORMATS
@pytest.mark.parametrize("percent", [10, 50, 90, 99])
def test_a_file_that_was_cut_is_refused(tmp_path: Path, form: str, percent: int) -> None:
    path = tmp_path / "cut"
    path.write_bytes(sound(form)[: len(sound(form)) * percent // 100])
    said = refusal(path)
    assert any(words in said for words in ("cut short", "not copied whole", "list of its storages"))


@FORMATS
def test_a_file_that_lost_its_beginning_is_refused(tmp_path: Path, form: str) -> None:
    path = tmp_path / "lost"
    path.write_bytes(sound(form)[1:])
    assert "are of no format known here" in refusal(path) or form == ".safetensors"


def zip_of(**members: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file.getvalue()


def npz_of(array: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.savez(file, allow_pickle=True, weights=array)
    return file.getvalue()


def npy_header(shape: tuple[int, ...]) -> bytes:
    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(file, {"descr": "<f4", "fortran_order": False, "shape": shape})
    return file.getvalue()


WEB_PAGE = "it is a web page, not weights"
FAULTS: dict[str, tuple[bytes, str]] = {
    "nothing": (b"", "the file is empty"),
    "blanks": (b" \n\n ", "the file is empty"),
    "a web page": (b"<!DOCTYPE html>\n<html><body>404</body></html>", WEB_PAGE),
    "a web page after blanks": (b"\n\n  <html lang=en>", WEB_PAGE),
    "a web page with a byte order mark": (b"\xef\xbb\xbf<!doctype html>", WEB_PAGE),
    "a web page that starts with a comment": (b"<!-- sign in -->\n<html>", WEB_PAGE),
    "a cloud's error": (b'<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>', WEB_PAGE),
    "a cloud's bare error": (b"<Error><Code>NoSuchKey</Code></Error>", WEB_PAGE),
    "a Git LFS pointer": (
        b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n",
        "it is a Git LFS pointer, not the weights themselves: fetch them with `git lfs pull`",
    ),
    "a photo": (b"\x89PNG\r\n\x1a\n" + bytes(99), r"its first bytes b'\x89PNG\r\n\x1a\n' are of no format known here"),
    "text": (
        b"weights",
        "hati reads Keras' .h5, .weights.h5 and .keras, PyTorch's .pth and .pt, .safetensors and .npz",
    ),
    "a byte": (b"\x80", "damaged or cut short"),
    "a Keras 3 model": (zip_of(**{"config.json": b"{}"}), "it is a zip archive of something else (config.json)"),
    "an empty zip": (b"PK\x05\x06" + bytes(18), "no format known here"),
    "a .npy among other things": (zip_of(**{"a.npy": b"", "b.txt": b""}), "a zip archive of something else (a.npy, b"),
    "an .npz of objects": (npz_of(np.array([{}, None])), "Object arrays cannot be loaded"),
    "an .npz of no arrays": (zip_of(**{"a.npy": b"no array"}), "magic string is not correct"),
    "an .npz that claims too much": (
        zip_of(**{"a.npy": npy_header((1 << 40, 1 << 20))}),
        "does not fit in the 128 bytes of its member",
    ),
    "an .npz that warns": (
        zip_of(**{"a.npy": npy_header((3,)).replace(b"'<f4'", rb"'\df'") + bytes(12)}),
        "it cannot be read",
    ),
    "an .npz of zeros": (zip_of(**{"a.npy": npy_header((1 << 25,)) + bytes(1 << 27)}), "claims arrays of 134,217,"),
    "two programs": (zip_of(**{"a/data.pkl": b"", "b/data.pkl": b""}), "it cannot be read"),
    "a program that grows": (zip_of(**{"a/data.pkl": b"N" * 10_000_000}), "is compressed, as PyTorch never does"),
    "a header longer than the file": (
        (1 << 40).to_bytes(8, "little") + b"{}",
        "its header claims 1,099,511,627,776 bytes",
    ),
}


@pytest.mark.parametrize("case", FAULTS)
def test_what_is_no_weights_file_is_refused_with_its_fault(tmp_path: Path, case: str) -> None:
    content, fault = FAULTS[case]
    path = tmp_path / "weights.h5"
    path.write_bytes(content)
    assert fault in refusal(path)


@pytest.mark.parametrize("seed", range(20))
def test_random_bytes_are_refused(tmp_path: Path, seed: int) -> None:
    path = tmp_path / "random.pth"
    path.write_bytes(np.random.default_rng(seed).bytes(4096))
    assert "no format known here" in refusal(path)


def missing(path: Path) -> Path:
    return path / "missing.h5"


def folder(path: Path) -> Path:
    (path / "saved_model").mkdir()
    return path / "saved_model"


def pipe(path: Path) -> Path:
    os.mkfifo(path / "pipe")
    return path / "pipe"


def below_a_file(path: Path) -> Path:
    (path / "file").touch()
    return path / "file" / "weights.h5"


def too_long(path: Path) -> Path:
    return path / ("x" * 300)


@pytest.mark.parametrize(
    ("place", "fault"),
    [
        (missing, "there is no such file"),
        (folder, "it is a folder; hati reads Keras' .h5, .weights.h5"),
        (pipe, "there is no such file"),
        (below_a_file, "there is no such file"),
    ],
)
def test_a_path_that_leads_to_no_file_is_named(tmp_path: Path, place: Callable[[Path], Path], fault: str) -> None:
    assert fault in refusal(place(tmp_path))


def test_a_path_that_no_system_takes_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="File name too long"):
        reading.read(too_long(tmp_path))


def test_a_file_that_asks_for_more_memory_than_there_is_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def starved(content: memoryview) -> Named:
        return {"a": np.empty(1 << 60, np.uint8)}

    monkeypatch.setitem(reading._READERS, "zip", starved)
    path = tmp_path / "weights"
    path.write_bytes(sound(".npz"))
    assert "it asks for more memory than this machine has" in refusal(path)


def test_a_header_that_python_would_warn_of_warns_nobody(tmp_path: Path) -> None:
    path = tmp_path / "weights.npz"
    path.write_bytes(FAULTS["an .npz that warns"][0])
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        refusal(path)
    assert not warned


def repacked(archive: bytes, change: Callable[[bytes], bytes]) -> bytes:
    """An archive with its members changed inside, and right checksums around them."""
    with zipfile.ZipFile(io.BytesIO(archive)) as old:
        members = {name: old.read(name) for name in old.namelist()}
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as new:
        for name, content in members.items():
            new.writestr(name, change(content))
    return file.getvalue()


Edit = tuple[int, int]
EDITS = st.lists(st.tuples(st.integers(0, 1 << 16), st.integers(0, 255)), min_size=1, max_size=6)


def edited(content: bytes, edits: list[Edit], cut: int) -> bytes:
    changed = bytearray(content)
    for place, byte in edits:
        changed[place % len(changed)] = byte
    return bytes(changed[: len(changed) - cut % len(changed)])


@pytest.mark.parametrize(
    ("form", "inside"), [*((form, False) for form in WRITERS), *((form, True) for form in ("zip .pth", ".npz"))]
)
@settings(deadline=None, max_examples=150, database=None)
@given(edits=EDITS, cut=st.just(0) | st.integers(0, 1 << 12))
def test_a_file_with_wrong_bytes_gives_arrays_or_is_refused(
    tmp_path_factory: pytest.TempPathFactory, form: str, inside: bool, edits: list[Edit], cut: int
) -> None:
    path = tmp_path_factory.getbasetemp() / "wrong"
    change = partial(edited, edits=edits, cut=cut)
    path.write_bytes(repacked(sound(form), change) if inside else change(sound(form)))
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")  # as errors, they would be caught and told of as damage
        with suppress(WeightsError):
            for array in arrays_of(reading.read(path)):
                assert isinstance(array, np.ndarray)
                array.tobytes()  # every number lies in memory that is its own
    assert not warned


def test_threads_that_read_at_once_leave_the_filters_of_warnings_alone(tmp_path: Path) -> None:
    path = tmp_path / "weights.npz"
    np.savez(path, kernel=np.zeros(3, np.float32))
    before = list(warnings.filters)
    with ThreadPoolExecutor(8) as pool:
        assert len(list(pool.map(lambda _: reading.read(path), range(400)))) == 400
    assert list(warnings.filters) == before
