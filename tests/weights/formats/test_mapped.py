"""Reading holds no number twice, and writing none at all: the peak of memory, measured in a process of its own."""

import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest
import torch

from hati.weights.formats import mapped, safetensors

MEGABYTES = 96
NUMBERS = np.random.default_rng(0).integers(0, 99, (4, MEGABYTES >> 4, 1 << 20), np.uint32).view(np.float32)

MEASURE = """
import sys
import numpy as np
from pathlib import Path
from hati.weights import reading
from hati.weights.formats import archives, keras_h5, pytorch, safetensors
from hati.weights.formats.layouts import Layered, Numbered

def status(key):
    lines = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return int(lines[key].split()[0]) / 1024

anonymous, peak = status("RssAnon"), status("VmHWM")
stored = reading.read(Path(sys.argv[1]))
layered = isinstance(stored, Layered | Numbered)
arrays = [x for xs in stored.layers.values() for x in xs] if layered else list(stored.values())
for array in arrays:
    assert array.view(np.uint32).max() == 98
print(status("RssAnon") - anonymous, status("VmHWM") - peak, sum(array.nbytes for array in arrays) / 2**20)
"""


def npz(path: Path) -> None:
    with path.open("wb") as file:
        np.savez(file, *NUMBERS)


def tensors(path: Path) -> None:
    with path.open("wb") as file:
        safetensors.write(file, {str(number): array for number, array in enumerate(NUMBERS)}, {})


def pth(path: Path) -> None:
    torch.save({str(number): torch.from_numpy(array) for number, array in enumerate(NUMBERS)}, path)


def legacy_pth(path: Path) -> None:
    state = {str(number): torch.from_numpy(array) for number, array in enumerate(NUMBERS)}
    torch.save(state, path, _use_new_zipfile_serialization=False)


def h5(path: Path) -> None:
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = [b"dense"]
        file.create_group("dense").attrs["weight_names"] = [str(number).encode() for number in range(len(NUMBERS))]
        for number, array in enumerate(NUMBERS):
            file["dense"].create_dataset(str(number), data=array)


def weights_h5(path: Path) -> None:
    with h5py.File(path, "w") as file:
        for number, array in enumerate(NUMBERS):
            file[f"layers/dense/vars/{number}"] = array


def keras(path: Path) -> None:
    weights_h5(path.with_name("inner"))
    with zipfile.ZipFile(path, "w") as archive:
        archive.write(path.with_name("inner"), "model.weights.h5")


def packed_npz(path: Path) -> None:
    with path.open("wb") as file:
        np.savez_compressed(file, *NUMBERS[:1])


def packed_h5(path: Path) -> None:
    with h5py.File(path, "w") as file:
        file.create_dataset("layers/dense/vars/0", data=NUMBERS[0], compression=1)


VIEWED: dict[str, Callable[[Path], None]] = {
    ".npz": npz,
    ".safetensors": tensors,
    ".pth": pth,
    "legacy .pth": legacy_pth,
    ".h5": h5,
    ".weights.h5": weights_h5,
    ".keras": keras,
}


def measured(path: Path) -> tuple[float, ...]:
    """In MB: memory of the process' own, its peak with the pages of the file, and the arrays themselves."""
    found = subprocess.run([sys.executable, "-c", MEASURE, str(path)], capture_output=True, text=True, check=True)
    return tuple(map(float, found.stdout.split()))


@pytest.mark.parametrize("form", VIEWED)
def test_arrays_are_the_files_own_pages(tmp_path: Path, form: str) -> None:
    VIEWED[form](tmp_path / "a")
    own, peak, size = measured(tmp_path / "a")
    assert size == MEGABYTES
    assert own < 0.1 * size, f"{own:.0f} MB of its own for {size:.0f} MB"
    assert peak < 1.2 * size, f"{peak:.0f} MB at most for {size:.0f} MB"


@pytest.mark.parametrize("make", [packed_npz, packed_h5], ids=["packed .npz", "packed .h5"])
def test_packed_arrays_are_unpacked_into_their_own_place(tmp_path: Path, make: Callable[[Path], None]) -> None:
    make(tmp_path / "a")
    own, _, size = measured(tmp_path / "a")
    assert size == MEGABYTES / 4
    assert own < 1.3 * size, f"{own:.0f} MB of its own for {size:.0f} MB"


WRITE = """
import resource, sys
import h5py
import numpy as np
from pathlib import Path
from hati.network.graph import Graph
from hati.network.layers import Dense, InputLayer
from hati.weights import writing
from hati.weights.formats import keras_writing

graph = Graph(Dense(3 << 20)(InputLayer((7,))()))
arrays = {name: np.ones(shape, np.float32) for name, shape in graph.weights().items()}
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
writing.write_weights(Path(sys.argv[1]), arrays, graph)
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024)
"""


@pytest.mark.parametrize("name", ["a.safetensors", "a.weights.h5"])
def test_arrays_are_written_without_another_copy(tmp_path: Path, name: str) -> None:
    command = [sys.executable, "-c", WRITE, str(tmp_path / name)]
    grown = float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    assert (tmp_path / name).stat().st_size > MEGABYTES << 20
    assert grown < 0.1 * MEGABYTES, f"{grown:.0f} MB more to write {MEGABYTES} MB"


def test_a_file_that_cannot_be_mapped_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: object, **options: object) -> None:
        raise OSError("no such device")

    (tmp_path / "a").write_bytes(b"elephant")
    monkeypatch.setattr("mmap.mmap", refuse)
    assert bytes(mapped.content(tmp_path / "a")) == b"elephant"


def test_a_mapped_array_cannot_be_written_to(tmp_path: Path) -> None:
    tensors(tmp_path / "a")
    array = safetensors.read(mapped.content(tmp_path / "a"))["0"]
    with pytest.raises(ValueError, match="read-only"):
        array[0] = 1
