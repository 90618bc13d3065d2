"""What models are chosen by: accuracy, latency and size; the bounds on them, and the front that no model beats."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import chain, combinations
from math import inf

from ..errors import ArgumentError
from ..loading import ModelCard
from ..tools.measuring import Spread
from .own_photos import Accuracy

NEAREST = 3  # candidates that are shown where nothing meets the bounds


@dataclass(frozen=True)
class Candidate:
    name: str
    megabytes: float  # of its weights file
    published: float | None  # top-1 on ImageNet's validation pictures, percent
    random_weights: bool  # its own are not on this machine; random ones serve to take its time
    on_photos: Accuracy | None = None  # on labelled photos, by its own weights
    latency: Spread | None = None  # seconds for one picture; None where it was not measured
    compared: bool = False  # the latency was measured side by side with others that matter
    fault: str | None = None  # of its own weights, where they could not serve

    def __repr__(self) -> str:
        return f"<Candidate {self.name}: {', '.join(map(' '.join, self.told().items()))}>"

    @classmethod
    def of(cls, card: ModelCard) -> "Candidate":
        return cls(card.name, card.megabytes, card.top1, random_weights=not card.on_this_machine)

    @property
    def accuracy(self) -> float | None:
        """Percent: on the person's own photos where that was measured, else as published; None where nobody knows."""
        return self.on_photos.percent if self.on_photos else self.published

    @property
    def seconds(self) -> float:
        return self.latency.median if self.latency else inf

    def told(self) -> dict[str, str]:
        accuracy = "unknown" if self.accuracy is None else f"{self.accuracy:.1f} %"
        latency = "not measured" if self.latency is None else f"{1000 * self.seconds:.3g} ms"
        return {"top-1": accuracy, "latency": latency, "size": f"{self.megabytes:,.1f} MB"}


@dataclass(frozen=True)
class Bounds:
    """What a model has to be. Raises ArgumentError for bounds that mean nothing."""

    top1: float | None = None  # percent, at least
    latency: float | None = None  # seconds, at most
    megabytes: float | None = None  # of the weights file, at most

    def __post_init__(self) -> None:
        if self.top1 is not None and not 1 < self.top1 <= 100:
            raise ArgumentError(f"top-1 is {self.top1:g} %; a percentage from 1 to 100 was expected, such as 75")
        for name, bound in (("latency", self.latency), ("size", self.megabytes)):
            if bound is not None and not 0 < bound < inf:
                raise ArgumentError(f"{name} is {bound:g}; more than 0 was expected")

    def told(self) -> dict[str, str]:
        """Each bound that is given, in words."""
        told = {
            "top-1": self.top1 and f"top-1 ≥ {self.top1:g} %",
            "latency": self.latency and f"latency ≤ {1000 * self.latency:g} ms",
            "size": self.megabytes and f"size ≤ {self.megabytes:g} MB",
        }
        return {name: words for name, words in told.items() if words}

    def shares(self, candidate: Candidate) -> dict[str, float]:
        """Of each bound that is given, how much a candidate uses up: 1 is just enough, more misses it."""
        shares = {}
        if self.top1 is not None:
            shares["top-1"] = (100 - (candidate.accuracy or -inf)) / max(100 - self.top1, 1e-3)
        if self.latency is not None:
            shares["latency"] = candidate.seconds / self.latency
        if self.megabytes is not None:
            shares["size"] = candidate.megabytes / self.megabytes
        return shares

    def worst_share(self, candidate: Candidate) -> float:
        return max(self.shares(candidate).values(), default=0.0)

    def missed_by(self, candidate: Candidate) -> set[str]:
        return {name for name, share in self.shares(candidate).items() if share > 1}


def dominates(one: Candidate, other: Candidate) -> bool:
    """No worse in anything, and better in something.

    An accuracy on a person's own photos is never held against a published one: they are not of one scale.
    """
    ones, others = _costs(one), _costs(other)
    comparable = (one.on_photos is None) == (other.on_photos is None)
    return comparable and ones != others and all(a <= b for a, b in zip(ones, others, strict=True))


def front(field: Sequence[Candidate]) -> list[Candidate]:
    """Those measured that no other one dominates (Pareto), the fastest first."""
    measured = sorted((one for one in field if one.latency), key=lambda one: one.seconds)
    return [one for one in measured if not any(dominates(other, one) for other in measured)]


def worth_measuring(field: Sequence[Candidate], bounds: Bounds, *, labelled: bool) -> list[Candidate]:
    """Those that may meet the bounds as far as is known without measuring; the nearest where none may."""

    def known(one: Candidate) -> Bounds:
        top1 = None if labelled and not one.random_weights else bounds.top1
        return replace(bounds, latency=None, top1=top1)

    able = [one for one in field if not known(one).missed_by(one)]
    return able or nearest(field, replace(bounds, latency=None))


def nearest(field: Sequence[Candidate], bounds: Bounds) -> list[Candidate]:
    return sorted(field, key=bounds.worst_share)[:NEAREST]


def best(field: Sequence[Candidate], bounds: Bounds) -> Candidate | None:
    """Of those that meet the bounds the most accurate, and of equals the fastest.

    What was measured on the person's own photos goes before what is only published.
    """
    able = [one for one in field if one.latency and not bounds.missed_by(one)]
    able = [one for one in able if one.on_photos] or able
    return max(able, key=lambda one: (one.accuracy or -inf, -one.seconds), default=None)


def failing(field: Sequence[Candidate], bounds: Bounds) -> tuple[str, ...]:
    """The fewest bounds that nothing meets together. A latency that nobody measured may be any."""
    missed = [bounds.missed_by(one) - (set() if one.latency else {"latency"}) for one in field]
    names = tuple(bounds.told())
    together = chain.from_iterable(combinations(names, count) for count in range(1, len(names) + 1))
    return next((some for some in together if all(each & {*some} for each in missed)), names)


def _costs(one: Candidate) -> tuple[float, float, float]:
    return -(one.accuracy or 0.0), one.seconds, one.megabytes
