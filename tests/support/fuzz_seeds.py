"""One small sound file for each reader of weights, the same bytes at every run."""

import io
import json
import re
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

GENERATOR = np.random.default_rng(0)
ARRAYS: dict[str, np.ndarray] = {
    "conv/kernel": GENERATOR.normal(size=(3, 3, 2, 4)).astype(np.float32),
    "conv/bias": GENERATOR.normal(size=4),
    "dense/kernel": GENERATOR.normal(size=(5, 2)).astype(np.float16),
}
ZIPPED = ("zip .pth", ".npz", "packed .npz", ".keras", "packed .keras")


def legacy_pth(path: Path) -> None:
    import torch

    base = torch.from_numpy(ARRAYS["conv/kernel"].copy())  # one storage: several lie in an order of their addresses
    tensors = {"conv/kernel": base, "conv/bias": base[0, 0, 0], "dense/kernel": base[1, 1].t()}
    torch.save(tensors, path, _use_new_zipfile_serialization=False)
    path.write_bytes(without_addresses(path.read_bytes()))


def without_addresses(content: bytes) -> bytes:
    """PyTorch calls a storage by its place in memory, another one in every process."""
    return re.sub(rb"X[\x08-\x14]\0\0\0\d{8,20}", lambda _: b"X\1\0\0\0" + b"0", content)


def zip_pth(path: Path) -> None:
    import torch

    torch.save({name: torch.from_numpy(array.copy()) for name, array in ARRAYS.items()}, path)


def npz(path: Path) -> None:
    with path.open("wb") as file:
        np.savez(file, **ARRAYS)  # type: ignore[arg-type]


def packed_npz(path: Path) -> None:
    with path.open("wb") as file:
        np.savez_compressed(file, **ARRAYS)  # type: ignore[arg-type]


def safetensors(path: Path) -> None:
    import torch
    from safetensors.torch import save_file

    halves = torch.from_numpy(ARRAYS["conv/kernel"].copy()).to(torch.bfloat16)
    save_file({"halves": halves, **{name: torch.from_numpy(array.copy()) for name, array in ARRAYS.items()}}, path)


def model_safetensors(path: Path) -> None:
    small_model().save(path)


def weights_h5(path: Path) -> None:
    small_model().save_weights(path)


def small_model() -> Any:
    from hati import weights
    from hati.labels import numbered
    from hati.model import Model
    from hati.network.graph import Graph
    from hati.network.layers import BatchNormalization, Conv2D, Dense, GlobalAveragePooling2D, InputLayer
    from hati.preprocessing import Preprocessing

    x = Conv2D(4, 3, padding="same")(InputLayer((8, 8, 3))(), group="stem")
    x = Dense(2)(GlobalAveragePooling2D()(BatchNormalization()(Conv2D(2, 1)(x))), name="predictions")
    preprocessing = Preprocessing("tf", 0.875, "bilinear")
    return Model(Graph(x, "small"), weights.random(Graph(x), 0), preprocessing, labels=numbered(2), size=(8, 8))


def h5(path: Path) -> None:
    """As Keras' published files are: HDF5's oldest layout, names of fixed length."""
    write_h5(path)


def newer_h5(path: Path) -> None:
    """HDF5's newest layout, names of any length, packed arrays."""
    write_h5(path, text=True, libver="latest")


def packed_h5(path: Path) -> None:
    """Arrays in chunks, packed."""
    write_h5(path, chunks=True, compression="gzip", shuffle=True, fletcher32=True)


def write_h5(path: Path, text: bool = False, libver: str = "earliest", **options: object) -> None:
    import h5py

    with h5py.File(path, "w", libver=libver) as file:
        names = ["conv", "dense"]
        file.attrs["layer_names"] = names if text else np.array([name.encode() for name in names])
        for layer in names:
            keys = [name.partition("/")[2] for name in ARRAYS if name.startswith(layer)]
            group = file.create_group(layer)
            group.attrs["weight_names"] = keys if text else np.array([key.encode() for key in keys])
            for key in keys:
                group.create_dataset(key, data=ARRAYS[f"{layer}/{key}"], **options)


def keras(path: Path) -> None:
    path.write_bytes(zipped({"metadata.json": b"{}", "config.json": b"{}", "model.weights.h5": sound(".weights.h5")}))


def packed_keras(path: Path) -> None:
    path.write_bytes(zipped({"config.json": b"{}", "model.weights.h5": sound(".weights.h5")}, zipfile.ZIP_DEFLATED))


def dense_h5(path: Path) -> None:
    """More layers and attributes than HDF5's newer layout keeps in a group's header."""
    import h5py

    with h5py.File(path, "w", libver="latest") as file:
        layers = [f"layer_{number}" for number in range(60)]
        file.attrs["layer_names"] = [layer.encode() for layer in layers]
        for number in range(9):
            file.attrs[f"attribute{number}"] = number
        for layer in layers:
            file.create_group(layer).attrs["weight_names"] = [b"bias"]
            file[layer]["bias"] = ARRAYS["conv/bias"]


FORMS: dict[str, Callable[[Path], None]] = {
    "legacy .pth": legacy_pth,
    "zip .pth": zip_pth,
    ".npz": npz,
    "packed .npz": packed_npz,
    ".safetensors": safetensors,
    "model .safetensors": model_safetensors,
    ".h5": h5,
    "newer .h5": newer_h5,
    "packed .h5": packed_h5,
    "dense .h5": dense_h5,
    ".weights.h5": weights_h5,
    ".keras": keras,
    "packed .keras": packed_keras,
}


def sound(form: str) -> bytes:
    """The file itself."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"weights{form.rpartition(' ')[2]}"
        FORMS[form](path)
        return path.read_bytes()


def parts(form: str, content: bytes) -> dict[str, bytes]:
    """The members of an archive, or the header and the data of .safetensors; nothing for a form without parts."""
    if form in ZIPPED:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return {name: archive.read(name) for name in archive.namelist()}
    if form.endswith(".safetensors"):
        end = 8 + int.from_bytes(content[:8], "little")
        header = json.loads(content[8:end])
        told = header.get("__metadata__", {}).pop("hati", None)
        return {"header.json": json.dumps(header).encode(), "data": content[end:]} | (
            {"hati.json": told.encode()} if told else {}
        )
    return {}


def sealed(form: str, members: dict[str, bytes]) -> bytes:
    """A file of parts again, whose lengths and checksums are right."""
    if form in ZIPPED:
        return zipped(members, zipfile.ZIP_DEFLATED if form.startswith("packed") else zipfile.ZIP_STORED)
    header = json.loads(members["header.json"])
    if "hati.json" in members and isinstance(header, dict):
        header["__metadata__"] = {"hati": members["hati.json"].decode()}
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + members["data"]


def zipped(members: dict[str, bytes], compression: int = zipfile.ZIP_STORED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name), content, compression)
    return file.getvalue()
