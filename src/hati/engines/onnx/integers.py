"""Graph -> ONNX model that computes in eight-bit integers.

The float model that `translation` writes, with QuantizeLinear and DequantizeLinear round what can run in integers: the
form of quantised networks that every runtime reads, and that ONNX Runtime makes integer operators of.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

import numpy as np
import onnx
from onnx import numpy_helper

from ...network.graph import Graph
from ...tools.arrays import Array
from ..quantisation import Quantisation, Range, Rounding, Scale, quantised_bias, quantised_weights, scale_of
from . import translation

WEIGHTED = {"Conv": 0, "Gemm": 1}  # and the axis of output channels in their kernels
COMPUTING = {*WEIGHTED, "Add", "Mul", "Sigmoid", "Concat", "AveragePool", "GlobalAveragePool"}
PASSING = {"MaxPool", "Transpose", "Reshape", "Flatten", "Squeeze", "Slice"}  # numbers go through them as they are
CUTTING = {"Relu", "Clip"}  # a range whose ends are theirs does what they do


def export_int8(graph: Graph, arrays: Mapping[str, Array], quantisation: Quantisation) -> onnx.ModelProto:
    """One ONNX model with its weights inside; it takes `image` and gives `output`, both float32.

    graph, arrays: as `passes.for_inference` leaves them. Layers whose ranges are not known stay in float.
    """
    model = translation.export(graph, arrays)
    rewritten = _Rewriter(_Plan(model.graph, quantisation, graph.output.name))
    for node in model.graph.node:
        rewritten.put(node)
    constants = list(rewritten.constants())
    del model.graph.node[:], model.graph.initializer[:]
    model.graph.node.extend(rewritten.nodes)
    model.graph.initializer.extend(constants)
    return model


def values_of(model: onnx.ModelProto) -> list[str]:
    """The values of a float model whose ranges an int8 one can need, in order."""
    plan = _Plan(model.graph, Quantisation(_Any()))
    return list(dict.fromkeys(name for node in plan.computing for name in plan.ends(node)))


def roundings(model: onnx.ModelProto, quantisation: Quantisation) -> Iterator[Rounding]:
    """What a quantisation does to the weights of a float model."""
    plan = _Plan(model.graph, quantisation)
    for node in plan.computing:
        if node.op_type in WEIGHTED:
            kernel, integers, steps, _ = plan.weights(node)
            rounded = integers * steps.reshape(-1, *(1,) * (kernel.ndim - 1))
            yield Rounding(node.output[0], node.input[0], kernel, rounded, _groups(node))


def bytes_of(model: onnx.ModelProto) -> int:
    """What a model's constants take."""
    return sum(numpy_helper.to_array(tensor).nbytes for tensor in model.graph.initializer)


class _Any(dict[str, Range]):
    """A range for whatever value is asked for."""

    def __contains__(self, name: object) -> bool:
        return True

    def __getitem__(self, name: str) -> Range:
        return (0.0, 1.0)


class _Plan:
    """Which nodes run in integers, and which values are integers."""

    def __init__(self, proto: onnx.GraphProto, quantisation: Quantisation, last: str = ""):
        self.quantisation, self._last = quantisation, last
        self.constants = {tensor.name: tensor for tensor in proto.initializer}
        self._user_counts = Counter(name for node in proto.node for name in node.input)
        self._first_user = {name: node for node in reversed(proto.node) for name in node.input}
        self._maker = {node.output[0]: node for node in proto.node}
        self.computing = [node for node in proto.node if self._can_compute(node)]
        self._computing = {node.name for node in self.computing}
        self.scales: dict[str, Scale] = {}
        self.absorbed: set[str] = set()  # activations that a range does the work of, by what they give
        for node in self.computing:
            self._add(node)
        self._pass_on(proto.node)

    def is_computing(self, node: onnx.NodeProto) -> bool:
        return node.name in self._computing

    def inputs(self, node: onnx.NodeProto) -> list[str]:
        """What flows into a node, without its weights and settings."""
        return [name for name in node.input[: 1 if node.op_type in WEIGHTED else None] if name not in self.constants]

    def ends(self, node: onnx.NodeProto) -> list[str]:
        """The values that a computing node reads and makes, the last one behind its activation."""
        return [*self.inputs(node), self.landing(node)]

    def landing(self, node: onnx.NodeProto) -> str:
        """Where a node's numbers land: in its own output, or in that of the activation which alone reads them."""
        [made] = node.output
        if self._user_counts[made] == 1 and self._first_user[made].op_type in CUTTING:
            return str(self._first_user[made].output[0])
        return str(made)

    def weights(self, node: onnx.NodeProto) -> tuple[Array, Array, Array, Array]:
        """A node's kernel, output channels first; the same as integers, their steps, and its bias."""
        kernel_name, *bias_names = node.input[1:]
        kernel = np.moveaxis(self._array(kernel_name), WEIGHTED[node.op_type], 0)
        bias = self._array(bias_names[0]) if bias_names else np.zeros(len(kernel), np.float32)
        bias = bias + np.asarray(self.quantisation.corrections.get(node.output[0], 0.0), np.float32)
        input_step = float(self.scales[node.input[0]].step)
        return kernel, *quantised_weights(kernel, bias, input_step, self.quantisation.bits), bias

    def channels(self, node: onnx.NodeProto) -> int:
        """How many channels a node with weights reads."""
        return int(self.constants[node.input[1]].dims[1 - WEIGHTED[node.op_type]]) * _groups(node)

    def stays_real(self, node: onnx.NodeProto) -> bool:
        """Whether a node's result is better left a float: scores go into a softmax, features to whoever asked."""
        [made] = node.output
        users = self._user_counts[made]
        return node.op_type == "Gemm" and users == 1 and self._first_user[made].op_type in ("Softmax", "Identity")

    def _can_compute(self, node: onnx.NodeProto) -> bool:
        layer = node.name.partition("/")[0]
        if node.op_type not in COMPUTING or layer in self.quantisation.in_float:
            return False
        if node.op_type == "Conv" and layer == self._last:
            return False  # a part of a network can end between a convolution and its batch norm; the ranges are of both
        if node.op_type in WEIGHTED:
            return all(name in self.constants for name in node.input[1:]) and self._has_ranges(node)
        return not any(name in self.constants for name in node.input) and self._has_ranges(node)

    def _has_ranges(self, node: onnx.NodeProto) -> bool:
        needed = self.inputs(node) if self.stays_real(node) else self.ends(node)
        return all(name in self.quantisation.ranges for name in needed)

    def _add(self, node: onnx.NodeProto) -> None:
        landing = self.landing(node)
        if landing != node.output[0]:
            self.absorbed.add(landing)
        for name in self.inputs(node) if self.stays_real(node) else self.ends(node):
            self.scales[name] = scale_of(*self._range(name))

    def _range(self, name: str) -> Range:
        """A value's range; never past the ends of the activation that makes it, of which it may do the work."""
        low, high = self.quantisation.ranges[name]
        maker = self._maker.get(name)
        if maker is None or maker.op_type not in CUTTING:
            return low, high
        highest = float(self._array(maker.input[2])) if maker.op_type == "Clip" else high
        return max(low, 0.0), max(min(high, highest), 0.0)

    def _array(self, name: str) -> Array:
        return numpy_helper.to_array(self.constants[name])

    def _pass_on(self, nodes: Iterable[onnx.NodeProto]) -> None:
        """What only moves numbers gives them with the scale that it got them with."""
        for node in nodes:
            if node.op_type in PASSING and node.input[0] in self.scales:
                self.scales[node.output[0]] = self.scales[node.input[0]]


class _Rewriter:
    """Collects the nodes of the int8 model."""

    def __init__(self, plan: _Plan):
        self._plan = plan
        self._out = translation.Writer({})
        self._dequantised: set[str] = set()  # values that come out of integers
        self._rounded: set[str] = set()  # values that have their integers

    @property
    def nodes(self) -> list[onnx.NodeProto]:
        return self._out.nodes

    def constants(self) -> Iterator[onnx.TensorProto]:
        """Those that nodes still read."""
        used = {name for node in self.nodes for name in node.input}
        every = self._plan.constants | self._out.constants
        return (tensor for name, tensor in every.items() if name in used)

    def put(self, node: onnx.NodeProto) -> None:
        [made] = node.output
        if made in self._plan.absorbed:
            return
        if self._plan.is_computing(node):
            self._put_computing(node)
        elif node.op_type in PASSING and node.input[0] in self._plan.scales:
            self._keep(node, [self._in_integers(node.input[0]), *node.input[1:]])
            self._round(made, made)
            self._dequantised.add(made)
        else:
            self._keep(node, [self._in_floats(node, name) for name in node.input])

    def _put_computing(self, node: onnx.NodeProto) -> None:
        inputs = [self._in_integers(name) for name in self._plan.inputs(node)]
        self._keep(node, [*inputs, *self._weights(node)] if node.op_type in WEIGHTED else inputs)
        if self._plan.stays_real(node):
            return
        landing = self._plan.landing(node)
        self._round(landing, node.output[0])
        self._dequantised.add(landing)

    def _keep(self, node: onnx.NodeProto, inputs: list[str]) -> None:
        kept = onnx.NodeProto()
        kept.CopyFrom(node)
        kept.input[:] = inputs
        self.nodes.append(kept)

    def _in_integers(self, name: str) -> str:
        """A value as it comes out of its integers."""
        if name not in self._rounded:
            self._round(name, name)
        return f"{name}/real"

    def _in_floats(self, node: onnx.NodeProto, name: str) -> str:
        """A value for a node that computes in float."""
        if name not in self._dequantised:
            return name
        return self._by_channel(node, name) if node.op_type in WEIGHTED else f"{name}/real"

    def _by_channel(self, node: onnx.NodeProto, name: str) -> str:
        """A value out of its integers, its scale told for each channel: where it is told but once, ONNX Runtime goes on
        to quantise the weights of the layer behind it, as it likes.
        """
        real = f"{name}/real_by_channel"
        if real not in self._rounded:
            scale, channels = self._plan.scales[name], self._plan.channels(node)
            ends = [np.full(channels, number) for number in scale]
            names = [
                self._out.constant(f"{real}/{key}", end) for key, end in zip(("steps", "zeros"), ends, strict=True)
            ]
            self._out.op("DequantizeLinear", [f"{name}/integers", *names], real, axis=1)
            self._rounded.add(real)
        return real

    def _round(self, name: str, source: str) -> None:
        scale = self._plan.scales[name]
        keys = ("step", "zero")
        ends = [self._out.constant(f"{name}/{key}", np.asarray(end)) for key, end in zip(keys, scale, strict=True)]
        integers = self._out.op("QuantizeLinear", [source, *ends], f"{name}/integers")
        self._out.op("DequantizeLinear", [integers, *ends], f"{name}/real")
        self._rounded.add(name)

    def _weights(self, node: onnx.NodeProto) -> list[str]:
        _, integers, steps, bias = self._plan.weights(node)
        input_step = self._plan.scales[node.input[0]].step
        axis = WEIGHTED[node.op_type]
        biases = quantised_bias(bias, float(input_step), steps)
        return [
            self._real_constant(node.input[1], np.moveaxis(integers, 0, axis), steps, axis),
            self._real_constant(f"{node.name}/bias", biases, input_step * steps, 0),
        ]

    def _real_constant(self, name: str, integers: Array, steps: Array, axis: int) -> str:
        """Integers that are stored, each channel with its scale."""
        zeros = np.zeros(len(steps), integers.dtype)
        inputs = [
            self._out.constant(f"{name}/integers", integers),
            self._out.constant(f"{name}/steps", steps),
            self._out.constant(f"{name}/zeros", zeros),
        ]
        return self._out.op("DequantizeLinear", inputs, f"{name}/real", axis=axis)


def _groups(node: onnx.NodeProto) -> int:
    return next((setting.i for setting in node.attribute if setting.name == "group"), 1)
