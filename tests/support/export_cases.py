"""What every format of an export is tested with: a small network of each family, real models, pictures."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np
from oracle import SPREAD, lively
from tiny_body import SIZE, school

from hati import photos
from hati.exporting.formats import Format, Order
from hati.keras import applications
from hati.labels import Label
from hati.model import Model, lazy_weights
from hati.network.graph import Graph
from hati.network.taught import Provenance
from hati.preprocessing import Preprocessing
from hati.transfer.heads import joined
from hati.weights import from_arrays

Array = np.ndarray

# a network of each family, and the size of its pictures
FAMILIES = {
    "VGG16": 32,
    "ResNet50": 64,
    "ResNet50V2": 64,
    "Xception": 71,
    "InceptionV3": 75,
    "InceptionResNetV2": 75,
    "MobileNet": 64,
    "MobileNetV2": 64,
    "MobileNetV3Small": 64,
    "DenseNet121": 64,
    "NASNetMobile": 64,
    "EfficientNetB0": 64,
    "EfficientNetV2B0": 64,
    "ConvNeXtTiny": 64,
    "EfficientNetLite0": 64,
}


@cache
def small(function: str) -> Model:
    """With weights under which every layer matters, and ten classes."""
    size = FAMILIES[function]
    model: Model = getattr(applications, function)(weights=None, input_shape=(size, size, 3), classes=10)
    arrays = lively(model.graph)
    if model.preprocessing.normalisation == "caffe":
        arrays[next(iter(arrays))] /= SPREAD
    model.set_weights(list(arrays.values()))
    return model


def noise(model: Model, count: int = 3) -> Array:
    """Pictures of all that pixels can be."""
    return np.random.default_rng(1).integers(0, 256, (count, *model.size, 3)).astype(np.uint8)


def expected(model: Model, pixels: Array) -> Array:
    return model.predict(model.normalisation(pixels))


def written(found: Format, order: Order, folder: Path) -> Path:
    """The file of an order."""
    found.check(order)
    path = folder / f"model{found.ending}"
    found.write(order, path)
    return path


def answers(found: Format, order: Order, folder: Path, pixels: Array) -> Array:
    """What the file's own runtime makes of pixels."""
    return found.opened(written(found, order, folder), order, 1)(pixels)


def real(model: Model, folder: Path, count: int) -> Array:
    """Photos as the model's size of pixels."""
    found = sorted(folder.glob("*.jpg"))[:count]
    return np.stack([model.preprocessing.resize(photos.read(path), model.size) for path in found])


def linked(source: Path, folder: Path, count: int) -> Path:
    """A folder of the first few photos of another, for what needs no exact figure."""
    for photo in sorted(source.glob("*.jpg"))[:count]:
        (folder / photo.name).symlink_to(photo)
    return folder


def taught(folder: Path) -> Model:
    """A small network with classes of a person's own."""
    given = school(folder)
    photos = tuple((name, 4) for name in given.train.classes)
    origin = Provenance("few", "0" * 64, "imprint", (), photos, False, None, ())
    return joined(given.body, given.head, given.train.classes, origin)


def renamed(model: Model, names: Sequence[str]) -> Model:
    """The same with classes of other names."""
    labels = [Label(name, name) for name in names]
    return Model(model.graph, lazy_weights(model), model.preprocessing, labels=labels, size=model.size)


def changed(model: Model, name: str, value: float) -> Model:
    """The same with one array filled with a number."""
    arrays = {key: np.array(array) for key, array in lazy_weights(model).arrays().items()}
    arrays[name][...] = value
    return Model(
        model.graph, from_arrays(arrays, model.graph), model.preprocessing, labels=model.labels, size=model.size
    )


def layered(graph: Graph, normalisation: str = "tf") -> Model:
    """A network of a few layers, without a classifier."""
    weights = from_arrays(lively(graph), graph)
    return Model(graph, weights, Preprocessing(normalisation, 1.0, "bilinear"), labels=None, size=SIZE)
