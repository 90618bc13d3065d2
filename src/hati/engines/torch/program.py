"""Graph -> a program of PyTorch's own operators, that runs where nothing of hati is installed."""

from collections.abc import Iterator, Mapping

import torch
from torch import Tensor, nn
from torch.export import Dim, ExportedProgram, export

from ...network.graph import Graph
from ...network.layers import known
from ...tools.arrays import Array
from .running import without_softmax
from .translation import Network

EXAMPLES = 2  # pictures to follow through the network: one alone would make the batch a batch of one


class Whole(nn.Module):
    """A network with its own numbers inside and float32 outside, or uint8 where it takes pixels."""

    def __init__(self, graph: Graph, arrays: Mapping[str, Array], *, half: bool):
        super().__init__()
        logits = without_softmax(graph)
        self._softmax = logits is not graph
        self.kind = torch.float16 if half else torch.float32
        self.network = Network(logits, arrays).requires_grad_(False).eval()

    def forward(self, image: Tensor) -> Tensor:
        """image: (batch, height, width, channels) -> the graph's output, float32."""
        y = self.network(image.to(self.kind)).float()
        return y.softmax(-1) if self._softmax else y

    def weights(self) -> Iterator[tuple[str, Array]]:
        """Those that are computed with, by their names."""
        for name, tensor in (*self.network.named_parameters(), *self.network.named_buffers()):
            if not name.endswith("/count"):
                yield name, tensor.numpy()


class Turned(nn.Module):
    """The same for a picture whose channels come first."""

    def __init__(self, whole: Whole):
        super().__init__()
        self.whole = whole

    def forward(self, image: Tensor) -> Tensor:
        """image: (batch, channels, height, width)."""
        return self.whole(image.permute(0, 2, 3, 1))


def program(
    whole: Whole, *, pixels: bool = False, channels_first: bool = False, batch: int | None = None
) -> ExportedProgram:
    """For any number of pictures at once, or for `batch` of them; float32, or uint8 with `pixels`."""
    for tensor in (*whole.parameters(), *whole.buffers()):
        tensor.data = tensor.data.to(whole.kind).contiguous()  # an archive holds tensors as they lie
    height, width, channels = known(whole.network.graph.input.shape)
    shape = (channels, height, width) if channels_first else (height, width, channels)
    image = torch.zeros((batch or EXAMPLES, *shape), dtype=torch.uint8 if pixels else torch.float32)
    module = Turned(whole) if channels_first else whole
    with torch.no_grad():
        sizes = {} if batch else {0: Dim("batch")}
        found = export(module.eval(), (image,), dynamic_shapes={"image": sizes})
    found.example_inputs = None  # an archive would hold the pictures
    for node in found.graph.nodes:
        node.meta.pop("stack_trace", None)  # the folders of this machine
    return found
