"""Graph -> TFLite program. Values that flow are numbers of tensors; one picture at a time, channels last.

The graph is one that `passes.devices.for_devices` leaves: each of its layers is one operator here, or a few.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import singledispatch
from typing import Any, Literal

import numpy as np

from .. import layers
from ..errors import ArgumentError
from ..graph import Graph, Layer, Node, weights_of
from ..layers import known, pair
from ..passes import is_never_negative
from ..quantisation import Quantisation, Scale
from ..tflite.program import Program, Steps, Tensor
from ..tflite.schema import ACTIVATIONS, PADDINGS
from .to_tflite_int8 import HALF, Plan, landing, uniform, without_rule

Array = np.ndarray
Arrays = Mapping[str, Array]
Numbers = Literal["float32", "int8", "uint8"]

LOWEST = {"float32": np.float32(-3.4e38), "int8": np.int8(-128)}  # that padding before a maximum can have
FUNCTIONS = {
    "relu": "RELU",
    "relu6": "RELU6",
    "sigmoid": "LOGISTIC",
    "softmax": "SOFTMAX",
    "tanh": "TANH",
    "hard_silu": "HARD_SWISH",
    "gelu": "GELU",
}
PLACES = [1, 2]  # the axes of a map's height and width


class Writer:
    """Collects the tensors and operators of one graph."""

    def __init__(self, graph: Graph, arrays: Arrays, plan: Plan | None, numbers: Numbers, *, half: bool):
        self.program = Program(graph.name)
        self.arrays, self.plan, self.numbers, self._half = arrays, plan, numbers, half
        self._landing = landing(graph)
        self._scales: dict[int, Scale] = {}  # of tensors
        self._turned: dict[tuple[int, str], int] = {}  # a tensor's other form
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
        return {"fused_activation_function": ACTIVATIONS[function]}

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
            return self._other(x, "float32", "DEQUANTIZE")
        assert self.plan is not None
        return self.at_scale(x, self.plan.scales[source.name])

    def at_scale(self, x: int, scale: Scale) -> int:
        """A value as integers of this scale."""
        if self._scales.get(x) == scale:
            return x
        key = (x, repr(scale))
        if key not in self._turned:
            tensor = self.program.tensors[x]
            y = self.integers(f"{tensor.name}/int8", tensor.shape, scale)
            self._turned[key] = self.program.operate("QUANTIZE", [x], y)
        return self._turned[key]

    def _other(self, x: int, numbers: str, kind: str) -> int:
        if (x, numbers) not in self._turned:
            tensor = self.program.tensors[x]
            y = self.program.tensor(Tensor(f"{tensor.name}/{numbers}", tensor.shape, numbers))
            self._turned[x, numbers] = self.program.operate(kind, [x], y)
        return self._turned[x, numbers]

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
        return self._other(self.program.constant(name, data.astype(np.float16)), "float32", "DEQUANTIZE")

    def number(self, name: str, value: float) -> int:
        return self.program.constant(name, np.array([value], np.float32))

    def weighted(self, node: Node, kernel: Array, axis: int, bias: Array | None = None) -> list[int]:
        """A node's kernel and bias, stored; `axis` is that of the kernel's output channels."""
        bias = weights_of(node, self.arrays).get("bias") if bias is None else bias
        channels = kernel.shape[axis]
        bias = np.zeros(channels, np.float32) if bias is None else np.asarray(bias, np.float32)
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


def export(
    graph: Graph,
    arrays: Arrays,
    *,
    quantisation: Quantisation | None = None,
    numbers: Numbers = "float32",
    half: bool = False,
) -> Program:
    """One program, its weights inside: float32, with `half` stored in float16, with a quantisation in int8.

    graph, arrays: as `passes.devices.for_devices` leaves them. `numbers` are those that go in and come out.

    Raises ArgumentError for layers without a rule, all of them at once.
    """
    check(graph, quantisation)
    plan = Plan(graph, quantisation) if quantisation is not None else None
    out = Writer(graph, arrays, plan, numbers, half=half)

    def step(node: Node, x: list[int]) -> int:
        return lower(node.layer, out, node, [out.taken(*pair, node) for pair in zip(x, node.inputs, strict=True)])

    last = graph.fold(step)[graph.output.name]
    out.program.outputs = (_answer(out, last),)
    return out.program


def check(graph: Graph, quantisation: Quantisation | None) -> None:
    """Raises ArgumentError that names every layer without a rule."""
    kept = set(quantisation.in_float) if quantisation else set()
    missing = [
        f"{node.name} ({node.layer.kind})"
        for node in graph.nodes
        if lower.dispatch(type(node.layer)) is lower.dispatch(Layer)
        or (quantisation and node.name not in kept and isinstance(node.layer, layers.LayerNormalization))
    ]
    missing += [f"{node.name} ({node.layer})" for node in graph.nodes if _pads_an_average(node)]
    if quantisation:
        missing += [f"{node.name} ({node.layer})" for node in without_rule(graph, quantisation.ranges)]
    if missing:
        precision = "int8" if quantisation else "float32"
        raise ArgumentError(
            f"{graph.name} has {len(missing)} layers without a rule for TFLite in {precision}: {', '.join(missing)}"
        )


def _pads_an_average(node: Node) -> bool:
    """By so many pixels that TFLite would count them."""
    layer = node.layer
    if not isinstance(layer, layers.AveragePooling2D):
        return False
    own = (node.inputs[0].shape, layer.pool_size, layer.strides)
    pads = layers.padding_pixels(*own, layer.padding)
    return pads not in (((0, 0), (0, 0)), layers.padding_pixels(*own, "same"))


def _answer(out: Writer, last: int) -> int:
    """The value that a file gives, in the numbers that were asked for."""
    tensor = out.program.tensors[last]
    if tensor.numbers == out.numbers:
        return last
    if out.numbers == "float32":
        y = out.program.tensor(Tensor("output", tensor.shape, "float32"))
        return out.program.operate("DEQUANTIZE", [last], y)
    y = out.integers("output", tensor.shape, out._scales[last], out.numbers)
    return out.program.operate("QUANTIZE", [last], y)


@singledispatch
def lower(layer: Layer, out: Writer, node: Node, x: list[int]) -> int:
    raise NotImplementedError(layer.kind)


@lower.register
def _(layer: layers.InputLayer, out: Writer, node: Node, x: list[int]) -> int:
    if out.numbers == "float32" or not out.in_integers(node):
        picture = out.program.tensor(Tensor("image", (1, *known(node.shape)), "float32"))
    else:
        assert out.plan is not None
        picture = out.integers("image", (1, *known(node.shape)), out.plan.scales[node.name], out.numbers)
    out.program.inputs = (picture,)
    if not out.in_integers(node) or out.numbers == "int8":
        return picture
    return out.program.operate("QUANTIZE", [picture], out.value(node))


@lower.register
def _(layer: layers.ZeroPadding2D, out: Writer, node: Node, x: list[int]) -> int:
    return out.pad(node, x[0], layer.padding, node.name)


@lower.register
def _(layer: layers.Cropping2D, out: Writer, node: Node, x: list[int]) -> int:
    ((top, _), (left, _)) = layer.cropping
    height, width, channels = known(node.shape)
    corners = {"begin": [0, top, left, 0], "end": [1, top + height, left + width, channels], "strides": [1] * 4}
    return out.op(
        "STRIDED_SLICE", node, [*x, *(out.setting(f"{node.name}/{key}", corner) for key, corner in corners.items())]
    )


@lower.register
def _(layer: layers.Conv2D, out: Writer, node: Node, x: list[int]) -> int:
    down, right = pair(layer.strides)
    picture, padding = out.padded(node, x[0], layer.kernel_size, layer.strides)
    kernel = weights_of(node, out.arrays)["kernel"].transpose(3, 0, 1, 2)
    inputs = [picture, *out.weighted(node, kernel, 0)]
    return out.op("CONV_2D", node, inputs, padding=padding, stride_h=down, stride_w=right, **out.fused(node))


@lower.register
def _(layer: layers.DepthwiseConv2D, out: Writer, node: Node, x: list[int]) -> int:
    down, right = pair(layer.strides)
    picture, padding = out.padded(node, x[0], layer.kernel_size, layer.strides)
    kernel = weights_of(node, out.arrays)["kernel"]
    inputs = [picture, *out.weighted(node, kernel.reshape(1, *kernel.shape[:2], -1), 3)]
    settings = {"padding": padding, "stride_h": down, "stride_w": right, "depth_multiplier": layer.depth_multiplier}
    return out.op("DEPTHWISE_CONV_2D", node, inputs, **settings, **out.fused(node))


@lower.register
def _(layer: layers.Dense, out: Writer, node: Node, x: list[int]) -> int:
    inputs = [*x, *out.weighted(node, weights_of(node, out.arrays)["kernel"].T, 0)]
    return out.op("FULLY_CONNECTED", node, inputs, keep_num_dims=len(node.shape) > 1, **out.fused(node))


@lower.register
def _(layer: layers.Rescaling, out: Writer, node: Node, x: list[int]) -> int:
    """In integers the same ones stand for other numbers already; `Plan` says how."""
    if out.in_integers(node):
        return x[0]
    scale, offset = uniform(layer)
    y = out.value(node, "/scaled")
    out.program.operate("MUL", [*x, out.number(f"{node.name}/scale", scale)], y)
    return out.op("ADD", node, [y, out.number(f"{node.name}/offset", offset)])


@lower.register
def _(layer: layers.LayerNormalization, out: Writer, node: Node, x: list[int]) -> int:
    w = weights_of(node, out.arrays)
    axis, one = out.setting(f"{node.name}/axis", [-1]), (1, *known(node.shape)[:-1], 1)
    mean, variance, moved, rate, scaled = (
        out.value(node, f"/{name}", shape)
        for name, shape in (("mean", one), ("variance", one), ("moved", one), ("rate", one), ("scaled", None))
    )
    far, near = out.value(node, "/squares"), out.value(node, "/centred")
    operate = out.program.operate
    operate("MEAN", [*x, axis], mean, keep_dims=True)
    operate("SQUARED_DIFFERENCE", [*x, mean], far)
    operate("MEAN", [far, axis], variance, keep_dims=True)
    operate("ADD", [variance, out.number(f"{node.name}/epsilon", layer.epsilon)], moved)
    operate("RSQRT", [moved], rate)
    operate("SUB", [*x, mean], near)
    operate("MUL", [near, rate], scaled)
    stretched = out.value(node, "/stretched")
    operate("MUL", [scaled, out.real(f"{node.name}/gamma", w["gamma"])], stretched)
    return out.op("ADD", node, [stretched, out.real(f"{node.name}/beta", w["beta"])])


@lower.register
def _(layer: layers.Activation, out: Writer, node: Node, x: list[int]) -> int:
    if layer.function == "linear" or out.is_absorbed(node):
        return x[0]
    options = {"softmax": {"beta": 1.0}}.get(layer.function, {})
    return out.op(FUNCTIONS[layer.function], node, x, **options)


@lower.register
def _(layer: layers.ReLU, out: Writer, node: Node, x: list[int]) -> int:
    """In integers the scale ends at the highest value."""
    if out.in_integers(node):
        return out.op("RELU", node, x)
    above = out.program.operate("RELU", x, out.value(node, "/relu"))
    return out.op("MINIMUM", node, [above, out.number(f"{node.name}/most", layer.max_value or 0.0)])


@lower.register
def _(layer: layers.MaxPooling2D, out: Writer, node: Node, x: list[int]) -> int:
    fill = None if is_never_negative(node.inputs[0].layer) else LOWEST
    return _pooled("MAX_POOL_2D", layer, out, node, *out.padded(node, x[0], layer.pool_size, layer.strides, fill))


@lower.register
def _(layer: layers.AveragePooling2D, out: Writer, node: Node, x: list[int]) -> int:
    return _pooled("AVERAGE_POOL_2D", layer, out, node, *out.padded(node, x[0], layer.pool_size, layer.strides))


def _pooled(kind: str, layer: layers.Pooling2D, out: Writer, node: Node, x: int, padding: int) -> int:
    ((tall, wide), (down, right)) = pair(layer.pool_size), pair(layer.strides)
    sizes = {"filter_height": tall, "filter_width": wide, "stride_h": down, "stride_w": right}
    return out.op(kind, node, [x], padding=padding, **sizes)


@lower.register
def _(layer: layers.GlobalAveragePooling2D, out: Writer, node: Node, x: list[int]) -> int:
    axes = out.setting(f"{node.name}/axes", PLACES)
    return out.op("MEAN", node, [*x, axes], keep_dims=layer.keepdims)


@lower.register
def _(layer: layers.GlobalMaxPooling2D, out: Writer, node: Node, x: list[int]) -> int:
    axes = out.setting(f"{node.name}/axes", PLACES)
    return out.op("REDUCE_MAX", node, [*x, axes], keep_dims=layer.keepdims)


@lower.register(layers.Flatten)
@lower.register(layers.Reshape)
def _(layer: Layer, out: Writer, node: Node, x: list[int]) -> int:
    shape = [1, *known(node.shape)]
    return out.op("RESHAPE", node, [*x, out.setting(f"{node.name}/shape", shape)], new_shape=shape)


@lower.register
def _(layer: layers.Add, out: Writer, node: Node, x: list[int]) -> int:
    return out.op("ADD", node, x, **out.fused(node))


@lower.register
def _(layer: layers.Multiply, out: Writer, node: Node, x: list[int]) -> int:
    return out.op("MUL", node, x, **out.fused(node))


@lower.register
def _(layer: layers.Concatenate, out: Writer, node: Node, x: list[int]) -> int:
    """In integers all its inputs have its own scale."""
    if out.in_integers(node):
        assert out.plan is not None
        x = [out.at_scale(one, out.plan.scales[node.name]) for one in x]
    return out.op("CONCATENATION", node, x, axis=len(node.shape))
