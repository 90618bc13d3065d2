"""Arrays into a file, one after the other, so that none is held twice; the file appears whole or not at all."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from ..errors import ArgumentError, WeightsError
from ..network.graph import Graph
from ..tools.files import whole
from . import description
from .formats import safetensors

Arrays = Mapping[str, np.ndarray]

WHOLE, KERAS = ".safetensors", ".weights.h5"


def write_model(path: Path, arrays: Arrays, told: description.Description) -> None:
    """The whole model in one .safetensors file."""
    if not path.name.endswith(WHOLE):
        raise ArgumentError(f"{path}: a whole model is written into a file whose name ends in {WHOLE}")
    text = description.to_json(told)
    with _whole_or_not_at_all(path) as part, part.open("wb") as file:
        safetensors.write(file, arrays, {description.KEY: text})


def write_weights(path: Path, arrays: Arrays, graph: Graph) -> None:
    """The weights alone, in the format that the file's name ends in."""
    for ending, write in WRITERS.items():
        if path.name.endswith(ending):
            with _whole_or_not_at_all(path) as part:
                write(part, arrays, graph)
            return
    raise ArgumentError(f"{path}: weights are written into a file whose name ends in {' or '.join(WRITERS)}")


def _write_safetensors(path: Path, arrays: Arrays, graph: Graph) -> None:
    with path.open("wb") as file:
        safetensors.write(file, arrays, {"network": graph.name})


def _write_keras(path: Path, arrays: Arrays, graph: Graph) -> None:
    from .formats import keras_writing

    keras_writing.write(path, arrays, graph)


WRITERS: dict[str, Callable[[Path, Arrays, Graph], None]] = {KERAS: _write_keras, WHOLE: _write_safetensors}


@contextmanager
def _whole_or_not_at_all(path: Path) -> Iterator[Path]:
    try:
        with whole(path) as part:
            part.touch()  # a folder that takes no file says so here, and not in HDF5's words
            yield part
    except OSError as error:
        raise WeightsError(f"{path}: it cannot be written ({error.strerror or error})") from None
