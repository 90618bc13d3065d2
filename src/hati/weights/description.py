"""What a file says of the model whose weights it holds: network, preprocessing and labels, as JSON."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from .. import __version__
from ..errors import HatiError, WeightsError
from ..labels import Label
from ..network import graph_json
from ..network.graph import Graph
from ..network.taught import Provenance, Score, has_head
from ..preprocessing import INTERPOLATIONS, NORMALISATIONS, Preprocessing
from . import reading

KEY = "hati"  # of the metadata of a .safetensors file
FORMAT = 1
MOST_PIXELS = 1 << 14  # of height or width


@dataclass(frozen=True)
class Description:
    """A model without its weights."""

    graph: Graph
    preprocessing: Preprocessing
    labels: tuple[Label, ...] | None
    size: tuple[int, int]  # (height, width) in pixels, that photos are brought to
    pytorch_names: dict[str, str] | None = None
    provenance: Provenance | None = None  # of a model that a person has taught
    light: bool = False  # the file holds the head alone; the body is the catalog's


def read(path: Path) -> Description:
    """The description in a file. Raises WeightsError for a file without one, or with one that makes no sense."""
    told = reading.metadata(path)
    if KEY not in told:
        raise WeightsError(
            f"{path}: it holds weights alone, and does not say of which model: give the model's name, and the file as "
            f"weights, as in hati.load('ResNet50', weights={str(path)!r})"
        )
    return reading.guarded(path, lambda: from_json(told[KEY]))


def to_json(description: Description) -> str:
    """The description as text. Raises GraphError for a network with a name that no file should hold."""
    told = {
        "format": FORMAT,
        "hati": __version__,
        "graph": graph_json.to_json(description.graph),
        "preprocessing": graph_json.record_to_json(description.preprocessing),
        "labels": description.labels,
        "size": description.size,
        "pytorch_names": description.pytorch_names,
        "provenance": description.provenance and asdict(description.provenance),
        "light": description.light,
    }
    return json.dumps(told, ensure_ascii=False)


def from_json(text: str) -> Description:
    """The description again. Raises WeightsError where the text describes no model."""
    try:
        return _description(json.loads(text))
    except (HatiError, RecursionError, ValueError) as error:
        raise WeightsError(f"its description of the model is wrong: {error}") from None


def _description(told: Any) -> Description:
    if not isinstance(told, dict) or not isinstance(told.get("format"), int):
        raise WeightsError("it has no format")
    if told["format"] != FORMAT:
        raise WeightsError(f"its format is {told['format']}, of hati {told.get('hati')!r:.20}; {FORMAT} is read here")
    graph = graph_json.from_json(told.get("graph"))
    preprocessing = _preprocessing(told.get("preprocessing"))
    labels, size = _labels(told.get("labels"), graph), _size(told.get("size"))
    names, provenance = _names(told.get("pytorch_names")), _provenance(told.get("provenance"), graph)
    light = told.get("light", False) is True and provenance is not None
    return Description(graph, preprocessing, labels, size, names, provenance, light)


def _provenance(value: Any, graph: Graph) -> Provenance | None:
    if value is None:
        return None
    if not has_head(graph):
        raise WeightsError("it claims that the model was taught, but the network has no head")
    if isinstance(value, dict) and isinstance(value.get("score"), dict):
        value = value | {"score": graph_json.record_from_json(Score, value["score"])}
    return graph_json.record_from_json(Provenance, value)


def _preprocessing(value: Any) -> Preprocessing:
    found = graph_json.record_from_json(Preprocessing, value)
    known = found.normalisation in NORMALISATIONS and found.interpolation in INTERPOLATIONS
    if not known or not 0 < found.crop <= 1:
        raise WeightsError(f"this hati knows no preprocessing like {found}")
    return found


def _labels(value: Any, graph: Graph) -> tuple[Label, ...] | None:
    if value is None:
        return None
    match value:
        case list(rows) if all(map(_is_label, rows)) and graph.output.shape == (len(rows),):
            return tuple(Label(*row) for row in rows)
    raise WeightsError(f"its labels are not one pair of texts for each number of {graph.output.shape}")


def _is_label(row: Any) -> bool:
    return isinstance(row, list) and len(row) == 2 and all(isinstance(text, str) for text in row)


def _size(value: Any) -> tuple[int, int]:
    match value:
        case [int(height), int(width)] if all(0 < pixels <= MOST_PIXELS for pixels in (height, width)):
            return height, width
    raise WeightsError(f"its size is {value!r:.80}; [height, width] in pixels was expected")


def _names(value: Any) -> dict[str, str] | None:
    if value is not None and not (isinstance(value, dict) and all(isinstance(name, str) for name in value.values())):
        raise WeightsError("its pytorch_names are no table of names")
    return value
