"""Every network of Keras Applications, here and in Keras 3 on the same random weights: names, counts, answers, files.

KERAS_BACKEND=torch PYTHONPATH=tests/support python benchmarks/forty.py [--only NAME]...

Each row: the same layer names in the same order, the same parameters, trainable or not; the largest difference between
two pictures' scores, and without the classifier between the features of pictures of two shapes, as a part of the
largest one; in how many files weights come through bit for bit, of three formats that Keras writes and one that it
reads; the lines of the files that the network's family lies in, here with its front and in Keras. Ends with 1 where
anything differs.
"""

import argparse
import sys
import time
from collections.abc import Iterable
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import keras
from networks import FORTY, Network
from oracle import (
    KERAS_FILES,
    bodies,
    comes_from_keras,
    difference,
    give_same_weights,
    goes_to_keras,
    is_same_network,
    twins,
)

import hati
from hati import catalog
from hati.keras import applications
from hati.network import summary
from hati.tools.tables import table

HATI, KERAS = Path(hati.__file__).parent, Path(keras.__file__).parent / "src" / "applications"
EXACT = 1e-4
FILES = len(KERAS_FILES) + 1
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
        return self.same and max(self.scores, self.features) < EXACT and self.files == FILES

    def cells(self) -> tuple[str, ...]:
        same, files = "yes" if self.same else "NO", f"{self.files} of {FILES}"
        differences = f"{self.scores:.0e}", f"{self.features:.0e}"
        counts = f"{self.parameters:,}", str(self.layers)
        return (self.model, *counts, same, *differences, files, str(self.here), str(self.there))


def compared(network: Network, folder: Path) -> Row:
    model, twin = twins(network, input_shape=(network.size, network.size, 3))
    give_same_weights(model, twin)
    same, scores = is_same_network(model, twin), difference(model, twin, (network.size, network.size))
    files = sum(comes_from_keras(model, twin, folder / name) for name in KERAS_FILES)
    files += goes_to_keras(model, twin, folder / "mine.weights.h5")
    features = []
    for body, other, sizes in bodies(network):
        give_same_weights(body, other)
        same = same and is_same_network(body, other)
        features += [difference(body, other, size) for size in sizes]
    usual = getattr(applications, network.function)(weights=None).graph
    ours, theirs = map(lines, sources(network.function))
    parameters = summary.totals(usual).parameters
    return Row(network.function, parameters, len(usual.nodes), same, scores, max(features), files, ours, theirs)


def sources(function: str) -> tuple[set[Path], set[Path]]:
    """The files of a network's family, here and in Keras."""
    front = catalog.find(function).module.replace("resnet50", "resnet")
    theirs = import_module(f"keras.src.applications.{front}")
    architecture = "vgg" if front.startswith("vgg") else front
    here = {HATI / "architectures" / f"{architecture}.py", HATI / "applications" / f"{front}.py"}
    return here, {Path(str(theirs.__file__))}


def all_sources() -> tuple[set[Path], set[Path]]:
    """Those of all forty, with what the families share."""
    here = {HATI / "architectures" / "blocks.py", *(HATI / "applications").glob("[bi_]*.py")}
    there = {KERAS / "imagenet_utils.py"}
    for network in FORTY:
        ours, theirs = sources(network.function)
        here, there = here | ours, there | theirs
    return here, there


def lines(paths: Iterable[Path]) -> int:
    return sum(len(path.read_text().splitlines()) for path in paths)


def print_lines() -> None:
    here, there = all_sources()
    architectures, all_of_keras = lines(path for path in here if path.parent.name == "architectures"), lines(there)
    for what, count in (("architectures", architectures), ("architectures and Keras' front", lines(here))):
        print(f"{what}: {count:,} lines here, {all_of_keras:,} in Keras ({count / all_of_keras:.2f})")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", action="append", help="a network's name; may be given several times")
    chosen = parser.parse_args().only
    start, rows = time.monotonic(), []
    with TemporaryDirectory() as folder:
        for network in FORTY:
            if not chosen or network.function in chosen:
                print(f"{network} …", file=sys.stderr)
                rows.append(compared(network, Path(folder)))
    print(table(HEADERS, [row.cells() for row in rows], right=range(1, len(HEADERS))))
    print(f"\n{len(rows)} networks in {(time.monotonic() - start) / 60:.1f} minutes")
    print_lines()
    return 0 if all(row.exact for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
