"""ONNX: one file for ONNX Runtime, and for whatever else reads the format.

It takes `image` and gives `output`; its metadata is what `described` says.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..engines.quantisation import Quantisation
from ..errors import ArgumentError
from ..int8 import calibration
from ..network.graph import Graph
from ..network.passes import Arrays, for_inference
from ..tools.arrays import Array
from . import halves
from .described import described
from .formats import Numbers, Order, Precision, Run

if TYPE_CHECKING:
    import onnx

name = "onnx"
ending = ".onnx"
precisions: tuple[Precision, ...] = ("float32", "float16", "int8")
numbers: tuple[Numbers, ...] = ("float32",)
package = "onnx"
install = "pip install ."
ALONE = """
import sys
import numpy
import onnxruntime
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = 1
network = onnxruntime.InferenceSession(sys.argv[1], options, providers=["CPUExecutionProvider"])
[picture] = network.get_inputs()
kind = {"tensor(float)": numpy.float32, "tensor(uint8)": numpy.uint8}[picture.type]
network.run(None, {picture.name: numpy.zeros((1, *picture.shape[1:]), kind)})
"""

LARGEST = 2**31 - 2**20  # bytes of weights: what protobuf, in which the format is written, leaves for them
AT_ONCE = 2  # pictures that are calibrated on: every value of the network is in memory for them
PIXELS = "image/pixels"  # the input where it is uint8, as numbers that can be computed with


def check(order: Order) -> None:
    """Raises ArgumentError for an opset that network, onnx or ONNX Runtime does not have, or for 2 GiB of weights."""
    check_size(order)
    graph, _ = _ready(order)
    if unknown := set(order.keep) - {node.name for node in graph.nodes if node.weights()}:
        raise ArgumentError(f"{graph.name} has no layer {', '.join(sorted(unknown))} that could stay in float")
    if order.opset is not None:
        _check_opset(graph, order.opset, integers=order.precision == "int8")


def check_size(order: Order) -> None:
    graph = order.model.graph
    size = 4 * sum(prod(shape) for shape in graph.weights().values())
    if size > LARGEST:
        raise ArgumentError(
            f"{graph.name} has {size / 2**30:.1f} GiB of weights in float32; an ONNX file holds less than 2 GiB: "
            "take another format, or a smaller model"
        )


def calibrated(order: Order, pixels: Array) -> Quantisation:
    """pixels: (photos, height, width, 3) uint8. Weights get seven bits, which no processor saturates with."""
    from ..engines.onnx.integers import export_int8
    from ..engines.onnx.running import OnnxSession
    from ..engines.onnx.translation import export

    graph, arrays = _ready(order)

    def batches() -> Iterator[Array]:
        return (order.fed(pixels[start : start + AT_ONCE]) for start in range(0, len(pixels), AT_ONCE))

    def scores(model: onnx.ModelProto) -> Array:
        session = OnnxSession(model.SerializeToString())
        return np.concatenate([session(batch) for batch in batches()])

    learnt = scores(export(graph, arrays))

    def in_integers(one: Quantisation) -> Array:
        return scores(export_int8(graph, arrays, one.keeping(*order.keep)))

    return calibration.calibrated(graph, arrays, batches(), learnt, in_integers)


def taken(order: Order) -> Numbers:
    return "uint8" if order.pixels else "float32"


def write(order: Order, path: Path) -> None:
    """Raises ArgumentError for weights that float16 cannot hold."""
    import onnx

    model = built(order)
    onnx.checker.check_model(model, full_check=True)
    path.write_bytes(model.SerializeToString())


def built(order: Order, precision: Precision | None = None) -> onnx.ModelProto:
    """The model, ready to be written; in another precision than was ordered, for those who go on from there."""
    from onnx import helper

    from ..engines.onnx import opsets

    model = _in_precision(order, precision or order.precision)
    if order.pixels:
        _take_pixels(model)
    if order.opset is not None:
        opsets.at_opset(model, order.opset)
    helper.set_model_props(model, described(order))
    model.producer_name = "hati"
    return model


def opened(path: Path, order: Order, threads: int) -> Run:
    from ..engines.onnx.running import OnnxSession

    session = OnnxSession(path, threads=threads)
    return lambda pixels: session(np.ascontiguousarray(pixels) if order.pixels else order.fed(pixels))


def operators(path: Path) -> Counter[str]:
    import onnx

    return Counter(node.op_type for node in onnx.load(path).graph.node)


def _ready(order: Order) -> tuple[Graph, Arrays]:
    graph, arrays, _ = order.network
    return for_inference(graph, arrays)


def _in_precision(order: Order, precision: Precision) -> onnx.ModelProto:
    from onnx import numpy_helper

    from ..engines.onnx import integers, translation

    graph, arrays = _ready(order)
    if precision == "int8":
        if order.quantisation is None:
            raise ArgumentError(f"{graph.name}: int8 needs to be calibrated; give photos to calibrate on")
        return integers.export_int8(graph, arrays, order.quantisation.keeping(*order.keep))
    model = translation.export(graph, arrays)
    if precision == "float32":
        return model
    for tensor in model.graph.initializer:
        halves.check(tensor.name, numpy_helper.to_array(tensor))
    return translation.in_half_precision(model)


def _take_pixels(model: onnx.ModelProto) -> None:
    """The input becomes uint8; what read it reads its numbers instead."""
    from onnx import TensorProto, helper

    for node in model.graph.node:
        node.input[:] = [PIXELS if name == "image" else name for name in node.input]
    model.graph.node.insert(0, helper.make_node("Cast", ["image"], [PIXELS], PIXELS, to=TensorProto.FLOAT))
    model.graph.input[0].type.tensor_type.elem_type = TensorProto.UINT8


def _check_opset(graph: Graph, opset: int, *, integers: bool) -> None:
    import onnx

    from ..engines.onnx import opsets

    least, operator = opsets.lowest(graph, integers=integers)
    if opset < least:
        raise ArgumentError(f"opset is {opset}; {graph.name} can be written from {least} on, which {operator} needs")
    if opset > opsets.newest():
        raise ArgumentError(
            f"opset is {opset}; onnx {onnx.__version__}, which is installed, knows those up to {opsets.newest()}: "
            "take one of them, or a newer onnx"
        )
    _check_runs(opset)


def _check_runs(opset: int) -> None:
    """Whether ONNX Runtime reads models of an opset: what it does with the smallest of them."""
    import onnxruntime
    from onnx import TensorProto, helper

    from ..engines.onnx import opsets, translation
    from ..engines.onnx.running import OnnxSession

    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1]) for name in ("image", "output")]
    graph = helper.make_graph([helper.make_node("Identity", ["image"], ["output"])], "smallest", ends[:1], ends[1:])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", translation.OPSET)])
    try:
        OnnxSession(opsets.at_opset(model, opset).SerializeToString())
    except Exception:
        raise ArgumentError(
            f"opset is {opset}; ONNX Runtime {onnxruntime.__version__}, which is installed, does not run it: "
            "take a lower one, or a newer onnxruntime"
        ) from None
