"""The driver's side of the workers: start them, ask them one at a time, and outlive their deaths."""

import json
import select
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

from .environments import Environment
from .results import Row

PATIENCE = 600.0  # seconds for one answer; some compilers take minutes
PAUSE = 0.1  # seconds between turns: threads of the one before may still spin


class PeerError(Exception):
    """What a peer cannot do, in one line."""


@dataclass
class Worker:
    """One long-lived process in a peer's environment."""

    environment: Environment
    module: str
    log: Path
    patience: float = PATIENCE
    process: subprocess.Popen[str] | None = None

    def ask(self, do: str, **settings: Any) -> dict[str, Any]:
        """Start it where it does not run, and wait for its answer. Raises PeerError."""
        process = self._running()
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(json.dumps({"do": do, **settings}) + "\n")
            process.stdin.flush()
            ready, _, _ = select.select([process.stdout], [], [], self.patience)
            answer = process.stdout.readline() if ready else None
        except BrokenPipeError:
            answer = ""
        if answer is None:
            self.close()
            raise PeerError(f"no answer within {self.patience:.0f} s")
        return self._told(answer)

    def close(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.communicate()
            self.process = None

    def _running(self) -> subprocess.Popen[str]:
        if self.process is None:
            self.log.parent.mkdir(parents=True, exist_ok=True)
            with self.log.open("a") as log:
                self.process = subprocess.Popen(
                    self.environment.command("-m", "side_by_side.worker", self.module),
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=log,
                    text=True,
                    env=self.environment.surroundings(),
                )
        return self.process

    def _told(self, answer: str) -> dict[str, Any]:
        if not answer:
            raise PeerError(self._last_words())
        told: dict[str, Any] = json.loads(answer)
        if "failed" in told:
            raise PeerError(told["failed"])
        return told

    def _last_words(self) -> str:
        """How a process ended, and what it said last."""
        assert self.process is not None
        self.process.communicate()
        code, self.process = self.process.returncode, None
        how = signal.Signals(-code).name if code < 0 else f"exit status {code}"
        lines = [line.strip() for line in self.log.read_text(errors="replace").splitlines() if line.strip()]
        return f"its process ended ({how}){': ' + lines[-1] if lines and code > 0 else ''}"


@dataclass
class Team:
    """The workers of a run, by environment and module; all of them end with it."""

    environments: Mapping[str, Environment]
    logs: Path
    workers: dict[tuple[str, str], Worker] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)  # environments that could not be made, and why

    def __enter__(self) -> "Team":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        for worker in self.workers.values():
            worker.close()

    def ask(self, environment: str, module: str, do: str, **settings: Any) -> dict[str, Any]:
        if environment in self.missing:
            raise PeerError(self.missing[environment])
        key = environment, module
        if key not in self.workers:
            log = self.logs / f"{environment}.log"
            self.workers[key] = Worker(self.environments[environment], f"side_by_side.peers.{module}", log)
        return self.workers[key].ask(do, **settings)

    def forget(self) -> None:
        """Let every network go that a worker still has."""
        for worker in self.workers.values():
            if worker.process is not None:
                try:
                    worker.ask("forget")
                except PeerError:
                    worker.close()


def in_turns(works: Mapping[str, Callable[[], list[float]]], rounds: int) -> dict[str, Row]:
    """What each work measures, in turns (A B A B), so that what slows the machine for a while slows them all.

    A work that fails is left out of further rounds, and its row says why.
    """
    found: dict[str, list[float]] = {name: [] for name in works}
    failed: dict[str, str] = {}
    for _ in range(rounds):
        for name, work in works.items():
            if name not in failed:
                time.sleep(PAUSE)
                try:
                    found[name] += work()
                except PeerError as error:
                    failed[name] = str(error)
    return {name: Row(failed=failed[name]) if name in failed else Row.of(found[name]) for name in works}
