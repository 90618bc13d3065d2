"""Many things worked on at once, the results in order."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")

AHEAD = 2  # pieces of work that wait for each worker


def batches(things: Iterable[T], size: int) -> Iterator[list[T]]:
    waiting = iter(things)
    while batch := list(islice(waiting, size)):
        yield batch


def in_order(work: Callable[[T], R], things: Iterable[T], workers: int) -> Iterator[R]:
    """What `work` makes of each thing, done by several threads; only a few things are taken ahead.

    What `work` raises is raised here, in its turn; what waits is then dropped.
    """
    running: deque[Future[R]] = deque()
    with ThreadPoolExecutor(workers, "hati") as pool:
        try:
            for thing in things:
                running.append(pool.submit(work, thing))
                while running and (running[0].done() or len(running) > AHEAD * workers):
                    yield running.popleft().result()
            while running:
                yield running.popleft().result()
        finally:
            for future in running:
                future.cancel()
