"""The networks to measure, each written once into a folder in every form that a peer reads."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from oracle import SPREAD, lively

import hati
from hati.engines.onnx import translation
from hati.labels import imagenet
from hati.model import Model
from hati.network import graph_json
from hati.network.passes import for_inference
from hati.network.summary import multiply_adds
from hati.tools.files import whole

MOST_PICTURES = 8
SIDE = 2048  # of the large matrices


@dataclass(frozen=True)
class Network:
    """A model of the catalog, by its name."""

    name: str
    options: dict[str, Any] = field(default_factory=dict)

    def write(self, folder: Path) -> Path:
        """Its own folder, with random weights, pictures, ONNX and all, where it is not there already."""
        own = folder / self.name
        if not (own / "facts.json").exists():
            own.mkdir(parents=True, exist_ok=True)
            self._write(own)
        return own

    def multiply_adds(self) -> int:
        """For one picture."""
        return multiply_adds(hati.load(self.name, weights=None, **self.options).graph)

    def _write(self, folder: Path) -> None:
        model: Model = hati.load(self.name, weights=None, **self.options)
        arrays = lively(model.graph)
        if model.preprocessing.normalisation == "caffe":
            arrays[next(iter(arrays))] /= SPREAD
        model.set_weights(list(arrays.values()))
        model.save_weights(folder / "random.weights.h5")
        onnx.save(translation.export(*for_inference(model.graph, arrays)), folder / "model.onnx")
        pixels = np.random.default_rng(1).integers(0, 256, (MOST_PICTURES, *model.size, 3))
        np.save(folder / "pictures.npy", model.normalisation(pixels))
        (folder / "graph.json").write_text(json.dumps(graph_json.to_json(model.graph)))
        write_whole(folder / "facts.json", self._facts(model))  # last: with it the folder is complete

    def _facts(self, model: Model) -> dict[str, Any]:
        return {
            "name": self.name,
            "options": self.options,
            "normalisation": model.preprocessing.normalisation,
            "size": model.size,
        }


def write_whole(path: Path, content: Any) -> None:
    """JSON that appears all at once, or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with whole(path) as part:
        part.write_text(json.dumps(content, indent=1))


def write_product(folder: Path, side: int = SIDE) -> Path:
    """A folder with two matrices, and the ONNX model that multiplies them."""
    folder.mkdir(parents=True, exist_ok=True)
    np.save(folder / "matrices.npy", np.random.default_rng(0).standard_normal((2, side, side), np.float32))
    value = onnx.helper.make_tensor_value_info
    values = [value(name, onnx.TensorProto.FLOAT, [side, side]) for name in "abc"]
    product = onnx.helper.make_node("MatMul", ["a", "b"], ["c"])
    graph = onnx.helper.make_graph([product], "product", values[:2], values[2:])
    opset = [onnx.helper.make_opsetid("", translation.OPSET)]
    onnx.save(
        onnx.helper.make_model(graph, opset_imports=opset, ir_version=translation.IR_VERSION), folder / "product.onnx"
    )
    return folder


def write_class_names(folder: Path) -> None:
    """ImageNet's names where Keras looks for them, byte for byte what it would fetch."""
    path = folder / "models" / "imagenet_class_index.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({str(number): list(label) for number, label in enumerate(imagenet())}))
