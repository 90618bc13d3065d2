"""Which version of ONNX's operators, its opset, a model needs as `translation` writes it, and the model in another."""

from collections import Counter
from collections.abc import Mapping

import numpy as np
import onnx
from onnx import defs, helper, numpy_helper

from ...network.graph import Graph
from ...network.passes import for_inference
from ...tools.arrays import Array
from . import translation

LOWEST = 11  # from where Pad and Clip take as inputs what they had as settings
SOFTMAX_OF_MAPS = "Softmax of a map"  # along its channels alone
NEEDED = {
    "DequantizeLinear": 13,  # with a scale for each channel
    SOFTMAX_OF_MAPS: 13,
    "HardSwish": 14,
    "LayerNormalization": 17,
}
AXES_AS_INPUT = {"ReduceMax": 18}  # and from where they are no setting any more


class _Lister(translation.Writer):
    """Notes the nodes, and keeps no constant."""

    def constant(self, name: str, value: Array) -> str:
        return name


def operators(graph: Graph) -> Counter[str]:
    """What a graph is written with, in float; no weights are needed to know."""
    folded, _ = for_inference(graph, _nothing(graph))
    out = _Lister(_nothing(folded))
    folded.fold(lambda node, x: translation.lower(node.layer, out, node, x))
    found = Counter(node.op_type for node in out.nodes)
    of_maps = [node for node in folded.nodes if "softmax" in vars(node.layer).values() and len(node.shape) == 3]
    return found + Counter({SOFTMAX_OF_MAPS: len(of_maps)})


def lowest(graph: Graph, *, integers: bool = False) -> tuple[int, str]:
    """The lowest opset that a graph can be written in, and the operator that needs it."""
    found = {**operators(graph), **({"DequantizeLinear": 1} if integers else {})}
    return max((NEEDED.get(kind, LOWEST), kind) for kind in found)


def newest() -> int:
    """The newest opset that the installed onnx knows."""
    return int(defs.onnx_opset_version())


def at_opset(model: onnx.ModelProto, opset: int) -> onnx.ModelProto:
    """A model of `translation` in another opset, changed in its place; what it needs is `lowest`'s to know."""
    model.opset_import[0].version = opset
    model.ir_version = helper.find_min_ir_version_for(model.opset_import)
    for node in model.graph.node:
        if opset >= AXES_AS_INPUT.get(node.op_type, opset + 1):
            [axes] = [setting for setting in node.attribute if setting.name == "axes"]
            constant = numpy_helper.from_array(np.array(axes.ints, np.int64), f"{node.name}/axes")
            model.graph.initializer.append(constant)
            node.input.append(constant.name)
            node.attribute.remove(axes)
    return model


def _nothing(graph: Graph) -> Mapping[str, Array]:
    """An array of every weight's shape that takes no memory."""
    return {name: np.broadcast_to(np.float32(0), shape) for name, shape in graph.weights().items()}
