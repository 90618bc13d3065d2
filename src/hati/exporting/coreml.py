"""`--to coreml`: an .mlpackage for Apple's devices, by coremltools, from the program that `torch` writes.

Core ML runs on macOS alone, and nothing is exported that was not run: elsewhere `check` refuses. Networks of every
family were converted on Linux with coremltools 9.0; `opened` and `ALONE` were never run, for want of a Mac.
"""

from __future__ import annotations

import sys
from collections import Counter
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from ..engines.quantisation import Quantisation
from ..errors import ArgumentError
from ..network.passes import for_inference
from ..tools.arrays import Array
from ..tools.extras import brings
from . import halves
from .described import described
from .formats import Numbers, Order, Precision, Run

name = "coreml"
ending = ".mlpackage"
precisions: tuple[Precision, ...] = ("float32", "float16")
numbers: tuple[Numbers, ...] = ("float32",)
HERE = sys.platform == "darwin"
package = "coremltools" if HERE else "hati"  # elsewhere it is not the package that is missing
install = brings("coreml")
ALONE = """
import sys
import coremltools
import numpy
from PIL import Image
network = coremltools.models.MLModel(sys.argv[1], compute_units=coremltools.ComputeUnit.CPU_ONLY)
[picture] = network.get_spec().description.input
size, shape = picture.type.imageType, list(picture.type.multiArrayType.shape)
x = numpy.zeros(shape, numpy.float32) if shape else Image.new("RGB", (size.width, size.height))
network.predict({"image": x})
"""


def check(order: Order) -> None:
    """Raises ArgumentError anywhere but on macOS with coremltools and PyTorch."""
    if not HERE:
        raise ArgumentError(
            f"this is {sys.platform}: Core ML runs on macOS alone, and no file is written that cannot be tried; "
            "export on a Mac, or take onnx or tflite, which Apple's devices run too"
        )
    if find_spec("torch") is None:
        raise ArgumentError(f"coreml needs the package torch as well: {install}")


def calibrated(order: Order, pixels: Array) -> Quantisation:
    raise ArgumentError(f"coreml cannot be written with precision 'int8'; it can be {', '.join(precisions)}")


def taken(order: Order) -> Numbers:
    return "float32"


def write(order: Order, path: Path) -> None:
    """Raises ArgumentError for weights that float16 cannot hold."""
    converted(order).save(str(path))


def converted(order: Order) -> Any:
    """coremltools' model: it takes one picture `image`, an image where it takes pixels, and gives `output`."""
    import coremltools

    from ..engines.torch.program import Whole, program

    graph, arrays, _ = order.network
    half = order.precision == "float16"
    whole = Whole(*for_inference(graph, arrays), half=False)
    for name, array in whole.weights() if half else ():
        halves.check(name, array)
    height, width = order.model.size
    picture = (
        coremltools.ImageType("image", (1, 3, height, width), color_layout=coremltools.colorlayout.RGB)
        if order.pixels
        else coremltools.TensorType("image", (1, height, width, 3), np.float32)
    )
    model = coremltools.convert(
        program(whole, channels_first=order.pixels, batch=1).run_decompositions({}),
        inputs=[picture],
        outputs=[coremltools.TensorType("output", dtype=np.float32)],
        convert_to="mlprogram",
        compute_precision=coremltools.precision.FLOAT16 if half else coremltools.precision.FLOAT32,
        minimum_deployment_target=coremltools.target.iOS16,
        skip_model_load=True,
    )
    model.user_defined_metadata.update(described(order))
    return model


def opened(path: Path, order: Order, threads: int) -> Run:
    """On the processor; Core ML does not let its threads be chosen."""
    import coremltools

    network = coremltools.models.MLModel(str(path), compute_units=coremltools.ComputeUnit.CPU_ONLY)

    def run(pixels: Array) -> Array:
        pictures = map(Image.fromarray, pixels) if order.pixels else (order.fed(one[None]) for one in pixels)
        return np.concatenate([network.predict({"image": picture})["output"] for picture in pictures])

    return run


def operators(path: Path) -> Counter[str]:
    import coremltools

    spec = coremltools.models.MLModel(str(path), skip_model_load=True).get_spec()
    blocks = (block for main in spec.mlProgram.functions.values() for block in main.block_specializations.values())
    return Counter(one.type for block in blocks for one in block.operations if one.type != "const")
