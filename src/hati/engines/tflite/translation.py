"""Graph -> TFLite program. Values that flow are numbers of tensors; one picture at a time, channels last.

The graph is one that `passes.devices.for_devices` leaves: each of its layers is one operator here, or a few.
"""

from __future__ import annotations

from functools import singledispatch

import numpy as np

from ...errors import ArgumentError
from ...network import layers
from ...network.graph import Graph, Layer, Node, weights_of
from ...network.layers import known, pair
from ...network.passes import is_never_negative
from ..quantisation import Quantisation, Scale
from .file.program import Program, Tensor
from .file.schema import PADDINGS
from .integers import Plan, uniform, without_rule
from .writer import Arrays, Numbers, Writer

LOWEST = {"float32": np.float32(-3.4e38), "int8": np.int8(-128)}  # that padding before a maximum can have
GATE = Scale(np.float32(1 / 255), np.uint8(0))  # from 0 to 1
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
    check(graph, quantisation, numbers)
    plan = Plan(graph, quantisation, floats_come=numbers == "float32") if quantisation is not None else None
    out = Writer(graph, arrays, plan, numbers, half=half)

    def step(node: Node, x: list[int]) -> int:
        return lower(node.layer, out, node, [out.taken(*pair, node) for pair in zip(x, node.inputs, strict=True)])

    last = graph.fold(step)[graph.output.name]
    out.program.outputs = (out.answer(last, graph.output),)
    return out.program


def check(graph: Graph, quantisation: Quantisation | None, numbers: Numbers) -> None:
    """Raises ArgumentError that names every layer without a rule."""
    kept = set(quantisation.in_float) if quantisation else set()
    missing = [
        f"{node.name} ({node.layer.kind})"
        for node in graph.nodes
        if lower.dispatch(type(node.layer)) is lower.dispatch(Layer)
        or (quantisation and node.name not in kept and isinstance(node.layer, layers.LayerNormalization))
    ]
    missing += [f"{node.name} ({node.layer})" for node in graph.nodes if _pads_an_average(node)]
    if quantisation and numbers != "float32":
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


@singledispatch
def lower(layer: Layer, out: Writer, node: Node, x: list[int]) -> int:
    raise NotImplementedError(layer.kind)


@lower.register
def _(layer: layers.InputLayer, out: Writer, node: Node, x: list[int]) -> int:
    shape = (1, *known(node.shape))
    if not out.in_integers(node):
        out.program.inputs = (out.program.tensor(Tensor("image", shape, "float32")),)
        return out.program.inputs[0]
    assert out.plan is not None
    picture = out.integers("image", shape, out.plan.scales[node.name], out.numbers)
    out.program.inputs = (picture,)
    return picture if out.numbers == "int8" else out.program.operate("QUANTIZE", [picture], out.value(node))


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
    if out.in_integers(node) and layer.function in ("relu", "relu6"):
        return out.op("QUANTIZE", node, x)
    if out.in_integers(node) and layer.function == "hard_silu" and len(node.shape) == 3:
        return _gated(out, node, x[0])
    options = {"softmax": {"beta": 1.0}}.get(layer.function, {})
    return out.op(FUNCTIONS[layer.function], node, x, **options)


def _gated(out: Writer, node: Node, x: int) -> int:
    """x · (x / 6 + 1/2), of which integers that go from 0 to 1 cut off what is outside, as hard SiLU does.

    HARD_SWISH in integers is neither among Coral's operators nor among those that processors are quick at.
    """
    channels = known(node.shape)[-1]
    kernel, bias = np.full((1, 1, 1, channels), 1 / 6, np.float32), np.full(channels, 1 / 2, np.float32)
    gate = out.integers(f"{node.name}/gate", (1, *known(node.shape)), GATE)
    settings = {"padding": PADDINGS["VALID"], "stride_h": 1, "stride_w": 1, "depth_multiplier": 1}
    out.program.operate("DEPTHWISE_CONV_2D", [x, *out.weighted(node, kernel, 3, bias)], gate, **settings)
    return out.op("MUL", node, [x, gate])


@lower.register
def _(layer: layers.ReLU, out: Writer, node: Node, x: list[int]) -> int:
    """In integers the scale ends at the highest value."""
    if out.in_integers(node):
        return out.op("QUANTIZE", node, x)
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
