"""Keras' HDF5 files: the legacy .h5 with its lists of names, and Keras 3's .weights.h5 with a folder for each layer."""

from collections.abc import Iterator

from ...errors import WeightsError
from ...tools.arrays import Array
from . import hdf5, mapped
from .layouts import Layered, Numbered

MOST_NAMES = 1 << 16  # bytes of one list; HDF5 has no room for more
MOST_DEPTH = 16  # of models in models
FOLDERS = ("layers", "_layer_checkpoint_dependencies")  # where Keras 3 keeps a model's layers, now and at first


def read(content: memoryview, most: int) -> Layered | Numbered:
    """Each layer's arrays in Keras' order; layers without weights are left out.

    Together they can take `most` bytes.
    """
    root = hdf5.opened(content)
    if folder := _folder(root):
        return _read_numbered(folder, most)
    whole = root.inside("model_weights") if "model_weights" in root else root
    if not {"layer_names", "layer_names0"} & whole.attributes.keys():
        raise WeightsError("it is an HDF5 file, but has no layer_names, as Keras' legacy weights have, and no layers")
    found = {name: _listed(whole.inside(name)) for name in _names(whole, "layer_names")}
    return Layered(_arrays(found, most))


def _listed(layer: hdf5.Object) -> list[hdf5.Object]:
    return [layer.inside(name) for name in _names(layer, "weight_names")]


def _folder(group: hdf5.Object) -> hdf5.Object | None:
    return next((group.inside(name) for name in FOLDERS if name in group), None)


def _read_numbered(folder: hdf5.Object, most: int) -> Numbered:
    layers = dict(_numbered(folder, ""))
    found = {place: [layer.inside(str(n)) for n in range(len(layer.links))] for place, layer in layers.items()}
    names = {place: name for place, layer in layers.items() if (name := _name(layer))}
    return Numbered(_arrays(found, most), names)


def _numbered(folder: hdf5.Object, above: str) -> Iterator[tuple[str, hdf5.Object]]:
    """The folders of variables, by their layers' places: `conv2d_1`, and `sequential/conv2d` for a model in a model."""
    if above.count("/") > MOST_DEPTH:
        raise WeightsError(f"{folder.name}: models lie in models without end")
    for name in sorted(folder.links, key=_by_number):
        layer = folder.inside(name)
        if layer.is_array:
            raise WeightsError(f"{layer.name} is an array, where a layer's folder was expected")
        if "vars" in layer:
            yield f"{above}{name}", layer.inside("vars")
        if (inner := _folder(layer)) is not None:
            yield from _numbered(inner, f"{above}{name}/")


def _name(variables: hdf5.Object) -> str | None:
    """The layer's own name, where the file tells it, as Keras' recent ones do."""
    return variables.text("name", MOST_NAMES) if "name" in variables.attributes else None


def _names(group: hdf5.Object, attribute: str) -> Iterator[str]:
    """A list of names; Keras splits one that is longer than HDF5 allows into attribute0, attribute1, …"""
    parts = [attribute] if attribute in group.attributes else []
    while f"{attribute}{len(parts)}" in group.attributes:
        parts.append(f"{attribute}{len(parts)}")
    for part in parts:
        yield from group.texts(part, MOST_NAMES)


def _arrays(found: dict[str, list[hdf5.Object]], most: int) -> dict[str, list[Array]]:
    claimed = sum(data.bytes for datasets in found.values() for data in datasets)
    if claimed > most:
        raise WeightsError(f"it claims arrays of {claimed:,} bytes, too many to be true of a file of its length")
    return {name: list(map(_array, datasets)) for name, datasets in found.items() if datasets}


def _array(data: hdf5.Object) -> Array:
    """Numbers; HDF5 has no bfloat16, which Keras keeps as bare bytes with a note beside them."""
    if data.dtype.kind != "V":
        return data.array()
    if "dtype" not in data.attributes or data.text("dtype", MOST_NAMES) != "bfloat16":
        raise WeightsError(f"{data.name} is no array of numbers")
    return mapped.from_bfloat16(data.array().view("<u2"))


def _by_number(name: str) -> tuple[str, int]:
    """`conv2d_2` before `conv2d_10`."""
    kind, _, number = name.rpartition("_")
    return (kind, int(number)) if number.isdecimal() and len(number) < 10 else (name, 0)
