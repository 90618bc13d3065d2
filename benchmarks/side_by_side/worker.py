"""A worker: one peer in its own Python, asked in JSON lines what to do, answering in JSON lines.

python -m side_by_side.worker side_by_side.peers.in_keras
"""

import gc
import json
import os
import sys
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

Reply = dict[str, Any]


class Worker:
    """What a peer has ready, each by the name of its way: a call without arguments."""

    def __init__(self, peer: ModuleType):
        self.peer = peer
        self.ready: dict[str, Callable[[], Any]] = {}

    def prepare(self, way: str, folder: str, **settings: Any) -> Reply:
        """Get one way ready, and its first answer."""
        start = time.perf_counter()
        call = self.peer.prepare(Path(folder), way, **settings)
        answer = call()
        self.ready[way] = call
        return {"seconds": time.perf_counter() - start, "answer": plain(answer)}

    def measure(self, way: str, seconds: float) -> Reply:
        """What each call takes, for so many seconds in all, but at least one call."""
        return {"taken": taken(self.ready[way], seconds)}

    def work(self, name: str, **settings: Any) -> Reply:
        """One of the peer's own works."""
        return {"found": self.peer.WORKS[name](**settings)}

    def forget(self) -> Reply:
        self.ready.clear()
        gc.collect()
        return {}


def taken(call: Callable[[], object], seconds: float) -> list[float]:
    found, end = [], time.perf_counter() + seconds
    while True:
        start = time.perf_counter()
        call()
        now = time.perf_counter()
        found.append(now - start)
        if now >= end:
            return found


def plain(answer: Any) -> list[Any]:
    """The scores of the first picture, or the names of a photo."""
    return answer[0].tolist() if hasattr(answer, "shape") else list(answer)


def answered(worker: Worker, request: Reply) -> Reply:
    try:
        return getattr(worker, request.pop("do"))(**request)
    except Exception as error:
        return {"failed": f"{type(error).__name__}: {error}".splitlines()[0]}


def main(module: str) -> None:
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what a library prints goes where its warnings go
    worker = Worker(import_module(module))
    for line in sys.stdin:
        print(json.dumps(answered(worker, json.loads(line))), file=out, flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
