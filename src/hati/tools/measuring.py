"""Times measured side by side on this machine, and between what shares a true one lies."""

import math
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

Work = Callable[[], object]

Z = statistics.NormalDist().inv_cdf(0.975)  # 95 % of a normal distribution lies within as many deviations


@dataclass(frozen=True)
class Spread:
    """Seconds that some work took: the median of all calls and the quartiles around it."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, seconds: list[float]) -> "Spread":
        several = seconds if len(seconds) > 1 else 2 * seconds
        low, median, high = statistics.quantiles(several, n=4, method="inclusive")
        return cls(median, low, high)


def side_by_side(works: Mapping[str, Work], *, seconds: float = 2.0, rounds: int = 5) -> dict[str, Spread]:
    """What each work takes, in turns (A B A B), so that what slows the machine for a while slows them all.

    Each gets about `seconds` in all, spread over the rounds, after two calls that are not counted.
    """
    taken: dict[str, list[float]] = {name: [] for name in works}
    for work in works.values():
        work()
        work()
    for _ in range(rounds):
        for name, work in works.items():
            end = time.perf_counter() + seconds / rounds
            while True:
                start = time.perf_counter()
                work()
                now = time.perf_counter()
                taken[name].append(now - start)
                if now >= end:
                    break
    return {name: Spread.of(times) for name, times in taken.items()}


def likely_share(hits: int, total: int) -> tuple[float, float]:
    """Between what shares the true one lies, 95 times of 100, where so many of a total were hit (Wilson, 1927)."""
    share = hits / total
    middle = share + Z**2 / (2 * total)
    reach = Z * math.sqrt(share * (1 - share) / total + (Z / (2 * total)) ** 2)
    low, high = ((middle + way * reach) / (1 + Z**2 / total) for way in (-1, 1))
    return max(low, 0.0), min(high, 1.0)
