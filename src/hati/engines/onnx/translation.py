"""Graph -> ONNX model. Values that flow are ONNX value names.

The model takes and gives what the graph speaks, channels last; inside, maps are (batch, channels, height, width).
"""

from collections.abc import Mapping
from functools import singledispatch
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from ...network import layers
from ...network.graph import Graph, Layer, Node, weights_of
from ...network.layers import pair
from ...network.passes.affine import gain_and_shift
from ...tools.arrays import Array

OPSET, IR_VERSION = 17, 8  # read by every ONNX Runtime since 1.12 (May 2022)
BESIDE = ".weights"  # the suffix of the file that holds a model's weights
SMALLEST_BESIDE, ALIGNMENT = 1024, 4096  # bytes; files are mapped into memory by pages
IMAGE, OUTPUT = "image", "output"  # what a model takes and gives
OPERATORS = {
    "linear": "Identity",
    "relu": "Relu",
    "sigmoid": "Sigmoid",
    "softmax": "Softmax",
    "tanh": "Tanh",
    "hard_silu": "HardSwish",
}


class Writer:
    """Collects the ONNX nodes and constants of one graph; constants of some size go into a file, where one is given."""

    def __init__(self, weights: Mapping[str, Array], beside: BinaryIO | None = None):
        self.weights, self._beside = weights, beside
        self.nodes: list[onnx.NodeProto] = []
        self.constants: dict[str, onnx.TensorProto] = {}

    def op(self, kind: str, inputs: list[str], output: str, **settings: Any) -> str:
        name = value_name(output)
        self.nodes.append(helper.make_node(kind, inputs, [name], name, **settings))
        return name

    def constant(self, name: str, value: Array) -> str:
        value = np.asarray(value, order="C")
        if self._beside is not None and value.nbytes >= SMALLEST_BESIDE:
            self.constants[name] = _put_beside(self._beside, name, value)
        else:
            self.constants[name] = numpy_helper.from_array(value, name)
        return name

    def number(self, name: str, value: float) -> str:
        return self.constant(name, np.array(value, np.float32))

    def by_channel(self, node: Node, key: str, value: layers.PerChannel | Array) -> str:
        """One number for all channels, or one for each, so that it meets the channels of the node's map."""
        ones = (1,) * (len(node.shape) - 1)
        array = np.asarray(value, np.float32)
        return self.constant(f"{node.name}/{key}", array.reshape(-1, *ones) if array.ndim else array)

    def affine(self, node: Node, x: str, gain: Array, shift: Array) -> str:
        """x · gain + shift."""
        scaled = self.op("Mul", [x, self.by_channel(node, "gain", gain)], f"{node.name}/scaled")
        return self.op("Add", [scaled, self.by_channel(node, "shift", shift)], node.name)

    def weights_of(self, node: Node) -> dict[str, Array]:
        return weights_of(node, self.weights)

    def activation(self, function: layers.Function, x: str, output: str) -> str:
        match function:
            case "relu6":
                return self.clip(x, output, 6)
            case "silu":
                return self.op("Mul", [x, self.op("Sigmoid", [x], f"{output}/sigmoid")], output)
            case "gelu":
                return self.gelu(x, output)
        return self.op(OPERATORS[function], [x], output, **({"axis": 1} if function == "softmax" else {}))

    def gelu(self, x: str, output: str) -> str:
        """x · (1 + erf(x / √2)) / 2, in the order of operators that ONNX Runtime knows as one."""
        scaled = self.op("Div", [x, self.number(f"{output}/root", 2**0.5)], f"{output}/scaled")
        error = self.op("Erf", [scaled], f"{output}/erf")
        share = self.op("Add", [error, self.number(f"{output}/one", 1)], f"{output}/share")
        twice = self.op("Mul", [x, share], f"{output}/twice")
        return self.op("Mul", [twice, self.number(f"{output}/half", 0.5)], output)

    def clip(self, x: str, output: str, highest: float) -> str:
        bounds = [self.number(f"{output}/low", 0), self.number(f"{output}/high", highest)]
        return self.op("Clip", [x, *bounds], output)

    def activated(self, function: layers.Function, node: Node, kind: str, inputs: list[str], **settings: Any) -> str:
        """An operator and, where the layer has one, its activation behind it."""
        if function == "linear":
            return self.op(kind, inputs, node.name, **settings)
        return self.activation(function, self.op(kind, inputs, f"{node.name}/linear", **settings), node.name)

    def channels_last(self, node: Node, x: str, output: str) -> str:
        return self.op("Transpose", [x], output, perm=[0, 2, 3, 1]) if len(node.shape) == 3 else x

    def channels_first(self, x: str, output: str) -> str:
        return self.op("Transpose", [x], output, perm=[0, 3, 1, 2])

    def reshaped(self, node: Node, x: str) -> str:
        """The node's input in the node's shape, both read in the graph's order; a map of one pixel has but one."""
        before, shape = node.inputs[0], node.shape
        flat = x if before.shape[:2] == (1, 1) else self.channels_last(before, x, f"{node.name}/channels_last")
        is_map, is_pixel = len(shape) == 3, shape[:2] == (1, 1)
        sizes = np.array([-1, shape[-1], 1, 1] if is_map and is_pixel else [-1, *shape], np.int64)
        turned = is_map and not is_pixel
        inputs = [flat, self.constant(f"{node.name}/shape", sizes)]
        y = self.op("Reshape", inputs, f"{node.name}/last" if turned else node.name)
        return self.channels_first(y, node.name) if turned else y


def value_name(layer: str) -> str:
    """What the value that a layer gives is called: as the layer, unless an end of the model has that name."""
    return f"{layer}/value" if layer in (IMAGE, OUTPUT) else layer


def export(graph: Graph, weights: Mapping[str, Array]) -> onnx.ModelProto:
    """One ONNX model with its weights inside; it takes `image` and gives `output`."""
    out = Writer(weights)
    return _model(out, graph)


def write(graph: Graph, weights: Mapping[str, Array], path: Path) -> None:
    """The same model as a file, and beside it its weights, each written as soon as it is made: none is held."""
    with path.with_suffix(BESIDE).open("wb") as beside:
        model = _model(Writer(weights, beside), graph)
    path.write_bytes(model.SerializeToString())


def in_half_precision(model: onnx.ModelProto) -> onnx.ModelProto:
    """The same model computing in float16; it still takes and gives float32."""
    half = onnx.ModelProto()
    half.CopyFrom(model)
    for tensor in half.graph.initializer:
        if tensor.data_type == TensorProto.FLOAT:
            tensor.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(tensor).astype(np.float16), tensor.name))
    for node in half.graph.node:
        for names in (node.input, node.output):
            names[:] = [f"{name}/float16" if name in (IMAGE, OUTPUT) else name for name in names]
    into = helper.make_node("Cast", [IMAGE], [f"{IMAGE}/float16"], to=TensorProto.FLOAT16)
    out = helper.make_node("Cast", [f"{OUTPUT}/float16"], [OUTPUT], to=TensorProto.FLOAT)
    half.graph.node.insert(0, into)
    half.graph.node.append(out)
    return half


def _model(out: Writer, graph: Graph) -> onnx.ModelProto:
    last = graph.fold(lambda node, x: lower(node.layer, out, node, x))[graph.output.name]
    answer = out.channels_last(graph.output, last, f"{last}/answer")
    out.nodes.append(helper.make_node("Identity", [answer], [OUTPUT], OUTPUT))
    value = helper.make_tensor_value_info
    picture = value(IMAGE, TensorProto.FLOAT, ["batch", *_axes(graph.input, "input")])
    scores = value(OUTPUT, TensorProto.FLOAT, ["batch", *_axes(graph.output, "output")])
    proto = helper.make_graph(out.nodes, graph.name, [picture], [scores], list(out.constants.values()))
    return helper.make_model(proto, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)


def _put_beside(file: BinaryIO, name: str, value: Array) -> onnx.TensorProto:
    """A constant whose numbers lie in a file."""
    file.write(bytes(-file.tell() % ALIGNMENT))
    tensor = TensorProto(name=name, data_type=helper.np_dtype_to_tensor_dtype(value.dtype), dims=value.shape)
    tensor.data_location = TensorProto.EXTERNAL
    place = {"location": Path(file.name).name, "offset": str(file.tell()), "length": str(value.nbytes)}
    for key, text in place.items():
        tensor.external_data.add(key=key, value=text)
    file.write(value.data)
    return tensor


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
    return out.channels_first(IMAGE, node.name) if len(node.shape) == 3 else out.op("Identity", [IMAGE], node.name)


@lower.register
def _(layer: layers.ZeroPadding2D, out: Writer, node: Node, x: list[str]) -> str:
    ((top, bottom), (left, right)) = layer.padding
    pads = np.array([0, 0, top, left, 0, 0, bottom, right], np.int64)
    return out.op("Pad", [*x, out.constant(f"{node.name}/pads", pads)], node.name)


@lower.register
def _(layer: layers.Cropping2D, out: Writer, node: Node, x: list[str]) -> str:
    ((top, bottom), (left, right)) = layer.cropping
    far = np.iinfo(np.int64).max
    slices = {"starts": [top, left], "ends": [-bottom or far, -right or far], "axes": [2, 3]}
    return out.op(
        "Slice", [*x, *(out.constant(f"{node.name}/{key}", np.array(v)) for key, v in slices.items())], node.name
    )


@lower.register
def _(layer: layers.Conv2D, out: Writer, node: Node, x: list[str]) -> str:
    w = out.weights_of(node)
    inputs = [*x, out.constant(f"{node.name}/kernel", _pointing_out(w["kernel"])), *_bias(out, node, w)]
    settings = _sliding(node, layer.kernel_size, layer.strides, layer.padding)
    return out.activated(layer.activation, node, "Conv", inputs, group=layer.groups, **settings)


@lower.register
def _(layer: layers.DepthwiseConv2D, out: Writer, node: Node, x: list[str]) -> str:
    w = out.weights_of(node)
    inputs = [*x, out.constant(f"{node.name}/kernel", _one_by_one(w["kernel"])), *_bias(out, node, w)]
    settings = _sliding(node, layer.kernel_size, layer.strides, layer.padding)
    return out.op("Conv", inputs, node.name, group=w["kernel"].shape[2], **settings)


@lower.register
def _(layer: layers.SeparableConv2D, out: Writer, node: Node, x: list[str]) -> str:
    w = out.weights_of(node)
    settings = _sliding(node, layer.kernel_size, layer.strides, layer.padding)
    kernel = out.constant(f"{node.name}/depthwise_kernel", _one_by_one(w["depthwise_kernel"]))
    group = w["depthwise_kernel"].shape[2]
    between = out.op("Conv", [*x, kernel], f"{node.name}/depthwise", group=group, **settings)
    kernel = out.constant(f"{node.name}/pointwise_kernel", _pointing_out(w["pointwise_kernel"]))
    return out.op("Conv", [between, kernel, *_bias(out, node, w)], node.name)


def _pointing_out(kernel: Array) -> Array:
    """height×width×in×out -> out×in×height×width."""
    return kernel.transpose(3, 2, 0, 1)


def _one_by_one(kernel: Array) -> Array:
    """A depthwise kernel, height×width×in×multiplier -> in·multiplier×1×height×width."""
    height, width = kernel.shape[:2]
    return kernel.transpose(2, 3, 0, 1).reshape(-1, 1, height, width)


def _bias(out: Writer, node: Node, w: Mapping[str, Array]) -> list[str]:
    return [out.constant(f"{node.name}/bias", w["bias"])] if "bias" in w else []


@lower.register
def _(layer: layers.BatchNormalization, out: Writer, node: Node, x: list[str]) -> str:
    w = out.weights_of(node)
    ordered = {"gamma": np.ones_like(w["beta"])} | w
    inputs = [out.constant(f"{node.name}/{key}", ordered[key]) for key in ("gamma", "beta", *layer.running)]
    return out.op("BatchNormalization", [*x, *inputs], node.name, epsilon=layer.epsilon)


@lower.register
def _(layer: layers.LayerNormalization, out: Writer, node: Node, x: list[str]) -> str:
    w = out.weights_of(node)
    turned = out.channels_last(node.inputs[0], x[0], f"{node.name}/channels_last")
    inputs = [turned, *(out.constant(f"{node.name}/{key}", w[key]) for key in w)]
    is_map = len(node.shape) == 3
    y = out.op(
        "LayerNormalization", inputs, f"{node.name}/last" if is_map else node.name, axis=-1, epsilon=layer.epsilon
    )
    return out.channels_first(y, node.name) if is_map else y


@lower.register(layers.Normalization)
@lower.register(layers.Rescaling)
def _(layer: Layer, out: Writer, node: Node, x: list[str]) -> str:
    return out.affine(node, x[0], *gain_and_shift(layer, out.weights_of(node)))


@lower.register
def _(layer: layers.LayerScale, out: Writer, node: Node, x: list[str]) -> str:
    return out.op("Mul", [*x, out.by_channel(node, "gamma", out.weights_of(node)["gamma"])], node.name)


@lower.register
def _(layer: layers.Activation, out: Writer, node: Node, x: list[str]) -> str:
    return out.activation(layer.function, x[0], node.name)


@lower.register
def _(layer: layers.ReLU, out: Writer, node: Node, x: list[str]) -> str:
    return out.op("Relu", x, node.name) if layer.max_value is None else out.clip(x[0], node.name, layer.max_value)


@lower.register
def _(layer: layers.MaxPooling2D, out: Writer, node: Node, x: list[str]) -> str:
    settings = _sliding(node, layer.pool_size, layer.strides, layer.padding)
    if layer.padding == "valid":  # not `pads` of 0: up to 1.31, ONNX Runtime adds a Pad's zeros to them, as -infinity
        settings = {key: settings[key] for key in ("kernel_shape", "strides")} | {"auto_pad": "VALID"}
    return out.op("MaxPool", x, node.name, **settings)


@lower.register
def _(layer: layers.AveragePooling2D, out: Writer, node: Node, x: list[str]) -> str:
    return out.op("AveragePool", x, node.name, **_sliding(node, layer.pool_size, layer.strides, layer.padding))


@lower.register
def _(layer: layers.GlobalAveragePooling2D, out: Writer, node: Node, x: list[str]) -> str:
    if layer.keepdims:
        return out.op("GlobalAveragePool", x, node.name)
    return out.op("Flatten", [out.op("GlobalAveragePool", x, f"{node.name}/map")], node.name)


@lower.register
def _(layer: layers.GlobalMaxPooling2D, out: Writer, node: Node, x: list[str]) -> str:
    return out.op("ReduceMax", x, node.name, axes=[2, 3], keepdims=int(layer.keepdims))


@lower.register(layers.Flatten)
@lower.register(layers.Reshape)
def _(layer: Layer, out: Writer, node: Node, x: list[str]) -> str:
    return out.reshaped(node, x[0])


@lower.register
def _(layer: layers.Dropout, out: Writer, node: Node, x: list[str]) -> str:
    return x[0]


@lower.register
def _(layer: layers.Dense, out: Writer, node: Node, x: list[str]) -> str:
    w = out.weights_of(node)
    is_map = len(node.shape) == 3
    kernel = _pointing_out(w["kernel"][None, None]) if is_map else w["kernel"]
    inputs = [*x, out.constant(f"{node.name}/kernel", kernel), *_bias(out, node, w)]
    return out.activated(layer.activation, node, "Conv" if is_map else "Gemm", inputs)


@lower.register
def _(layer: layers.Add, out: Writer, node: Node, x: list[str]) -> str:
    if layer.scale != 1:
        by = out.number(f"{node.name}/scale", layer.scale)
        x = [*x[:-1], out.op("Mul", [x[-1], by], f"{node.name}/scaled")]
    for number, other in enumerate(x[1:-1]):
        x = [out.op("Add", [x[0], other], f"{node.name}/{number}"), *x[1:]]
    return out.op("Add", [x[0], x[-1]], node.name)


@lower.register
def _(layer: layers.Multiply, out: Writer, node: Node, x: list[str]) -> str:
    return out.op("Mul", x, node.name)


@lower.register
def _(layer: layers.Concatenate, out: Writer, node: Node, x: list[str]) -> str:
    return out.op("Concat", x, node.name, axis=1)
