"""The model that meets bounds on accuracy, latency and size on this very machine, and the front that it stands on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from os import PathLike

from ..loading import list_models
from ..tools.measuring import stamp
from ..tools.preformatted import preformatted
from ..tools.progress import Verbose, track
from . import drawing, report
from .benchmark import Benchmark, groups
from .candidates import Bounds, Candidate, best, front, nearest, worth_measuring
from .findings import Findings
from .own_photos import Accuracy, opened
from .reasons import notes, why, why_not

__all__ = ["Accuracy", "Bounds", "Candidate", "Choice", "choose"]

CLOSE = 1.3  # so much past a bound, or short of it, a quick look may be wrong


@dataclass(frozen=True)
class Choice(Findings):
    """What was found, to be read and to be drawn: every model of the catalog, measured where that could matter."""

    def __repr__(self) -> str:
        return f"<hati.Choice: {self.reason}>"

    def _repr_html_(self) -> str:
        return preformatted(self.text())

    def text(self) -> str:
        """For people: the front, why one of it was picked, and what else should be known."""
        return report.text(self)

    def draw(self, path: str | PathLike[str]) -> None:
        """Draw the front into a .png or .svg file. Raises ArgumentError for another ending, or without matplotlib."""
        drawing.draw(self, path)


def choose(
    *,
    top1: float | None = None,
    latency: float | None = None,
    megabytes: float | None = None,
    photos: str | PathLike[str] | None = None,
    everything: bool = False,
    fresh: bool = False,
    verbose: Verbose = "auto",
) -> Choice:
    """Measure the catalog's models on this machine, and pick the most accurate one within the bounds.

    `top1` is in percent, at least; `latency` in seconds for one picture, at most; `megabytes` of the weights file, at
    most. Models that cannot meet the bounds, by what is published of them, are not measured unless `everything` is
    asked for. Where a model's weights are not on this machine, random ones serve to take its time.

    `photos` is a folder: latency is then from its photos to their answers. A `labels.csv` in it (columns file and
    index, an ImageNet class) has the accuracy measured on them, for models whose weights are on this machine.

    What was measured is kept in the cache, with its date. A latency is measured again where it is 30 days old or
    something else kept the machine busy meanwhile; all is, where `fresh` figures are asked for.

    Raises ArgumentError for bounds that mean nothing, or a folder without photos.
    """
    asked = stamp()
    bounds = Bounds(top1, latency, megabytes)
    own = None if photos is None else opened(photos)
    benchmark = Benchmark(own, fresh)
    field = {card.name: Candidate.of(card) for card in list_models()}
    worth = list(field.values())
    if not everything:
        worth = worth_measuring(worth, bounds, labelled=own is not None and own.classes is not None)
    fitting = [one for one in worth if benchmark.has_memory_for(one)]
    for one in track(map(benchmark.measure, fitting), len(fitting), "measure", verbose):
        field[one.name] = one
    while rivals := _rivals(list(field.values()), bounds):
        together = list(groups(rivals))
        for group in track(map(benchmark.compare, together), len(together), "compare", verbose):
            field |= {one.name: one for one in group}
    too_large = [one for one in worth if one not in fitting]
    return _concluded(tuple(field.values()), bounds, benchmark, too_large, asked)


def _rivals(field: Sequence[Candidate], bounds: Bounds) -> list[Candidate]:
    """Not yet compared, within or just past the bounds, and on the front or close to the bound on latency."""
    leading = front(field)

    def matters(one: Candidate) -> bool:
        return one in leading or bounds.shares(one).get("latency", 0) >= 1 / CLOSE

    waiting = [one for one in field if one.latency and not one.compared]
    return [one for one in waiting if bounds.worst_share(one) <= CLOSE and matters(one)]


def _concluded(
    found: Sequence[Candidate], bounds: Bounds, benchmark: Benchmark, too_large: Sequence[Candidate], asked: str
) -> Choice:
    pick = best(found, bounds)
    near = [] if pick else nearest([one for one in found if one.latency], bounds)
    return Choice(
        bounds=bounds,
        machine=benchmark.machine,
        photos=benchmark.photos.folder if benchmark.photos else None,
        candidates=tuple(found),
        front=tuple(front(found)),
        pick=pick,
        nearest=tuple(near),
        reason=why(pick, found, bounds) if pick else why_not(near, found, bounds),
        notes=tuple(notes(found, benchmark.photos, too_large)),
        asked=asked,
    )
