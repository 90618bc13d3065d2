"""`--to torch`: a program of PyTorch's operators in one .pt2 archive, which `torch.export.load` reads without hati.

What `described` says is in the archive's extra files. float16 computes in float16, its softmax in float32: for GPUs, as
most processors take many times as long with it.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np

from ..engines.quantisation import Quantisation
from ..errors import ArgumentError
from ..network.passes import for_inference
from ..tools.arrays import Array
from ..tools.extras import brings
from . import halves
from .described import described
from .formats import Numbers, Order, Precision, Run

name = "torch"
ending = ".pt2"
precisions: tuple[Precision, ...] = ("float32", "float16")
numbers: tuple[Numbers, ...] = ("float32",)
package, install = "torch", brings("torch")
ALONE = """
import sys
import torch
torch.set_num_threads(1)
program = torch.export.load(sys.argv[1])
[name] = program.graph_signature.user_inputs
[picture] = [node.meta["val"] for node in program.graph.nodes if node.name == name]
program.module()(torch.zeros((1, *picture.shape[1:]), dtype=picture.dtype))
"""


def check(order: Order) -> None:
    """Every layer has a rule here."""


def calibrated(order: Order, pixels: Array) -> Quantisation:
    raise ArgumentError(f"torch cannot be written with precision 'int8'; it can be {', '.join(precisions)}")


def taken(order: Order) -> Numbers:
    return "uint8" if order.pixels else "float32"


def write(order: Order, path: Path) -> None:
    """Raises ArgumentError for weights that float16 cannot hold."""
    import torch

    from ..engines.torch.program import Whole, program

    graph, arrays, _ = order.network
    half = order.precision == "float16"
    whole = Whole(*for_inference(graph, arrays), half=half)
    for name, array in whole.weights() if half else ():
        halves.check(name, array)
    torch.export.save(program(whole, pixels=order.pixels), path, extra_files=described(order))


def opened(path: Path, order: Order, threads: int) -> Run:
    """Its threads are the process' own: they are as many as asked for while it runs, and then what they were."""
    import torch

    network = torch.export.load(path).module()

    def run(pixels: Array) -> Array:
        x = torch.from_numpy(np.array(pixels) if order.pixels else order.fed(pixels))
        before = torch.get_num_threads()
        torch.set_num_threads(threads)
        try:
            with torch.inference_mode():
                return np.asarray(network(x))
        finally:
            torch.set_num_threads(before)

    return run


def operators(path: Path) -> Counter[str]:
    import torch

    nodes = torch.export.load(path).graph.nodes
    return Counter(str(node.target) for node in nodes if node.op == "call_function")
