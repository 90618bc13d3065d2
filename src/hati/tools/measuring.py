"""Times measured side by side on this machine, and what to think of them."""

import math
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

Work = Callable[[], object]

Z = statistics.NormalDist().inv_cdf(0.975)  # 95 % of a normal distribution lies within as many deviations

MOST_WAITING = 0.15  # of the time: 0.11 at most in 103 figures that no process was before; 0.24 and more beside one
MOST_APART = 0.5  # quartiles, as a part of the median: at most 0.31 in 100 of those figures
OLD = timedelta(days=30)


@dataclass(frozen=True)
class Spread:
    """Seconds that some work took: the median of all calls and the quartiles around it."""

    median: float
    low: float
    high: float
    waited: float = 0.0  # of the time, the part in which the thread did not compute: mostly, others had its core
    taken: str | None = None  # when, as ISO 8601 writes it

    @classmethod
    def of(cls, seconds: list[float]) -> "Spread":
        several = seconds if len(seconds) > 1 else 2 * seconds
        low, median, high = statistics.quantiles(several, n=4, method="inclusive")
        return cls(median, low, high)

    def __repr__(self) -> str:
        return f"<Spread {self.milliseconds(3)} ms{', noisy' if self.noisy else ''}>"

    @property
    def noisy(self) -> bool:
        """Whether this machine was busy with something else, so that the figure is none of the work alone.

        Quartiles do not tell it by themselves: what takes a core evenly makes all calls slow alike. ResNet50 took 5
        times as long beside four busy processes, with quartiles 0.07 of the median apart.
        """
        return self.waited > MOST_WAITING or self.high - self.low > MOST_APART * self.median

    def serves(self, now: datetime) -> bool:
        """Whether it may stand for a figure of today, being neither noisy nor old."""
        return self.taken is not None and not self.noisy and now - datetime.fromisoformat(self.taken) < OLD

    def age(self, asked: str) -> str:
        """How long before a figure was asked for this one was taken, in words; empty where it was taken then."""
        if self.taken is None or self.taken >= asked:
            return ""
        minutes = (datetime.fromisoformat(asked) - datetime.fromisoformat(self.taken)).total_seconds() / 60
        for unit, size in (("days", 24 * 60), ("h", 60)):
            if minutes >= 2 * size:
                return f"{int(minutes / size)} {unit}"
        return f"{int(minutes)} min"

    def milliseconds(self, places: int) -> str:
        """7.9 (7.5–8.3)"""
        median, low, high = (f"{1000 * time:.{places}f}" for time in (self.median, self.low, self.high))
        return f"{median} ({low}–{high})"


def stamp() -> str:
    """Now, as ISO 8601 writes it."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def side_by_side(works: Mapping[str, Work], *, seconds: float = 2.0, rounds: int = 5) -> dict[str, Spread]:
    """What each work takes, in turns (A B A B), so that what slows the machine for a while slows them all.

    Each gets about `seconds` in all, spread over the rounds, after two calls that are not counted.
    """
    taken: dict[str, list[float]] = {name: [] for name in works}
    computed = dict.fromkeys(works, 0.0)
    for work in works.values():
        work()
        work()
    for _ in range(rounds):
        for name, work in works.items():
            end = time.perf_counter() + seconds / rounds
            before = time.thread_time()
            while True:
                start = time.perf_counter()
                work()
                now = time.perf_counter()
                taken[name].append(now - start)
                if now >= end:
                    break
            computed[name] += time.thread_time() - before
    waited = {name: max(0.0, 1 - computed[name] / sum(times)) for name, times in taken.items()}
    return {name: replace(Spread.of(times), waited=waited[name], taken=stamp()) for name, times in taken.items()}


def likely_share(hits: int, total: int) -> tuple[float, float]:
    """Between what shares the true one lies, 95 times of 100, where so many of a total were hit (Wilson, 1927)."""
    share = hits / total
    middle = share + Z**2 / (2 * total)
    reach = Z * math.sqrt(share * (1 - share) / total + (Z / (2 * total)) ** 2)
    low, high = ((middle + way * reach) / (1 + Z**2 / total) for way in (-1, 1))
    return max(low, 0.0), min(high, 1.0)
