"""PyTorch, where it is installed: a graph and its weights on a GPU, or on the processor, and run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib.util import find_spec
from traceback import clear_frames
from typing import TYPE_CHECKING

import numpy as np

from ...errors import ArgumentError
from ...network.graph import Graph, Layer
from ...network.layers import Activation, Conv2D, Dense
from ...network.passes import for_inference
from ...tools import quiet
from ...tools.arrays import Array
from ...tools.log import log
from ...weights import Weights
from .. import Precision

if TYPE_CHECKING:
    import torch


ON_THE_PROCESSOR = "can't allocate memory"  # how PyTorch says there what is an error of its own kind on a GPU


@dataclass(frozen=True)
class PyTorch:
    """The engine; with `half`, in float16."""

    device: str = "cuda"
    half: bool = False

    @property
    def precision(self) -> Precision:
        return "float16" if self.half else "float32"

    def shared(self) -> PyTorch:
        """The same: PyTorch's threads serve all callers."""
        return self

    def session(self, graph: Graph, weights: Weights) -> TorchSession:
        """A graph ready to run."""
        session = TorchSession(graph, weights.arrays(), self.device, half=self.half)
        weights.release()
        log.debug("%s: by PyTorch in %s on %s", graph.name, "float16" if self.half else "float32", session.device)
        return session

    def cached(self, graph: Graph, weights: Weights) -> TorchSession | None:
        """Nothing: it compiles nothing that could be kept."""
        return None


class TorchSession:
    """A graph in PyTorch, batch norm folded. Calls from several threads may overlap.

    `device` is "cuda", one of several GPUs such as "cuda:1", or "cpu". With `half` weights and maps are float16 and a
    softmax at the end is taken in float32; without, convolutions on a GPU use what PyTorch's own settings allow, which
    is TF32 unless `torch.backends` says otherwise.

    Raises ArgumentError where PyTorch or the device is missing, or the weights do not fit into its memory.
    """

    def __init__(self, graph: Graph, arrays: Mapping[str, Array], device: str = "cuda", *, half: bool = False):
        self.device = find_device(device)
        import torch

        from .translation import Network

        folded, arrays = for_inference(graph, arrays)
        logits = without_softmax(folded)
        self._softmax = logits is not folded
        self._kind = torch.float16 if half else torch.float32
        with room(f"the weights of {graph.name}", self.device, "free some, or take device='cpu'"):
            self._network = Network(logits, arrays).requires_grad_(False).eval().to(self.device, self._kind)

    def __call__(self, x: Array) -> Array:
        """x: (batch, height, width, channels) float32 -> the graph's output, float32.

        Raises ArgumentError where the batch does not fit into the device's memory.
        """
        pictures = f"a batch of {len(x)}, {'×'.join(map(str, x.shape[1:]))} each"
        with room(pictures, self.device, "take a smaller batch_size"):
            return np.asarray(self.compute(self.upload(x)).cpu())

    def upload(self, x: Array) -> torch.Tensor:
        """Pictures on the device, in the precision of the network."""
        import torch

        writable = x if x.flags.writeable else x.copy()  # PyTorch warns of others
        return torch.from_numpy(writable).to(self.device, self._kind)

    def compute(self, x: torch.Tensor) -> torch.Tensor:
        """The output for pictures that are on the device, there too and in float32."""
        import torch

        with torch.inference_mode():
            y = self._network(x).float()
            return y.softmax(-1) if self._softmax else y


def cuda_is_here() -> bool:
    """Whether PyTorch is installed and finds a GPU that it can use."""
    try:
        return find_spec("torch") is not None and _finds_cuda()
    except (ImportError, OSError):  # an installation that is broken
        return False


def _finds_cuda() -> bool:
    import torch

    with quiet.warnings():  # of a driver that is too old: then there is none
        return torch.cuda.is_available()


def find_device(name: str) -> torch.device:
    try:
        import torch
    except (ImportError, OSError) as error:
        raise ArgumentError(
            f"device={name!r}: PyTorch cannot be imported ({error}); install it, `pip install torch`,"
            " in the build for your GPU that pytorch.org names"
        ) from None
    try:
        device = torch.device(name)
    except RuntimeError:
        raise ArgumentError(f"device={name!r} is not known; it can be 'cuda', 'cuda:1', … or 'cpu'") from None
    if device.type not in ("cuda", "cpu"):
        raise ArgumentError(f"device={name!r} is not supported; it can be 'cuda', 'cuda:1', … or 'cpu'")
    if device.type == "cuda":
        _check_cuda(device)
    return device


def _check_cuda(device: torch.device) -> None:
    import torch

    if not _finds_cuda():
        built = torch.version.cuda or getattr(torch.version, "hip", None)
        why = "finds no GPU or no driver for one" if built else "is built without CUDA"
        raise ArgumentError(
            f"device='{device}': PyTorch {torch.__version__} {why}; "
            + ("see what `nvidia-smi` says" if built else "install the build for your GPU that pytorch.org names")
            + ", or take device='cpu'"
        )
    count = torch.cuda.device_count()
    if device.index is not None and device.index >= count:
        raise ArgumentError(f"device='{device}': the GPUs here are 'cuda:0' to 'cuda:{count - 1}'")


def without_softmax(graph: Graph) -> Graph:
    """The graph without a softmax at its very end; itself where it has none."""
    layer: Layer = graph.output.layer
    match layer:
        case Activation(function="softmax"):
            layer = replace(layer, function="linear")
        case Dense(activation="softmax") | Conv2D(activation="softmax"):
            layer = replace(layer, activation="linear")
        case _:
            return graph
    return Graph(replace(graph.output, layer=layer), graph.name)


@contextmanager
def room(what: str, device: torch.device, advice: str) -> Iterator[None]:
    """Raises ArgumentError where the device's memory does not suffice."""
    import torch

    try:
        yield
    except RuntimeError as error:
        if not (isinstance(error, torch.OutOfMemoryError) or ON_THE_PROCESSOR in str(error)):
            raise
        clear_frames(error.__traceback__)  # which hold the maps that did fit
        raise ArgumentError(f"{_memory(device)} does not suffice for {what}; {advice}") from None


def _memory(device: torch.device) -> str:
    """What memory a device has, in words."""
    import torch

    if device.type == "cpu":
        return "this machine's memory"
    free, total = (size / 2**30 for size in torch.cuda.mem_get_info(device))
    return f"{torch.cuda.get_device_name(device)}'s memory ({free:.1f} of {total:.1f} GiB free)"
