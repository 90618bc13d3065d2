"""Collects the tensors and operators of one TFLite program, each value in floats or in integers as a plan says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np

from ...network import layers
from ...network.graph import Graph, Node, weights_of
from ...network.layers import known
from ...tools.arrays import Array
from ..quantisation import Scale
from .file.program import Program, Steps, Tensor
from .file.schema import ACTIVATIONS, PADDINGS
from .integers import HALF, Plan, landing

Arrays = Mapping[str, Array]
Numbers = Literal["float32", "int8", "uint8"]

LARGEST = 2**31 - 1  # of the integers that runtimes look for the 6 of a ReLU6 among


class Writer:
    """Collects the tensors and operators of one graph."""

    def __init__(self, graph: Graph, arrays: Arrays, plan: Plan | None, numbers: Numbers, *, half: bool):
        self.program = Program(graph.name)
        self.arrays, self.plan, self.numbers, self._half = arrays, plan, numbers, half
        self._landing = landing(graph)
        self._scales: dict[int, Scale] = {}  # of tensors
        self._turned: dict[tuple[int, Scale | None], int] = {}  # a tensor at another scale, or in floats
        self._constants: dict[bytes, int] = {}  # small ones, stored once

    def in_integers(self, node: Node) -> bool:
        return self.plan is not None and self.plan.in_integers(node)

    def is_absorbed(self, node: Node) -> bool:
        """Whether the operator before it does its work."""
        return self._landing.get(node.inputs[0].name) is node

    def op(self, kind: str, node: Node, inputs: list[int], **options: Any) -> int:
        """The operator that makes a node's value."""
        return self.program.operate(kind, inputs, self.value(self._landing.get(node.name, node)), **options)

    def fused(self, node: Node) -> dict[str, int]:
        """The option of an operator that does an activation's work as well."""
        behind = self._landing.get(node.name)
        function = behind.layer.function if behind and isinstance(behind.layer, layers.Activation) else "linear"
        if function == "relu6" and behind and self._ends_before_six(behind):
            function = "relu"
        return {"fused_activation_function": ACTIVATIONS[function]}

    def _ends_before_six(self, node: Node) -> bool:
        """Whether a value's integers are so fine that 6 is none that a runtime can count to; the last one clips it."""
        return (
            self.plan is not None and self.in_integers(node) and 6 / float(self.plan.scales[node.name].step) > LARGEST
        )

    def value(self, node: Node, suffix: str = "", shape: tuple[int, ...] | None = None) -> int:
        """A tensor for what a node gives, or for something on the way to it."""
        sizes = (1, *known(node.shape)) if shape is None else shape
        if not self.in_integers(node):
            return self.program.tensor(Tensor(node.name + suffix, sizes, "float32"))
        assert self.plan is not None
        return self.integers(node.name + suffix, sizes, self.plan.scales[node.name])

    def integers(self, name: str, shape: tuple[int, ...], scale: Scale, numbers: Numbers = "int8") -> int:
        zero = int(scale.zero_point) - (HALF if numbers == "int8" else 0)
        number = self.program.tensor(Tensor(name, shape, numbers, Steps(np.asarray(scale.step), zero)))
        self._scales[number] = scale
        return number

    def taken(self, x: int, source: Node, node: Node) -> int:
        """A node's input in the form that the node computes in."""
        tensor = self.program.tensors[x]
        if self.in_integers(node) == (tensor.numbers != "float32"):
            return x
        if not self.in_integers(node):
            return self._in_floats(x)
        assert self.plan is not None
        return self.at_scale(x, self.plan.scales[source.name])

    def at_scale(self, x: int, scale: Scale) -> int:
        """A value as integers of this scale."""
        if self._scales.get(x) == scale:
            return x
        if (x, scale) not in self._turned:
            tensor = self.program.tensors[x]
            y = self.integers(f"{tensor.name}/int8", tensor.shape, scale)
            self._turned[x, scale] = self.program.operate("QUANTIZE", [x], y)
        return self._turned[x, scale]

    def _in_floats(self, x: int) -> int:
        if (x, None) not in self._turned:
            tensor = self.program.tensors[x]
            y = self.program.tensor(Tensor(f"{tensor.name}/float32", tensor.shape, "float32"))
            self._turned[x, None] = self.program.operate("DEQUANTIZE", [x], y)
        return self._turned[x, None]

    def answer(self, last: int, node: Node) -> int:
        """The last node's value, in the numbers that the file gives."""
        tensor = self.program.tensors[last]
        if tensor.numbers == self.numbers:
            return last
        if self.plan is None or self.numbers == "float32":
            return self._in_floats(last)
        y = self.integers("output", tensor.shape, self.plan.scales[node.name], self.numbers)
        return self.program.operate("QUANTIZE", [last], y)

    def setting(self, name: str, value: Any) -> int:
        """Whole numbers that an operator reads, such as axes or sizes; the same ones are stored once."""
        data = np.asarray(value, np.int32)
        key = data.tobytes() + repr(data.shape).encode()
        if key not in self._constants:
            self._constants[key] = self.program.constant(name, data)
        return self._constants[key]

    def real(self, name: str, data: Array) -> int:
        """Stored floats, in half precision where the file is."""
        data = np.asarray(data, np.float32)
        if not self._half:
            return self.program.constant(name, data)
        return self._in_floats(self.program.constant(name, data.astype(np.float16)))

    def number(self, name: str, value: float) -> int:
        return self.program.constant(name, np.array([value], np.float32))

    def weighted(self, node: Node, kernel: Array, axis: int, bias: Array | None = None) -> list[int]:
        """A node's kernel and bias, its own where none is given, stored; `axis` is that of the output channels."""
        if bias is None:
            bias = weights_of(node, self.arrays).get("bias", np.zeros(kernel.shape[axis], np.float32))
        names = f"{node.name}/kernel", f"{node.name}/bias"
        if not self.in_integers(node):
            return [self.real(names[0], kernel), self.real(names[1], bias)]
        assert self.plan is not None
        found = self.plan.constants(node, np.moveaxis(kernel, axis, 0), bias)
        step = self.plan.scales[node.inputs[0].name].step
        by_channel = len(found.steps) > 1
        sizes = found.steps if by_channel else found.steps[0]
        stored = np.moveaxis(found.kernel, 0, axis)
        return [
            self.program.constant(names[0], stored, Steps(sizes, axis=axis if by_channel else 0)),
            self.program.constant(names[1], found.bias, Steps(np.float32(step) * sizes)),
        ]

    def padded(
        self, node: Node, x: int, window: layers.Pair, strides: layers.Pair, fill: Any = None
    ) -> tuple[int, int]:
        """A window's input, and its padding option: what neither "same" nor "valid" means is an operator before it."""
        shape, padding = node.inputs[0].shape, node.layer.padding  # type: ignore[attr-defined]
        pads = layers.padding_pixels(shape, window, strides, padding)
        if pads == ((0, 0), (0, 0)):
            return x, PADDINGS["VALID"]
        if pads == layers.padding_pixels(shape, window, strides, "same"):
            return x, PADDINGS["SAME"]
        assert pads is not None, "for_devices knows every size"
        return self.pad(node, x, pads, f"{node.name}/pad", fill), PADDINGS["VALID"]

    def pad(self, node: Node, x: int, pads: layers.Pads, name: str, fill: Any = None) -> int:
        """A map with an edge, of zeros or of what `fill` gives."""
        before = self.program.tensors[x]
        _, height, width, channels = before.shape
        shape = (1, height + sum(pads[0]), width + sum(pads[1]), channels)
        sizes = self.setting(f"{name}/sizes", [(0, 0), *pads, (0, 0)])
        if before.steps is None:
            y = self.program.tensor(Tensor(name, shape, "float32"))
        else:
            y = self.integers(name, shape, self._scales[x])
        if fill is None:
            return self.program.operate("PAD", [x, sizes], y)
        value = self.program.constant(f"{name}/value", np.asarray([fill[before.numbers]]), before.steps)
        return self.program.operate("PADV2", [x, sizes, value], y)
