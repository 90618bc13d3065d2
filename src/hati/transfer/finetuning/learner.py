"""A network that learns: its weights, the optimiser's memory of them, and a running mean where one is asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from math import cos, pi

import torch
from torch import Tensor

from ...engines.torch.translation import Network
from ...errors import ArgumentError
from ...network.graph import Graph
from ...network.taught import HEAD, body_of
from ...tools.arrays import Array
from .batches import Batch, PlainBatches, Share
from .checkpoints import State, copied
from .losses import Loss
from .processes import summed, with_others, without_sync
from .recipe import Recipe
from .unfreezing import frozen, in_inference

MOMENTUM = 0.9  # of descent


class Learner:
    """A graph that ends in logits, on its device. Raises ArgumentError for mixed precision on the processor."""

    def __init__(
        self, graph: Graph, arrays: Mapping[str, Array], recipe: Recipe, device: torch.device, share: Share, loss: Loss
    ):
        self.recipe, self.device, self.share, self.loss = recipe, device, share, loss.to(device)
        self.network = Network(graph, arrays).to(device)
        self.network.freeze(frozen(body_of(graph), recipe.unfreeze), in_inference(graph, recipe))
        self.answering = self.network  # what validation asks, and what is the result
        if recipe.average:
            self.answering = Network(graph, arrays).to(device).requires_grad_(False).eval()
        self.module = with_others(self.network, share, device)
        self.optimiser = _optimiser(self.network, recipe)
        self._kind = _mixed_dtype(recipe, device)
        self._scaler = torch.amp.GradScaler(device.type, enabled=self._kind is torch.float16)

    def step(self, batches: tuple[Batch, ...], photos: int, rate_factor: float) -> float:
        """One change of the weights, by the mean loss over so many photos of all processes; this process' part of it.

        `rate_factor` is the share of their highest value that the rates have now.
        """
        for group in self.optimiser.param_groups:
            group["lr"] = rate_factor * group["highest"]
        self.module.train()
        self.optimiser.zero_grad()
        total = sum(self._learn(batch, photos, last=batch is batches[-1]) for batch in batches)
        self._scaler.step(self.optimiser)
        self._scaler.update()
        if self.answering is not self.network:
            self._follow()
        return total

    def judge(self, plain: PlainBatches) -> tuple[float, float]:
        """The mean loss over photos that are not learnt from, and the part of them that is told rightly."""
        exact, sums = self.loss.exact(), torch.zeros(2, dtype=torch.float64, device=self.device)
        for batch in plain.batches(self.share):
            logits, targets = self._answer(batch), self._moved(batch.targets)
            sums += torch.stack([exact(logits, targets).sum(), exact.right(logits, targets).sum()])
        loss, right = (summed(sums, self.share) / len(plain)).tolist()
        return loss, right

    @property
    def sound(self) -> bool:
        """Whether all weights are numbers."""
        return all(bool(tensor.isfinite().all()) for _, tensor in _changing(self.network, self.network))

    def learnt_weights(self) -> dict[str, Tensor]:
        """What has changed of the network that answers."""
        return copied(_changing(self.network, self.answering))

    def take_weights(self, learnt: Mapping[str, Tensor]) -> None:
        _fill(self.answering, learnt)

    def state(self) -> State:
        """All that a later step depends on."""
        return {
            "network": copied(_changing(self.network, self.network)),
            "answering": self.learnt_weights(),
            "optimiser": self.optimiser.state_dict(),
            "scaler": self._scaler.state_dict(),
        }

    def restore(self, state: State) -> None:
        _fill(self.network, state["network"])
        _fill(self.answering, state["answering"])
        self.optimiser.load_state_dict(state["optimiser"])
        self._scaler.load_state_dict(state["scaler"])

    def _learn(self, batch: Batch, photos: int, *, last: bool) -> float:
        with without_sync(self.module, last):
            with self._precision():
                logits = self.module(self._moved(batch.x))
            loss = self.loss(logits.float(), self._moved(batch.targets)).sum() / photos
            torch.autograd.backward(self._scaler.scale(loss * self.share.processes))  # others' gradients are averaged
        return loss.item()

    def _answer(self, batch: Batch) -> Tensor:
        self.answering.eval()
        with torch.inference_mode(), self._precision():
            return self.answering(self._moved(batch.x)).float()

    def _follow(self) -> None:
        """The running mean, after Polyak and Juditsky 1992."""
        with torch.no_grad():
            pairs = zip(_changing(self.network, self.answering), _changing(self.network, self.network), strict=True)
            for (_, mean), (_, new) in pairs:
                mean.lerp_(new, 1 - self.recipe.average)

    def _precision(self) -> AbstractContextManager[object]:
        return torch.autocast(self.device.type, self._kind) if self._kind else nullcontext()

    def _moved(self, x: Array) -> Tensor:
        return torch.from_numpy(x).to(self.device)


def rate_factor(step: int, steps: int, warm_up: float) -> float:
    """The share of its highest value that a rate has: a rise, then half a cosine; Loshchilov and Hutter 2017."""
    rise = round(warm_up * steps)
    if step < rise:
        return (step + 1) / (rise + 1)
    return 0.5 * (1 + cos(pi * (step - rise) / (steps - rise)))


def _optimiser(network: Network, recipe: Recipe) -> torch.optim.Optimizer:
    """Four groups: body and head have rates of their own, and only kernels decay."""
    groups: dict[tuple[bool, bool], list[Tensor]] = {}
    for name, w in network.named_parameters():
        if w.requires_grad:
            groups.setdefault((name.partition("/")[0] in HEAD, w.ndim > 1), []).append(w)
    described = [
        {
            "params": weights,
            "highest": recipe.head_rate if in_head else recipe.rate,
            "weight_decay": recipe.weight_decay if decays else 0.0,
        }
        for (in_head, decays), weights in groups.items()
    ]
    if recipe.optimiser == "sgd":
        return torch.optim.SGD(described, lr=recipe.rate, momentum=MOMENTUM, nesterov=True)
    return torch.optim.AdamW(described, lr=recipe.rate)


def _mixed_dtype(recipe: Recipe, device: torch.device) -> torch.dtype | None:
    """bfloat16, which has float32's range, where the GPU knows it."""
    if recipe.precision == "float32":
        return None
    if device.type != "cuda":
        raise ArgumentError('precision="mixed" is for a GPU; on the processor it gains nothing, take "float32"')
    return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16


def _changing(network: Network, of: Network) -> Iterator[tuple[str, Tensor]]:
    """The tensors of a network that training changes: weights that learn in the first one, running statistics."""
    learning = {name for name, w in network.named_parameters() if w.requires_grad}
    still = {name for name, _ in network.named_parameters()} - learning
    return ((name, tensor) for name, tensor in of.state_dict().items() if name not in still)


def _fill(network: Network, tensors: Mapping[str, Tensor]) -> None:
    own = network.state_dict()
    with torch.no_grad():
        for name, tensor in tensors.items():
            own[name].copy_(tensor)
