"""PyTorch's files against PyTorch itself: what it saves comes out as it loads it."""

import io
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from hati import catalog
from hati.errors import WeightsError
from hati.weights import reading
from hati.weights.bringing import store
from hati.weights.formats import archives, mapped, pytorch

FORMS = pytest.mark.parametrize("zip_shaped", [False, True], ids=["legacy", "zip"])
TYPES = {
    "FloatStorage": torch.float32,
    "DoubleStorage": torch.float64,
    "HalfStorage": torch.float16,
    "BFloat16Storage": torch.bfloat16,
    "LongStorage": torch.int64,
    "IntStorage": torch.int32,
    "ShortStorage": torch.int16,
    "CharStorage": torch.int8,
    "ByteStorage": torch.uint8,
    "BoolStorage": torch.bool,
}


def save(path: Path, value: Any, zip_shaped: bool) -> Path:
    torch.save(value, path, _use_new_zipfile_serialization=zip_shaped)
    return path


def read(path: Path) -> dict[str, np.ndarray]:
    named = reading.read(path)
    assert isinstance(named, dict)
    return named


def assert_same(found: dict[str, np.ndarray], expected: dict[str, torch.Tensor]) -> None:
    """The names, in order, and every array in type, shape and value; NumPy has no bfloat16, so it comes as float32."""
    assert list(found) == list(expected)
    for name, tensor in expected.items():
        array = (tensor.float() if tensor.dtype == torch.bfloat16 else tensor).detach().numpy()
        assert found[name].dtype == array.dtype, name
        np.testing.assert_array_equal(found[name], array, err_msg=name)


def numbers(*shape: int, dtype: torch.dtype = torch.float32) -> torch.Tensor:
    return (torch.randn(shape, generator=torch.Generator().manual_seed(0)) * 100).to(dtype)


@FORMS
@pytest.mark.parametrize("kind", pytorch.DTYPES)
def test_numbers_of_every_type_are_read(tmp_path: Path, zip_shaped: bool, kind: str) -> None:
    tensors = {"a": numbers(3, 5, dtype=TYPES[kind]), "b": numbers(7, dtype=TYPES[kind])}
    path = save(tmp_path / "a.pth", tensors, zip_shaped)
    assert kind.encode() in path.read_bytes()
    assert_same(read(path), torch.load(path))


TENSORS: dict[str, Callable[[], dict[str, torch.Tensor]]] = {
    "transposed": lambda: {"a": numbers(3, 4, 5).transpose(0, 2)},
    "a window": lambda: {"a": numbers(6, 7)[1:5:2, 2:]},
    "expanded": lambda: {"a": numbers(3, 1).expand(3, 4), "b": numbers(1).expand(50, 60)},
    "overlapping": lambda: {"a": numbers(10).unfold(0, 4, 1)},
    "channels last": lambda: {"a": numbers(2, 3, 4, 5).to(memory_format=torch.channels_last)},
    "two views of one": lambda: {"a": (x := numbers(4, 5)), "b": x.t(), "c": x[2], "d": x.flatten()[3:9]},
    "bfloat16 views": lambda: {"a": (x := numbers(4, 5, dtype=torch.bfloat16)), "b": x.t()[1:, ::2]},
    "the same twice": lambda: {"a": (x := numbers(4)), "b": x},
    "a number": lambda: {"a": torch.tensor(3.5), "b": torch.tensor(2)},
    "empty": lambda: {"a": torch.empty(0), "b": torch.empty(3, 0, 2), "c": torch.empty(0, dtype=torch.bfloat16)},
    "special numbers": lambda: {"a": torch.tensor([float("nan"), float("inf"), -0.0, 1e-45])},
    "parameters": lambda: {"a": torch.nn.Parameter(numbers(3)), "b": torch.nn.Parameter(numbers(2).t(), False)},
    "names with dots and colours": lambda: {"layer.0.weight": numbers(1), "হাতি": numbers(2), "": numbers(3)},
    "300 tensors": lambda: {f"layer{n}": numbers(2) for n in range(300)},
}


@FORMS
@pytest.mark.parametrize("case", TENSORS)
def test_tensors_of_every_make_are_read(tmp_path: Path, zip_shaped: bool, case: str) -> None:
    path = save(tmp_path / "a.pth", TENSORS[case](), zip_shaped)
    assert_same(read(path), torch.load(path))


def trained() -> tuple[torch.nn.Module, torch.optim.Optimizer]:
    """A network after one step, so that its optimizer has a state."""
    network = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.BatchNorm2d(4), torch.nn.PReLU())
    optimizer = torch.optim.Adam(network.parameters())
    network(torch.ones(1, 3, 8, 8)).sum().backward()
    optimizer.step()
    return network, optimizer


@FORMS
@pytest.mark.parametrize("key", ["state_dict", "model_state_dict", "model", "weights"])
def test_a_checkpoint_gives_its_state_dict_and_nothing_of_its_optimizer(
    tmp_path: Path, zip_shaped: bool, key: str
) -> None:
    network, optimizer = trained()
    checkpoint = {
        "epoch": 12,
        "best": torch.tensor(0.93),
        "loss": 0.1,
        "arch": "small",
        "optimizer": optimizer.state_dict(),
        key: network.state_dict(),
        "done": None,
    }
    assert_same(read(save(tmp_path / "a.pth", checkpoint, zip_shaped)), network.state_dict())


@FORMS
def test_the_prefix_of_data_parallel_is_taken_off(tmp_path: Path, zip_shaped: bool) -> None:
    network, _ = trained()
    parallel = {f"module.{name}": tensor for name, tensor in network.state_dict().items()}
    assert_same(read(save(tmp_path / "a.pth", {"state_dict": parallel}, zip_shaped)), network.state_dict())


@FORMS
def test_a_tensor_called_like_a_state_dict_is_a_tensor(tmp_path: Path, zip_shaped: bool) -> None:
    tensors = {"weights": numbers(2), "model": numbers(3), "bias": numbers(1)}
    assert_same(read(save(tmp_path / "a.pth", tensors, zip_shaped)), tensors)


def test_the_real_weights_are_those_that_pytorch_loads() -> None:
    path = store.path_of(catalog.find("EfficientNetLite0").top_file)
    assert path is not None
    assert_same(read(path), torch.load(path))


@FORMS
def test_arrays_outlive_their_files_name_and_cannot_be_written_to(tmp_path: Path, zip_shaped: bool) -> None:
    tensors = TENSORS["two views of one"]()
    path = save(tmp_path / "a.pth", tensors, zip_shaped)
    arrays = read(path)
    path.unlink()
    assert_same(arrays, tensors)
    with pytest.raises(ValueError, match="read-only"):
        arrays["a"][0, 0] = 1


NOT_STATE_DICTS: dict[str, tuple[Callable[[], Any], str]] = {
    "a whole model": (lambda: torch.nn.Linear(2, 3), "names torch.nn.modules.linear.Linear"),
    "a tensor": (lambda: numbers(3), "no dict of tensors"),
    "a list of tensors": (lambda: [numbers(3)], "no dict of tensors"),
    "a dict of numbers": (lambda: {"epoch": 3}, "without tensors"),
    "an empty dict": (dict, "without tensors"),
    "complex numbers": (lambda: {"a": torch.ones(2, dtype=torch.complex64)}, "names torch.ComplexFloatStorage"),
    "a sparse tensor": (lambda: {"a": torch.eye(3).to_sparse()}, "names torch._utils._rebuild_sparse_tensor"),
    "a NumPy array": (lambda: {"a": np.ones(3)}, "names numpy"),
}


@FORMS
@pytest.mark.parametrize("case", NOT_STATE_DICTS)
def test_what_is_no_state_dict_is_refused(tmp_path: Path, zip_shaped: bool, case: str) -> None:
    make, fault = NOT_STATE_DICTS[case]
    path = save(tmp_path / "a.pth", make(), zip_shaped)
    with pytest.raises(WeightsError, match=fault):
        reading.read(path)


def changed_zip(path: Path, change: Callable[[str, bytes], tuple[str, bytes]], compression: int = 0) -> bytes:
    """A copy of an archive with each of its members changed."""
    file = io.BytesIO()
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(file, "w", compression) as new:
        for name in old.namelist():
            new.writestr(*change(name, old.read(name)))
    return file.getvalue()


def shorter_storage(name: str, content: bytes) -> tuple[str, bytes]:
    return name, content[:-4] if "/data/" in name else content


ZIP_FAULTS: dict[str, tuple[Callable[[Path], bytes], str]] = {
    "a short storage": (lambda path: changed_zip(path, shorter_storage), "holds 36 bytes, its tensors need 40"),
    "no storage": (
        lambda path: changed_zip(path, lambda name, content: (name.replace("/data/", "/lost/"), content)),
        "no item named",
    ),
    "compressed members": (
        lambda path: changed_zip(path, lambda *member: member, zipfile.ZIP_DEFLATED),
        "is compressed, as PyTorch never does",
    ),
    "big numbers first": (
        lambda path: changed_zip(path, lambda name, content: (name, content.replace(b"little", b"big"))),
        "big-endian machine",
    ),
    "a wrong number": (lambda path: path.read_bytes().replace(np.float32(7).tobytes(), bytes(4)), "Bad CRC-32"),
}


@pytest.mark.parametrize("case", ZIP_FAULTS)
def test_a_zip_that_does_not_hold_its_tensors_is_refused(tmp_path: Path, case: str) -> None:
    make, fault = ZIP_FAULTS[case]
    path = save(tmp_path / "a.pth", {"a": torch.arange(10.0)}, zip_shaped=True)
    path.write_bytes(make(path))
    with pytest.raises(WeightsError, match=fault):
        reading.read(path)


def test_a_legacy_file_that_breaks_off_in_its_numbers_was_not_copied_whole(tmp_path: Path) -> None:
    path = save(tmp_path / "a.pth", {"a": torch.arange(1000.0)}, zip_shaped=False)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(WeightsError, match="holds 3,900 bytes, its tensors need 4,000: it was not copied whole"):
        reading.read(path)


def test_a_legacy_file_of_a_big_endian_machine_is_refused(tmp_path: Path) -> None:
    path = save(tmp_path / "a.pth", {"a": torch.arange(10.0)}, zip_shaped=False)
    little = b"little_endianq\x02\x88"
    assert little in path.read_bytes()
    path.write_bytes(path.read_bytes().replace(little, little[:-1] + b"\x89"))
    with pytest.raises(WeightsError, match="big-endian machine"):
        reading.read(path)


def test_a_legacy_file_without_one_of_its_storages_is_refused(tmp_path: Path) -> None:
    path = save(tmp_path / "a.pth", {"a": torch.arange(10.0)}, zip_shaped=False)
    content = path.read_bytes()
    keys = content.rindex(b"\x80\x02]")
    path.write_bytes(content[:keys] + b"\x80\x02].")
    with pytest.raises(WeightsError, match="the list of its storages does not fit its tensors"):
        reading.read(path)


def test_a_pickle_that_is_not_pytorchs_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.pth"
    path.write_bytes(pickle.dumps({"a": 1}, protocol=2))
    with pytest.raises(WeightsError, match="not one that PyTorch wrote"):
        reading.read(path)


@FORMS
def test_tensors_may_take_no_more_than_the_caller_allows(tmp_path: Path, zip_shaped: bool) -> None:
    path = save(tmp_path / "a.pth", {"a": numbers(1).expand(1000)}, zip_shaped)
    content = mapped.content(path)

    def arrays(most: int) -> pytorch.Arrays:
        if zip_shaped:
            return pytorch.read_zip(archives.Archive(content), most)
        return pytorch.read_legacy(content, most)

    assert arrays(4000)["a"].shape == (1000,)
    with pytest.raises(WeightsError, match="claims tensors of 4,000"):
        arrays(3999)
