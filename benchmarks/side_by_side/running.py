"""A run: its team, its folders, how much it measures; and a job, which is one piece of its results."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .asking import Team
from .networks import Network
from .plan import Effort, Way
from .results import Piece


@dataclass(frozen=True)
class Run:
    team: Team
    work: Path
    effort: Effort
    photos: Path | None = None  # the user's own, in place of scikit-image's

    def folder(self, network: Network) -> str:
        """Of the network's files, written now where they are missing."""
        return str(network.write(self.work / "networks"))

    def prepare(self, way: Way, folder: str, **settings: Any) -> dict[str, Any]:
        return self.team.ask(way.environment, way.module, "prepare", way=way.way, folder=folder, **settings)

    def measure(self, way: Way, seconds: float) -> list[float]:
        """What each call of a way takes that is ready."""
        taken: list[float] = self.team.ask(way.environment, way.module, "measure", way=way.way, seconds=seconds)[
            "taken"
        ]
        return taken

    def work_of(self, way: Way, name: str, **settings: Any) -> Any:
        """What one of a peer's own works finds."""
        return self.team.ask(way.environment, way.module, "work", name=name, **settings)["found"]


@dataclass(frozen=True)
class Job:
    """One piece of the results, and the names that choose it; "all" does where nobody chooses."""

    name: str
    groups: tuple[str, ...]
    measure: Callable[[], Piece]
