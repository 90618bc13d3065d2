"""Every network of Keras Applications, here and in Keras 3 on the same random weights: names, counts, answers, files.

KERAS_BACKEND=torch PYTHONPATH=tests python benchmarks/forty.py [--only NAME]...

Each row: the same layer names in the same order, the same parameters, trainable or not; the largest difference of two
pictures' scores with the classifier, and without it of the features of pictures of two shapes, as a part of the
largest feature; from how many of the three files that Keras writes the weights come back bit for bit; the lines of the
files that the network's family lies in, here with its front and in Keras. Ends with 1 where anything differs.
"""

import argparse
import sys
import time
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import keras
import numpy as np
from networks import FORTY, TALL, WIDE, Network
from oracle import give_same_weights, keras_layers, keras_twin, pictures

import hati
from hati import applications, catalog, summary
from hati.model import Model
from hati.tables import table

HATI, KERAS = Path(hati.__file__).parent, Path(keras.__file__).parent / "src" / "applications"
SHARED_HERE = ("architectures/blocks.py", "applications/building.py", "applications/__init__.py")
SHARED_THERE = ("imagenet_utils.py",)
EXACT = 1e-4
HEADERS = ("Model", "Parameters", "Layers", "Same names", "Scores", "Features", "Files", "Lines", "Keras' lines")


class Row(NamedTuple):
    model: str
    parameters: int
    layers: int
    same: bool
    scores: float
    features: float
    files: int
    here: int
    there: int

    @property
    def exact(self) -> bool:
        return self.same and max(self.scores, self.features) < EXACT and self.files == len(FORMATS)


def compared(network: Network, folder: Path) -> Row:
    model, twin = twins(network, input_shape=(network.size, network.size, 3))
    scores = differ(model, twin, (network.size, network.size), relative=False)
    same, files = is_same(model, twin), sum(comes_back(model, twin, folder / name) for name in FORMATS)
    features = []
    for body, other, size in bodies(network):
        features.append(differ(body, other, size))
        same = same and is_same(body, other)
    ours, theirs = (lines(paths) for paths in sources(network.function))
    parameters = summary.totals(model.graph).parameters
    return Row(network.function, parameters, len(model.layers), same, scores, max(features), files, ours, theirs)


def bodies(network: Network) -> Iterator[tuple[Model, Any, tuple[int, int]]]:
    """The network without its classifier, with the sizes of its pictures; NASNet is built for each size."""
    if network.function.startswith("NASNet"):
        for size in (WIDE, TALL):
            yield *twins(network, include_top=False, input_shape=(*size, 3)), size
        return
    model, twin = twins(network, include_top=False)
    for size in (WIDE, TALL):
        yield model, twin, size


def twins(network: Network, **options: Any) -> tuple[Model, Any]:
    model = getattr(applications, network.function)(weights=None, **options)
    twin = keras_twin(network.function, **options)
    give_same_weights(model, twin)
    return model, twin


def differ(model: Model, twin: Any, size: tuple[int, int], *, relative: bool = True) -> float:
    x = pictures(model, *size)
    expected = twin.predict(x, verbose=0)
    scale = float(np.abs(expected).max()) if relative else 1.0
    return float(np.abs(model.predict(x) - expected).max()) / scale


def is_same(model: Model, twin: Any) -> bool:
    """Layer names in their order, and parameters; where Keras computes outside of any layer, hati has layers more."""
    theirs = [layer.name for layer in keras_layers(twin)]
    ours = [layer.name for layer in model.layers if layer.name in set(theirs)]
    trainable = sum(int(np.prod(weight.shape)) for weight in twin.trainable_weights)
    totals = summary.totals(model.graph)
    return (ours, totals.parameters, totals.trainable) == (theirs, twin.count_params(), trainable)


FORMATS = ("model.h5", "model.weights.h5", "model.keras")


def comes_back(model: Model, twin: Any, path: Path) -> bool:
    """Whether the weights in a file that Keras writes are those that it has."""
    if path.name.endswith(".weights.h5"):
        twin.save_weights(path)
    else:
        twin.save(path)
    model.set_weights([np.zeros_like(array) for array in twin.get_weights()])
    model.load_weights(path)
    back = all(map(np.array_equal, model.get_weights(), twin.get_weights()))
    path.unlink()
    return back


def sources(function: str) -> tuple[list[Path], list[Path]]:
    """The files of a network's family, here and in Keras."""
    front = catalog.find(function).module
    family = {"resnet50": "resnet", "vgg16": "vgg", "vgg19": "vgg"}.get(front, front)
    theirs = import_module(f"keras.src.applications.{ {'resnet50': 'resnet'}.get(front, front) }")
    here = [HATI / "architectures" / f"{family}.py", HATI / "applications" / f"{front}.py"]
    return here, [Path(str(theirs.__file__))]


def lines(paths: list[Path]) -> int:
    return sum(len(path.read_text().splitlines()) for path in paths)


def all_lines() -> tuple[int, int]:
    """Of every file that the forty need, once, with what they share."""
    here = {HATI / name for name in SHARED_HERE} | {HATI / "applications" / "resnet.py"}
    there = {KERAS / name for name in SHARED_THERE}
    for network in FORTY:
        ours, theirs = sources(network.function)
        here, there = here | set(ours), there | set(theirs)
    return lines(list(here)), lines(list(there))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", action="append", help="a network's name; may be given several times")
    chosen = parser.parse_args().only
    start, rows = time.monotonic(), []
    with TemporaryDirectory() as folder:
        for network in FORTY:
            if not chosen or network.function in chosen:
                print(f"{network} …", end="\r", file=sys.stderr, flush=True)
                rows.append(compared(network, Path(folder)))
    print(table(HEADERS, map(cells, rows), right=range(1, len(HEADERS))))
    ours, theirs = all_lines()
    print(f"\n{len(rows)} networks in {(time.monotonic() - start) / 60:.1f} minutes")
    print(f"all files of the forty: {ours:,} lines here, {theirs:,} in Keras ({ours / theirs:.2f})")
    return 0 if all(row.exact for row in rows) else 1


def cells(row: Row) -> tuple[str, ...]:
    same = "yes" if row.same else "NO"
    differences = (f"{row.scores:.0e}", f"{row.features:.0e}")
    files = f"{row.files} of {len(FORMATS)}"
    return (row.model, f"{row.parameters:,}", str(row.layers), same, *differences, files, str(row.here), str(row.there))


if __name__ == "__main__":
    sys.exit(main())
