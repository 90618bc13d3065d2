"""A run of many small jobs, each kept as soon as it is measured: a run that is killed loses the job it was at."""

import json
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from side_by_side.asking import PeerError
from side_by_side.networks import write_whole

from hati.errors import ArgumentError

Figures = dict[str, Any]  # one job's: accuracy, seconds, or why it failed


@dataclass(frozen=True)
class Job:
    """One measurement, and where it is kept: "curve/probe/5/3"."""

    name: str
    measure: Callable[[], Figures]

    @property
    def group(self) -> str:
        return self.name.partition("/")[0]


@dataclass
class Results:
    """Everything of one run, and the file that it is kept in."""

    path: Path | None = None
    about: dict[str, Any] = field(default_factory=dict)  # machine, versions, threads, date
    figures: dict[str, Figures] = field(default_factory=dict)  # by the job's name

    def add(self, name: str, figures: Figures) -> None:
        self.figures[name] = figures
        if self.path is not None:
            write_whole(self.path, {"about": self.about, "figures": self.figures})

    def forget(self, names: Iterable[str]) -> None:
        """So that they are measured again."""
        for name in names:
            self.figures.pop(name, None)

    def under(self, name: str) -> list[Figures]:
        """Of all jobs below a name, those that succeeded."""
        found = (own for key, own in self.figures.items() if key.startswith(f"{name}/"))
        return [own for own in found if "failed" not in own]

    def column(self, name: str, what: str) -> list[float]:
        """One figure of all jobs below a name."""
        return [own[what] for own in self.under(name) if own.get(what) is not None]

    def middle(self, name: str, what: str) -> float:
        """The median of one figure of all jobs below a name, of which one succeeded or more."""
        return median(self.column(name, what))

    def children(self, name: str) -> list[str]:
        """The next parts of the names below a name, in the order of their measurement."""
        below = (key.removeprefix(f"{name}/") for key in self.figures if key.startswith(f"{name}/"))
        return list(dict.fromkeys(key.partition("/")[0] for key in below))

    def failures(self) -> dict[str, str]:
        return {name: own["failed"] for name, own in self.figures.items() if "failed" in own}


def read(path: Path) -> Results:
    """What a file holds; nothing yet where there is no file. Raises ArgumentError for a file of another kind."""
    if not path.exists():
        return Results(path)
    try:
        found = json.loads(path.read_text())
        return Results(path, dict(found["about"]), dict(found["figures"]))
    except (ValueError, KeyError, TypeError) as error:
        raise ArgumentError(f"{path} holds no results of benchmarks/run_transfer ({error}); remove it") from None


def carry_out(jobs: Iterable[Job], results: Results) -> None:
    """Each job in its turn; what was measured already is left as it is, what failed is tried again."""
    for job in jobs:
        if "failed" in results.figures.get(job.name, {"failed": ""}):
            start = time.monotonic()
            print(f"{job.name} … ", end="", file=sys.stderr, flush=True)
            results.add(job.name, _figures(job))
            print(f"{time.monotonic() - start:.1f} s", file=sys.stderr, flush=True)


def _figures(job: Job) -> Figures:
    try:
        return job.measure()
    except PeerError as error:
        return {"failed": str(error)}
