"""PyTorch: hati's graph as its module, batch norm unfolded and channels last, eager and compiled."""

import json
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch

from hati.engines.torch.translation import Network
from hati.network import graph_json
from hati.weights import from_file

from . import THREADS, pictures, weights

torch.set_num_threads(THREADS)


def prepare(folder: Path, way: str, batch: int = 1) -> Callable[[], Any]:
    x, network = torch.from_numpy(pictures(folder, batch)), module(folder)
    if way == "compiled":
        torch._dynamo.reset()
        run = torch.compile(network)
    else:
        run = network

    def call() -> Any:
        with torch.inference_mode():
            return run(x).numpy()

    return call


@lru_cache(maxsize=1)
def module(folder: Path) -> torch.nn.Module:
    graph = graph_json.from_json(json.loads((folder / "graph.json").read_text()))
    return Network(graph, from_file(weights(folder), graph).arrays()).eval()
