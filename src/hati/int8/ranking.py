"""Which layers hurt in int8: what each alone changes, and the fewest that have to stay in float."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from ..tools.arrays import Array
from ..tools.progress import Verbose, track
from .agreement import agreeing
from .calibration import SMALLEST, distance

RANKING = 16  # photos that layers are ranked by
STEPS = (1, 2, 3, 4, 5, 6, 8, 10, 12, 14, 16, 20, 24, 28, 32)  # layers in float that are tried

Kept = tuple[str, ...]  # layers in float, where all others are in int8


@dataclass(frozen=True)
class Ranking:
    """Finds them with photos that were calibrated on, so that others can judge what follows from it."""

    layers: Sequence[str]  # that can run in int8
    learnt: Array  # what the model says of the photos, in float
    scores: Callable[[Kept, int], Array]  # what it says of the first so many with these layers in float
    smallest: float = SMALLEST  # probability that is told from 0

    def ranked(self, verbose: Verbose) -> dict[str, float]:
        """What each layer alone changes in int8, most first: the mean squared change of log-probabilities."""
        count = min(RANKING, len(self.learnt))
        found = {}
        for name in track(self.layers, len(self.layers), "looking for layers that hurt", verbose):
            others = tuple(other for other in self.layers if other != name)
            found[name] = distance(self.learnt[:count], self.scores(others, count), self.smallest)
        return dict(sorted(found.items(), key=lambda item: -item[1]))

    def reaching(self, floor: float, hurts: Mapping[str, float]) -> Iterator[Kept]:
        """The layers that hurt most, fewest first, with which in float enough photos are named alike."""
        names = tuple(hurts)
        for kept in (names[:count] for count in STEPS if count < len(names)):
            share, _ = agreeing(self.learnt, self.scores(kept, len(self.learnt)))
            if share >= floor:
                yield kept
