"""Graph -> ONNX model. Values that flow are ONNX value names.

The model takes and gives what the graph speaks, channels last; inside, maps are (batch, channels, height, width).
"""

from collections.abc import Mapping
from functools import singledispatch
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from .. import layers
from ..graph import Graph, Layer, Node, weights_of
from ..layers import pair

Array = np.ndarray
OPSET, IR_VERSION = 17, 8  # read by every ONNX Runtime since 1.12 (May 2022)


class Writer:
    """Collects the ONNX nodes and constants of one graph."""

    def __init__(self, weights: Mapping[str, Array]):
        self.weights = weights
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def op(self, kind: str, inputs: list[str], output: str, **settings: Any) -> str:
        self.nodes.append(helper.make_node(kind, inputs, [output], output, **settings))
        return output

    def constant(self, name: str, value: Array | np.float32) -> str:
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def weights_of(self, node: Node) -> dict[str, Array]:
        return weights_of(node, self.weights)

    def activation(self, function: layers.Function, x: str, output: str) -> str:
        if function == "relu6":
            return self.clip(x, output, 6)
        kind = {"linear": "Identity", "relu": "Relu", "sigmoid": "Sigmoid", "softmax": "Softmax", "tanh": "Tanh"}[
            function
        ]
        return self.op(kind, [x], output, **({"axis": 1} if function == "softmax" else {}))

    def clip(self, x: str, output: str, highest: float) -> str:
        bounds = [
            self.constant(f"{output}/{side}", np.float32(bound)) for side, bound in (("low", 0), ("high", highest))
        ]
        return self.op("Clip", [x, *bounds], output)

    def activated(self, function: layers.Function, node: Node, kind: str, inputs: list[str], **settings: Any) -> str:
        """An operator and, where the layer has one, its activation behind it."""
        if function == "linear":
            return self.op(kind, inputs, node.name, **settings)
        return self.activation(function, self.op(kind, inputs, f"{node.name}/linear", **settings), node.name)

    def channels_last(self, node: Node, x: str) -> str:
        return self.op("Transpose", [x], f"{x}/channels_last", perm=[0, 2, 3, 1]) if len(node.shape) == 3 else x

    def vector(self, node: Node, x: str) -> str:
        """The node's input as one row of numbers, in the graph's order; a map of one pixel is in that order already."""
        before = node.inputs[0]
        flat = x if before.shape[:2] == (1, 1) else self.channels_last(before, x)
        return self.op(
            "Reshape", [flat, self.constant(f"{node.name}/shape", np.array([-1, *node.shape], np.int64))], node.name
        )


def export(graph: Graph, weights: Mapping[str, Array]) -> onnx.ModelProto:
    """One ONNX model with its weights inside; it takes `image` and gives `output`."""
    out = Writer(weights)
    last = graph.fold(lambda node, x: lower(node.layer, out, node, x))[graph.output.name]
    result = out.op("Identity", [out.channels_last(graph.output, last)], "output")
    value = helper.make_tensor_value_info
    picture = value("image", TensorProto.FLOAT, ["batch", *_axes(graph.input, "input")])
    answer = value(result, TensorProto.FLOAT, ["batch", *_axes(graph.output, "output")])
    proto = helper.make_graph(out.nodes, graph.name, [picture], [answer], out.constants)
    return helper.make_model(proto, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)


def _axes(node: Node, end: str) -> list[int | str]:
    return [size or f"{end}_axis_{axis}" for axis, size in enumerate(node.shape, 1)]


@singledispatch
def lower(layer: Layer, out: Writer, node: Node, x: list[str]) -> str:
    raise NotImplementedError(layer.kind)


def _sliding(node: Node, window: layers.Pair, strides: layers.Pair, padding: layers.Padding) -> dict[str, Any]:
    settings: dict[str, Any] = {"kernel_shape": pair(window), "strides": pair(strides)}
    pads = layers.padding_pixels(node.inputs[0].shape, window, strides, padding)
    if pads is None:
        return settings | {"auto_pad": "SAME_UPPER"}
    ((top, bottom), (left, right)) = pads
    return settings | {"pads": [top, left, bottom, right]}


@lower.register
def _(layer: layers.InputLayer, out: Writer, node: Node, x: list[str]) -> str:
    return out.op("Transpose", ["image"], node.name, perm=[0, 3, 1, 2]) if len(node.shape) == 3 else "image"


@lower.register
def _(layer: layers.ZeroPadding2D, out: Writer, node: Node, x: list[str]) -> str:
    ((top, bottom), (left, right)) = layer.padding
    pads = np.array([0, 0, top, left, 0, 0, bottom, right], np.int64)
    return out.op("Pad", [*x, out.constant(f"{node.name}/pads", pads)], node.name)


@lower.register
def _(layer: layers.Conv2D, out: Writer, node: Node, x: list[str]) -> str:
    w = out.weights_of(node)
    inputs = [*x, out.constant(f"{node.name}/kernel", w["kernel"].transpose(3, 2, 0, 1))]
    if layer.use_bias:
        inputs.append(out.constant(f"{node.name}/bias", w["bias"]))
    settings = _sliding(node, layer.kernel_size, layer.strides, layer.padding)
    return out.activated(layer.activation, node, "Conv", inputs, **settings)


@lower.register
def _(layer: layers.DepthwiseConv2D, out: Writer, node: Node, x: list[str]) -> str:
    w = out.weights_of(node)
    height, width, channels, _ = w["kernel"].shape
    kernel = w["kernel"].transpose(2, 3, 0, 1).reshape(-1, 1, height, width)
    inputs = [*x, out.constant(f"{node.name}/kernel", kernel)]
    if layer.use_bias:
        inputs.append(out.constant(f"{node.name}/bias", w["bias"]))
    settings = _sliding(node, layer.kernel_size, layer.strides, layer.padding)
    return out.op("Conv", inputs, node.name, group=channels, **settings)


@lower.register
def _(layer: layers.BatchNormalization, out: Writer, node: Node, x: list[str]) -> str:
    w = out.weights_of(node)
    ordered = {"gamma": np.ones_like(w["beta"])} | w
    inputs = [out.constant(f"{node.name}/{key}", ordered[key]) for key in ("gamma", "beta", *layer.running)]
    return out.op("BatchNormalization", [*x, *inputs], node.name, epsilon=layer.epsilon)


@lower.register
def _(layer: layers.Activation, out: Writer, node: Node, x: list[str]) -> str:
    return out.activation(layer.function, x[0], node.name)


@lower.register
def _(layer: layers.ReLU, out: Writer, node: Node, x: list[str]) -> str:
    return out.op("Relu", x, node.name) if layer.max_value is None else out.clip(x[0], node.name, layer.max_value)


@lower.register
def _(layer: layers.MaxPooling2D, out: Writer, node: Node, x: list[str]) -> str:
    return out.op("MaxPool", x, node.name, **_sliding(node, layer.pool_size, layer.strides, layer.padding))


@lower.register
def _(layer: layers.AveragePooling2D, out: Writer, node: Node, x: list[str]) -> str:
    return out.op("AveragePool", x, node.name, **_sliding(node, layer.pool_size, layer.strides, layer.padding))


@lower.register
def _(layer: layers.GlobalAveragePooling2D, out: Writer, node: Node, x: list[str]) -> str:
    return out.op("ReduceMean", x, node.name, axes=[2, 3], keepdims=int(layer.keepdims))


@lower.register
def _(layer: layers.GlobalMaxPooling2D, out: Writer, node: Node, x: list[str]) -> str:
    return out.op("ReduceMax", x, node.name, axes=[2, 3], keepdims=int(layer.keepdims))


@lower.register
def _(layer: layers.Flatten, out: Writer, node: Node, x: list[str]) -> str:
    return out.vector(node, x[0])


@lower.register
def _(layer: layers.Reshape, out: Writer, node: Node, x: list[str]) -> str:
    if len(layer.target) != 1:
        raise NotImplementedError(f"Reshape to {layer.target}: the ONNX engine reshapes to a vector only")
    return out.vector(node, x[0])


@lower.register
def _(layer: layers.Dropout, out: Writer, node: Node, x: list[str]) -> str:
    return x[0]


@lower.register
def _(layer: layers.Dense, out: Writer, node: Node, x: list[str]) -> str:
    inputs = [*x, *(out.constant(f"{node.name}/{key}", value) for key, value in out.weights_of(node).items())]
    return out.activated(layer.activation, node, "Gemm", inputs)


@lower.register
def _(layer: layers.Add, out: Writer, node: Node, x: list[str]) -> str:
    for number, other in enumerate(x[1:-1]):
        x = [out.op("Add", [x[0], other], f"{node.name}/{number}"), *x[1:]]
    return out.op("Add", [x[0], x[-1]], node.name)


@lower.register
def _(layer: layers.Concatenate, out: Writer, node: Node, x: list[str]) -> str:
    return out.op("Concat", x, node.name, axis=1)
