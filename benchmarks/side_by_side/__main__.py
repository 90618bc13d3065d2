"""`benchmarks/run`: measure hati beside its peers, write the results and the tables."""

import argparse
import os
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from hati.errors import HatiError
from hati.tools.machine import machine

from . import network_times, photo_files, photo_times, processes, report, results
from .asking import PeerError, Team
from .environments import PROJECT, InstallError, all_environments, install
from .networks import write_class_names
from .peers import THREADS
from .plan import FULL, NETWORKS, QUICK
from .results import Results, Row
from .running import Job, Run

PAGE, FULL_RESULTS = PROJECT / "benchmarks" / "README.md", PROJECT / "benchmarks" / "results.json"
WORK = PROJECT / ".benchmarks"
GPU_RESULTS = PROJECT / "benchmarks" / "gpu_results.json"


CHOICES = (
    *("limit", "networks", *(network.name for network in NETWORKS), "added", "int8"),
    *("photos", "reduced", "folder", "calls", "starts", "imports", "sizes"),
)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks/run", description=__doc__)
    add = parser.add_argument
    several = f"may be given several times: {', '.join(CHOICES)}"
    add("--only", action="append", choices=CHOICES, metavar="NAME", help=several)
    add("--quick", action="store_true", help="a few minutes: shorter, and without what is slow to get ready")
    add("--photos", type=Path, metavar="FOLDER", help="your own photos, in place of scikit-image's")
    add("--work", type=Path, metavar="FOLDER", default=WORK, help="for all that it installs and makes")
    add("--resume", action="store_true", help="go on where the last run of this kind stopped")
    add("--tables", action="store_true", help="measure nothing: write the page from the last full run")
    return parser.parse_args()


def main() -> int:
    """Exit status 0; 2 where what was asked for cannot be done."""
    chosen = arguments()
    full = chosen.tables or not (chosen.quick or chosen.only or chosen.photos)
    path = FULL_RESULTS if full else chosen.work / "results.json"
    try:
        found = results.read(path) if chosen.tables or chosen.resume else Results(path)
        if not chosen.tables:
            measure(chosen, found)
    except HatiError as error:
        print(error, file=sys.stderr)
        return 2
    tables = report.text(found, GPU_RESULTS)
    print(tables)
    if full:
        report.put_into(PAGE, tables)
    return 0


def measure(chosen: argparse.Namespace, found: Results) -> None:
    keep_to(THREADS)
    photo_files.originals(chosen.photos)  # a wrong folder is told of before anything is installed
    work = chosen.work.resolve()
    write_class_names(work / "keras")
    with installed(work) as team:
        run = Run(team, work, QUICK if chosen.quick else FULL, chosen.photos)
        found.about = describe(team, chosen.quick)
        carry_out(chosen_from(jobs(run), chosen.only), found)


def keep_to(threads: int) -> None:
    """So many cores for this process and all that it starts, where the system lets us choose."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])


def installed(work: Path) -> Team:
    """Every environment made; what cannot be made becomes a row that says so."""
    team = Team(all_environments(work), work / "logs")
    for environment in team.environments.values():
        try:
            install(environment)
        except InstallError as error:
            team.missing[environment.name] = f"not installed: {error}"
    return team


def describe(team: Team, quick: bool) -> dict[str, object]:
    there = (environment for environment in team.environments.values() if environment.name not in team.missing)
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "machine": asdict(machine()),
        "threads": THREADS,
        "quick": quick,
        "versions": {environment.name: environment.versions() for environment in there},
        "multiply_adds": {network.name: network.multiply_adds() for network in NETWORKS},
    }


def jobs(run: Run) -> Iterator[Job]:
    yield from network_times.jobs(run)
    yield from photo_times.jobs(run)
    yield from processes.jobs(run)


def chosen_from(all_jobs: Iterable[Job], names: list[str] | None) -> list[Job]:
    return [job for job in all_jobs if set(names or ["all"]) & set(job.groups)]


def carry_out(todo: Iterable[Job], found: Results) -> None:
    """Each job in its turn, its piece kept as soon as it is measured; what is there already is left as it is."""
    for job in todo:
        if any(row.median is not None for row in found.pieces.get(job.name, {}).values()):
            continue
        start = time.monotonic()
        print(f"{job.name} … ", end="", file=sys.stderr, flush=True)
        try:
            found.add(job.name, job.measure())
        except PeerError as error:
            found.add(job.name, {"hati": Row(failed=str(error))})
        print(f"{time.monotonic() - start:.0f} s", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
