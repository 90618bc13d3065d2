"""Graph -> torch.nn.Module. Values that flow are tensors; weights keep the graph's names.

The module takes and gives what the graph speaks, channels last; inside, maps are (batch, channels, height, width) in
PyTorch's channels_last memory format, so that turning them costs nothing.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import singledispatch

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from ...network import layers
from ...network.graph import Graph, Layer, Node
from ...network.layers import pair
from ...tools.arrays import Array

Tensors = Mapping[str, Tensor]
Rule = Callable[[Layer, list[Tensor], Tensors, bool], Tensor]
Axes = tuple[int, ...]

# the graph's axes of each kind of kernel in PyTorch's order
DENSE, CONVOLUTION, DEPTHWISE = (1, 0), (3, 2, 0, 1), (2, 3, 0, 1)


@dataclass(frozen=True)
class Step:
    """One layer on a picture's way through the network."""

    node: Node
    rule: Rule
    tensors: dict[str, str]  # short names of its weights and constants, and the names that the module has for them
    finished: tuple[str, ...]  # values that no later layer asks for: their memory is free again


class Network(nn.Module):
    """A graph that PyTorch runs and trains. Its parameters are called as in the graph: `conv1_conv/kernel`.

    Layers behave as Keras' do, in training too; those that are frozen stay as they are in inference.
    """

    def __init__(self, graph: Graph, arrays: Mapping[str, Array]):
        super().__init__()
        self.graph, self.still = graph, frozenset[str]()
        for node in graph.nodes:
            for key in node.weights():
                self._keep(node, key, arrays[f"{node.name}/{key}"])
            for key, value in constants(node.layer).items():
                self.register_buffer(_own_name(node, key), torch.tensor(value, dtype=torch.float32), persistent=False)
        self._steps = _steps(graph)

    def forward(self, x: Tensor) -> Tensor:
        """x: (batch, height, width, channels) -> the graph's output."""
        values: dict[str, Tensor] = {}
        for step in self._steps:
            node = step.node
            inputs = [values[feed.name] for feed in node.inputs] or [x]
            w = {key: self._tensor(name) for key, name in step.tensors.items()}
            values[node.name] = step.rule(node.layer, inputs, w, self.training and node.name not in self.still)
            for name in step.finished:
                del values[name]
        return _channels_last(values[self.graph.output.name])

    def freeze(self, names: Iterable[str], still: Iterable[str] = ()) -> None:
        """Keep these layers, and no others, from being trained: weights and running statistics, nothing dropped.

        Those that are to be `still` learn their weights, and are otherwise as in inference.
        """
        frozen = frozenset(names)
        self.still = frozen | frozenset(still)
        for node in self.graph.nodes:
            for key in node.weights():
                if key not in node.layer.running:
                    self._tensor(_own_name(node, key)).requires_grad_(node.name not in frozen)

    def arrays(self) -> dict[str, Array]:
        """A copy of every weight by its name in the graph, laid as the graph lays it."""
        return {
            f"{node.name}/{key}": _from_torch(self._tensor(_own_name(node, key)), shape, _axes(node.layer, key))
            for node in self.graph.nodes
            for key, shape in node.weights().items()
        }

    def _keep(self, node: Node, key: str, array: Array) -> None:
        tensor = _to_torch(array, _axes(node.layer, key))
        if key in node.layer.running:
            self.register_buffer(_own_name(node, key), tensor)
        else:
            self.register_parameter(_own_name(node, key), nn.Parameter(tensor))

    def _tensor(self, name: str) -> Tensor:
        tensor = self._parameters[name] if name in self._parameters else self._buffers[name]
        assert tensor is not None
        return tensor


def _own_name(node: Node, key: str) -> str:
    """Without a dot, which PyTorch keeps for modules inside of modules; two layers never share one."""
    return f"{node.name}/{key}".replace("%", "%25").replace(".", "%2E")


def _steps(graph: Graph) -> tuple[Step, ...]:
    last_use = {x.name: node.name for node in graph.nodes for x in node.inputs}
    steps = []
    for node in graph.nodes:
        keys = [*node.weights(), *constants(node.layer)]
        finished = tuple(name for name in dict.fromkeys(x.name for x in node.inputs) if last_use[name] == node.name)
        steps.append(
            Step(node, apply.dispatch(type(node.layer)), {key: _own_name(node, key) for key in keys}, finished)
        )
    return tuple(steps)


def _axes(layer: Layer, key: str) -> Axes | None:
    """How a kernel is turned for PyTorch; None for weights that lie there as they do here."""
    if not key.endswith("kernel"):
        return None
    if isinstance(layer, layers.Dense):
        return DENSE
    return DEPTHWISE if isinstance(layer, layers.DepthwiseConv2D) or key == "depthwise_kernel" else CONVOLUTION


def _to_torch(array: Array, axes: Axes | None) -> Tensor:
    tensor = torch.tensor(array)
    if axes is None:
        return tensor
    tensor = tensor.permute(axes)
    if axes == DEPTHWISE:  # each channel and multiplier is an output, that sees one channel
        tensor = tensor.flatten(0, 1).unsqueeze(1)
    return tensor.contiguous(memory_format=torch.channels_last if tensor.ndim == 4 else torch.contiguous_format)


def _from_torch(tensor: Tensor, shape: tuple[int, ...], axes: Axes | None) -> Array:
    tensor = tensor.detach().cpu()
    if axes is not None:
        turned = tensor.reshape([shape[axis] for axis in axes])
        tensor = turned.permute([axes.index(axis) for axis in range(len(axes))])
    return np.array(tensor.numpy(), order="C")


@singledispatch
def constants(layer: Layer) -> dict[str, layers.PerChannel]:
    """Settings that are numbers for each channel; they lie where the weights lie."""
    return {}


@constants.register
def _(layer: layers.Rescaling) -> dict[str, layers.PerChannel]:
    return {"scale": layer.scale, "offset": layer.offset}


@constants.register
def _(layer: layers.Normalization) -> dict[str, layers.PerChannel]:
    return {key: value for key in ("mean", "variance") if (value := getattr(layer, key)) is not None}


@singledispatch
def apply(layer: Layer, x: list[Tensor], w: Tensors, training: bool) -> Tensor:
    raise NotImplementedError(layer.kind)


@apply.register
def _(layer: layers.InputLayer, x: list[Tensor], w: Tensors, training: bool) -> Tensor:
    return _channels_first(x[0])


@apply.register
def _(layer: layers.ZeroPadding2D, x: list[Tensor], w: Tensors, training: bool) -> Tensor:
    return _padded(x[0], layer.padding)


@apply.register
def _(layer: layers.Cropping2D, x: list[Tensor], w: Tensors, training: bool) -> Tensor:
    ((top, bottom), (left, right)) = layer.cropping
    height, width = x[0].shape[2:]
    return x[0][:, :, top : height - bottom, left : width - right]


@apply.register
def _(layer: layers.Conv2D, x: list[Tensor], w: Tensors, training: bool) -> Tensor:
    y = _convolved(x[0], w["kernel"], w.get("bias"), layer.strides, layer.padding, layer.groups)
    return FUNCTIONS[layer.activation](y)


@apply.register
def _(layer: layers.DepthwiseConv2D, x: list[Tensor], w: Tensors, training: bool) -> Tensor:
    return _convolved(x[0], w["kernel"], w.get("bias"), layer.strides, layer.padding, groups=x[0].shape[1])


@apply.register
def _(layer: layers.SeparableConv2D, x: list[Tensor], w: Tensors, training: bool) -> Tensor:
    between = _convolved(x[0], w["depthwise_kernel"], None, layer.strides, layer.padding, groups=x[0].shape[1])
    return functional.conv2d(between, w["pointwise_kernel"], w.get("bias"))


@apply.register
def _(layer: layers.BatchNormalization, x: list[Tensor], w: Tensors, training: bool) -> Tensor:
    """In training by the batch's own statistics, which go into the running ones; the variance as Keras counts it."""
    mean, variance = (w[key].clone() if training else w[key] for key in layer.running)
    scale, shift, new = w.get("gamma"), w["beta"], 1 - layer.momentum
    y = functional.batch_norm(x[0], mean, variance, scale, shift, training, momentum=new, eps=layer.epsilon)
    if training:
        count = x[0].numel() // len(mean)
        biased = variance - (variance - layer.momentum * w["moving_variance"]) / count  # PyTorch divides by count - 1
        w["moving_mean"].copy_(mean)
        w["moving_variance"].copy_(biased)
    return y


@apply.register
def _(layer: layers.LayerNormalization, x: list[Tensor], w: Tensors, training: bool) -> Tensor:
    last = _channels_last(x[0])
    y = functional.layer_norm(last, last.shape[-1:], w["gamma"], w["beta"], layer.epsilon)
    return _channels_first(y)


@apply.register
def _(layer: layers.Rescaling, x: list[Tensor], w: Tensors, training: bool) -> Tensor:
    return x[0] * _by_channel(w["scale"], x[0]) + _by_channel(w["offset"], x[0])


@apply.register
def _(layer: layers.Normalization, x: list[Tensor], w: Tensors, training: bool) -> Tensor:
    deviation = w["variance"].sqrt().clamp(min=layers.SMALLEST_DEVIATION)
    return (x[0] - _by_channel(w["mean"], x[0])) / _by_channel(deviation, x[0])


@apply.register
def _(layer: layers.LayerScale, x: list[Tensor], w: Tensors, training: bool) -> Tensor:
    return x[0] * _by_channel(w["gamma"], x[0])


@apply.register
def _(layer: layers.Activation, x: list[Tensor], w: Tensors, training: bool) -> Tensor:
    return FUNCTIONS[layer.function](x[0])


@apply.register
def _(layer: layers.ReLU, x: list[Tensor], w: Tensors, training: bool) -> Tensor:
    if layer.max_value is None:
        return functional.relu(x[0])
    return functional.hardtanh(
        x[0], 0.0, float(layer.max_value)
    )  # as clamp, with one kernel for the gradient and not five


@apply.register
def _(layer: layers.MaxPooling2D, x: list[Tensor], w: Tensors, training: bool) -> Tensor:
    padded, pads = _ready(x[0], layer.pool_size, layer.strides, layer.padding, fill=-torch.inf)
    return functional.max_pool2d(padded, layer.pool_size, layer.strides, pads)


@apply.register
def _(layer: layers.AveragePooling2D, x: list[Tensor], w: Tensors, training: bool) -> Tensor:
    padded, pads = _ready(x[0], layer.pool_size, layer.strides, layer.padding)

    def mean(x: Tensor) -> Tensor:
        return functional.avg_pool2d(x, layer.pool_size, layer.strides, pads, count_include_pad=False)

    if padded is x[0]:
        return mean(padded)
    inside, _ = _ready(x[0].new_ones(1, 1, *x[0].shape[2:]), layer.pool_size, layer.strides, layer.padding)
    return mean(padded) / mean(inside)


@apply.register
def _(layer: layers.GlobalAveragePooling2D, x: list[Tensor], w: Tensors, training: bool) -> Tensor:
    return x[0].mean((2, 3), keepdim=layer.keepdims)


@apply.register
def _(layer: layers.GlobalMaxPooling2D, x: list[Tensor], w: Tensors, training: bool) -> Tensor:
    return x[0].amax((2, 3), keepdim=layer.keepdims)


@apply.register
def _(layer: layers.Flatten, x: list[Tensor], w: Tensors, training: bool) -> Tensor:
    return _channels_last(x[0]).flatten(1)


@apply.register
def _(layer: layers.Reshape, x: list[Tensor], w: Tensors, training: bool) -> Tensor:
    return _channels_first(_channels_last(x[0]).reshape(-1, *layer.target))


@apply.register
def _(layer: layers.Dropout, x: list[Tensor], w: Tensors, training: bool) -> Tensor:
    if not (training and layer.whole):
        return functional.dropout(x[0], layer.rate, training)
    return x[0] * functional.dropout(x[0].new_ones(len(x[0]), *[1] * (x[0].ndim - 1)), layer.rate)


@apply.register
def _(layer: layers.Dense, x: list[Tensor], w: Tensors, training: bool) -> Tensor:
    y = functional.linear(_channels_last(x[0]), w["kernel"], w["bias"])
    return FUNCTIONS[layer.activation](_channels_first(y))


@apply.register
def _(layer: layers.Add, x: list[Tensor], w: Tensors, training: bool) -> Tensor:
    return torch.add(sum(x[1:-1], x[0]), x[-1], alpha=layer.scale)


@apply.register
def _(layer: layers.Multiply, x: list[Tensor], w: Tensors, training: bool) -> Tensor:
    return x[0] * x[1]


@apply.register
def _(layer: layers.Concatenate, x: list[Tensor], w: Tensors, training: bool) -> Tensor:
    return torch.cat(x, _channel_axis(x[0]))


FUNCTIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "linear": lambda x: x,
    "relu": functional.relu,
    "relu6": functional.relu6,
    "sigmoid": torch.sigmoid,
    "softmax": lambda x: x.softmax(_channel_axis(x)),
    "tanh": torch.tanh,
    "silu": functional.silu,
    "hard_silu": functional.hardswish,
    "gelu": functional.gelu,
}


def _channel_axis(x: Tensor) -> int:
    return 1 if x.ndim == 4 else -1


def _channels_last(x: Tensor) -> Tensor:
    return x.permute(0, 2, 3, 1) if x.ndim == 4 else x


def _channels_first(x: Tensor) -> Tensor:
    return x.permute(0, 3, 1, 2) if x.ndim == 4 else x


def _by_channel(w: Tensor, x: Tensor) -> Tensor:
    """One number for all channels, or one for each, so that it meets the channels of x."""
    return w.view(-1, 1, 1) if w.ndim and x.ndim == 4 else w


def _convolved(
    x: Tensor, kernel: Tensor, bias: Tensor | None, strides: layers.Pair, padding: layers.Padding, groups: int
) -> Tensor:
    padded, pads = _ready(x, (kernel.shape[2], kernel.shape[3]), strides, padding)
    return functional.conv2d(padded, kernel, bias, pair(strides), pads, groups=groups)


def _ready(
    x: Tensor, window: layers.Pair, strides: layers.Pair, padding: layers.Padding, fill: float = 0
) -> tuple[Tensor, tuple[int, int]]:
    """A map, and what PyTorch shall pad by itself: as much at both ends, at most half of the window.

    Any other padding is there already, such as the odd pixel at the end that TensorFlow's "same" makes.
    """
    _, channels, height, width = x.shape
    pads = layers.padding_pixels((height, width, channels), window, strides, padding)
    assert pads is not None, "a tensor has no open size"
    ((top, bottom), (left, right)), (tall, wide) = pads, pair(window)
    if top == bottom <= tall / 2 and left == right <= wide / 2:
        return x, (top, left)
    return _padded(x, pads, fill), (0, 0)


def _padded(x: Tensor, pads: layers.Pads, fill: float = 0) -> Tensor:
    ((top, bottom), (left, right)) = pads
    return functional.pad(x, (left, right, top, bottom), value=fill)
