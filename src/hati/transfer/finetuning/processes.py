"""Several processes that learn together, as PyTorch's own launcher starts them: `torchrun --nproc-per-node 2 …`."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TypeVar

import torch
from torch import Tensor, distributed, nn
from torch.nn.parallel import DistributedDataParallel

from .batches import ALONE, Share

T = TypeVar("T")


@contextmanager
def together(device: torch.device) -> Iterator[Share]:
    """This process' place among those that the launcher started; alone where it started none."""
    if int(os.environ.get("WORLD_SIZE", 1)) == 1 or "RANK" not in os.environ:
        yield ALONE
        return
    ours = not distributed.is_initialized()
    if device.type == "cuda":
        torch.cuda.set_device(device)
    if ours:
        distributed.init_process_group("nccl" if device.type == "cuda" else "gloo")
    try:
        yield Share(distributed.get_rank(), distributed.get_world_size())
    finally:
        if ours:
            distributed.destroy_process_group()


def own_device(name: str) -> str:
    """Of several GPUs, the one that the launcher means for this process."""
    return f"cuda:{os.environ['LOCAL_RANK']}" if name == "cuda" and "LOCAL_RANK" in os.environ else name


def with_others(network: nn.Module, share: Share, device: torch.device) -> nn.Module:
    """The network, its gradients the mean over all processes."""
    if share.processes == 1:
        return network
    return DistributedDataParallel(network, device_ids=[device] if device.type == "cuda" else None)


def without_sync(module: nn.Module, last: bool) -> AbstractContextManager[None]:
    """Gradients are sent to the others once for each step, with its last batch."""
    return module.no_sync() if isinstance(module, DistributedDataParallel) and not last else nullcontext()


def broadcast(thing: T, share: Share) -> T:
    """What the first process has, for all of them: one that computed it anew may be off by its last bits."""
    if share.processes == 1:
        return thing
    things = [thing]
    distributed.broadcast_object_list(things, src=0)
    return things[0]


def summed(numbers: Tensor, share: Share) -> Tensor:
    """Over all processes."""
    if share.processes > 1:
        distributed.all_reduce(numbers)
    return numbers
