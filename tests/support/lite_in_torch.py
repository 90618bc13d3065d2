"""EfficientNet-Lite written down once more, in PyTorch's functions, from the names in its weights file."""

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812

from hati.catalog import find
from hati.weights.bringing import store

STAGE_STRIDES = (1, 2, 2, 2, 1, 2, 1)  # Table 1 of the EfficientNet paper


def scores(number: int, x: np.ndarray) -> np.ndarray:
    """x: (n, height, width, 3) normalised -> (n, 1000) softmax."""
    path = store.path_of(find(f"EfficientNetLite{number}").top_file)
    assert path is not None
    w = torch.load(path, weights_only=True)
    strides = _strides(w)
    with torch.no_grad():
        y = _conv_bn(torch.from_numpy(x).permute(0, 3, 1, 2).float(), w, "_conv_stem", "_bn0", stride=2).clamp(0, 6)
        for block, stride in enumerate(strides):
            y = _block(y, w, f"_blocks.{block}.", stride)
        y = _conv_bn(y, w, "_conv_head", "_bn1").clamp(0, 6).mean((2, 3))
        return np.asarray(F.linear(y, w["_fc.weight"], w["_fc.bias"]).softmax(1))


def _strides(w: dict[str, torch.Tensor]) -> list[int]:
    """A stage begins where kernel or channels change; its first block has the stage's stride."""
    shapes: list[tuple[int, int]] = []
    while (name := f"_blocks.{len(shapes)}.") + "_depthwise_conv.weight" in w:
        shapes.append((w[name + "_depthwise_conv.weight"].shape[2], w[name + "_project_conv.weight"].shape[0]))
    stages = list(dict.fromkeys(shapes))
    return [
        STAGE_STRIDES[stages.index(shape)] if shape not in shapes[:place] else 1 for place, shape in enumerate(shapes)
    ]


def _block(x: torch.Tensor, w: dict[str, torch.Tensor], name: str, stride: int) -> torch.Tensor:
    y = x
    if name + "_expand_conv.weight" in w:
        y = _conv_bn(y, w, name + "_expand_conv", name + "_bn0").clamp(0, 6)
    y = _conv_bn(y, w, name + "_depthwise_conv", name + "_bn1", stride, groups=y.shape[1]).clamp(0, 6)
    y = _conv_bn(y, w, name + "_project_conv", name + "_bn2")
    return x + y if x.shape == y.shape else y


def _conv_bn(
    x: torch.Tensor, w: dict[str, torch.Tensor], conv: str, bn: str, stride: int = 1, groups: int = 1
) -> torch.Tensor:
    kernel = w[conv + ".weight"]
    pads = []
    for size, window in zip(reversed(x.shape[2:]), reversed(kernel.shape[2:]), strict=True):
        total = max((-(-size // stride) - 1) * stride + window - size, 0)
        pads += [total // 2, total - total // 2]
    y = F.conv2d(F.pad(x, pads), kernel, stride=stride, groups=groups)
    mean, variance, gamma, beta = (w[f"{bn}.{part}"] for part in ("running_mean", "running_var", "weight", "bias"))
    return F.batch_norm(y, mean, variance, gamma, beta, training=False, eps=1e-3)
