"""Graph and arrays in, graph and arrays out, with the same answers."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from .graph import Graph, Layer, Node, Shape, weights_of
from .layers import BatchNormalization, Conv2D, DepthwiseConv2D, InputLayer, SeparableConv2D, ZeroPadding2D

Array = np.ndarray
Arrays = dict[str, Array]
Convolution = Conv2D | DepthwiseConv2D | SeparableConv2D


def for_inference(graph: Graph, weights: Mapping[str, Array]) -> tuple[Graph, Arrays]:
    """The graph as engines like it: no batch norm behind a convolution, no padding before one."""
    graph, arrays = fold_batch_norm(graph, weights)
    return fold_padding(graph), arrays


def with_input(graph: Graph, shape: Shape) -> Graph:
    """The same network for pictures of another size. Raises GraphError at the first layer that they do not fit."""

    def step(node: Node, x: list[Node]) -> Node:
        return node.layer(*x, name=node.name) if x else InputLayer(shape)(name=node.name)

    return Graph(graph.fold(step)[graph.output.name], graph.name)


def fold_batch_norm(graph: Graph, weights: Mapping[str, Array]) -> tuple[Graph, Arrays]:
    """Batch norm goes into the convolution before it, where nothing else looks at that convolution.

    kernel' = kernel · gain and bias' = bias · gain + shift with gain = gamma / sqrt(variance + epsilon) and
    shift = beta - mean · gain, in float64, so that one rounding is all that is lost.
    """
    arrays = dict(weights)
    users = _users(graph)

    def step(node: Node, x: list[Node]) -> Node:
        if not (
            isinstance(node.layer, BatchNormalization) and users[node.inputs[0].name] == 1 and _is_linear(x[0].layer)
        ):
            return node.layer(*x, name=node.name)
        gain, shift = _gain_and_shift(node.layer, weights_of(node, weights))
        conv = x[0]
        last = "pointwise_kernel" if isinstance(conv.layer, SeparableConv2D) else "kernel"
        kernel, bias = (np.float64(arrays.get(f"{conv.name}/{key}", 0)) for key in (last, "bias"))
        by_output = gain.reshape(kernel.shape[2:]) if isinstance(conv.layer, DepthwiseConv2D) else gain
        arrays[f"{conv.name}/{last}"] = (kernel * by_output).astype(np.float32)
        arrays[f"{conv.name}/bias"] = (bias * gain + shift).astype(np.float32)
        return _with_bias(conv.layer)(*conv.inputs, name=conv.name)

    folded = Graph(graph.fold(step)[graph.output.name], graph.name)
    return folded, {key: arrays[key] for key in folded.weights()}


def fold_padding(graph: Graph) -> Graph:
    """Zero padding becomes the padding of the convolutions behind it, which cost nothing to pad."""

    def step(node: Node, x: list[Node]) -> Node:
        layer = node.layer
        if isinstance(layer, Convolution) and layer.padding == "valid" and isinstance(x[0].layer, ZeroPadding2D):
            return replace(layer, padding=x[0].layer.padding)(*x[0].inputs, name=node.name)
        return layer(*x, name=node.name)

    return Graph(graph.fold(step)[graph.output.name], graph.name)


def _gain_and_shift(layer: BatchNormalization, w: Mapping[str, Array]) -> tuple[Array, Array]:
    """Batch norm as x · gain + shift, in float64."""
    gain = np.float64(w.get("gamma", 1)) / np.sqrt(np.float64(w["moving_variance"]) + layer.epsilon)
    return gain, w["beta"] - w["moving_mean"] * gain


def _is_linear(layer: Layer) -> bool:
    return isinstance(layer, Convolution) and not (isinstance(layer, Conv2D) and layer.activation != "linear")


def _with_bias(layer: Layer) -> Layer:
    assert isinstance(layer, Convolution)
    return replace(layer, use_bias=True)


def _users(graph: Graph) -> Counter[str]:
    return Counter(x.name for node in graph.nodes for x in node.inputs)
