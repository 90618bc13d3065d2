"""Which engine computes on which device, in which precision."""

from typing import get_args

from ..errors import ArgumentError
from . import Device, Engine, Precision


def engine(device: Device = "cpu", precision: Precision = "float32") -> Engine:
    """ONNX Runtime on the processor; on a GPU, ONNX Runtime where its build for CUDA is installed, else PyTorch.

    Raises ArgumentError for a device that is not here, and for float16 on the processor, which gains nothing by it.
    """
    from .onnx import running as onnx

    if precision not in get_args(Precision):
        raise ArgumentError(f"precision is {precision!r}; it can be 'float32', 'float16' or 'int8'")
    if precision == "int8":
        found = "on the processor `hati.optimise` finds whether it pays"
        raise ArgumentError(f"precision is 'int8'; on a GPU it can be 'float32' or 'float16', {found}")
    half = precision == "float16"
    match device:
        case "cpu" if half:
            raise ArgumentError("float16 is for a GPU: take device='cuda', or precision='int8' on the processor")
        case "cpu":
            return onnx.OnnxRuntime()
        case "cuda" if onnx.has_device("cuda"):
            return onnx.OnnxRuntime(device="cuda", half=half)
        case "cuda":
            from .torch import running as torch

            torch.find_device("cuda")
            return torch.PyTorch("cuda", half)
    raise ArgumentError(f"device is {device!r}; it can be {' or '.join(map(repr, get_args(Device)))}")
