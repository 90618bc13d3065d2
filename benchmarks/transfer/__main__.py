"""`benchmarks/run_transfer`: measure transfer learning on this machine, write the results and the tables."""

import argparse
import sys
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from side_by_side.__main__ import PAGE, WORK, keep_to
from side_by_side.environments import PROJECT, InstallError, all_environments, install
from side_by_side.peers import THREADS
from side_by_side.report import put_into

from hati.errors import ArgumentError, HatiError
from hati.tools.machine import machine
from hati.transfer.origin import versions

from . import beside_keras, commands, curve, measuring, report, teaching
from .measuring import Job, Results
from .plan import FULL, QUICK, SETS, Photos
from .running import Run

FULL_RESULTS = PROJECT / "benchmarks" / "transfer_results.json"
GROUPS = ("commands", "keras", "teach", "curve")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks/run_transfer", description=__doc__)
    add = parser.add_argument
    several = f"may be given several times: {', '.join(GROUPS)}, or the beginning of a job's name"
    add("--only", action="append", metavar="NAME", help=f"measure just this again, and keep the rest; {several}")
    add("--quick", action="store_true", help="a few minutes: fewer photos, draws, seeds and rounds")
    add("--photos", type=Path, metavar="FOLDER", default=PROJECT.parent / "shared" / "data", help="with all sets")
    add("--work", type=Path, metavar="FOLDER", default=WORK, help="for all that it installs and makes")
    add("--resume", action="store_true", help="go on where the last run of this kind stopped")
    add("--tables", action="store_true", help="measure nothing: write the page from the last full run")
    return parser.parse_args()


def main() -> int:
    """Exit status 0; 2 where what was asked for cannot be done."""
    chosen = arguments()
    full = chosen.tables or not chosen.quick
    path = FULL_RESULTS if full else chosen.work / "transfer_results.json"
    try:
        found = measuring.read(path) if chosen.tables or chosen.resume or chosen.only else Results(path)
        if not chosen.tables:
            measure(chosen, found)
    except HatiError as error:
        print(error, file=sys.stderr)
        return 2
    tables = report.text(found)
    print(tables)
    if full:
        put_into(PAGE, tables, *report.MARKS, report.HEADING)
    return 0


def measure(chosen: argparse.Namespace, found: Results) -> None:
    keep_to(THREADS)
    check(Photos(chosen.photos.resolve()))
    work, effort = chosen.work.resolve(), QUICK if chosen.quick else FULL
    run = Run(Photos(chosen.photos.resolve()), work / "transfer", effort)
    names = tuple(chosen.only or ("",))
    if any("keras".startswith(name[:5]) for name in names):
        install_peer(run, work)
    todo = [job for job in jobs(run) if job.name.startswith(names)]
    if not chosen.resume:
        found.forget(job.name for job in todo)
    before = found.about.get("versions", {})  # of what is not measured this time
    found.about = describe(run, chosen.quick)
    found.about["versions"] = before | found.about["versions"]
    measuring.carry_out(todo, found)


def check(photos: Photos) -> None:
    """Raises ArgumentError where photos or weights are missing, before anything is installed."""
    needed = [photos.mobilenet, *(part(name) for name in SETS for part in (photos.train, photos.val))]
    for path in needed:
        if not path.exists():
            raise ArgumentError(f"{path} is missing; give the folder that has it with --photos")


def install_peer(run: Run, work: Path) -> None:
    """The quickest Keras that can be installed; where none can be, its rows say why."""
    environments = all_environments(work)
    for name in beside_keras.PEERS.values():
        run.peers[name] = environments[name]
        try:
            install(environments[name])
            break
        except InstallError as error:
            run.missing[name] = f"not installed: {error}"


def describe(run: Run, quick: bool) -> dict[str, Any]:
    there = [environment for name, environment in run.peers.items() if name not in run.missing]
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "machine": asdict(machine()),
        "threads": THREADS,
        "quick": quick,
        "versions": dict(versions())
        | {key: value for own in there for key, value in own.versions().items() if key != "Python"},
    }


def jobs(run: Run) -> Iterator[Job]:
    yield from commands.jobs(run)
    yield from beside_keras.jobs(run)
    yield from teaching.jobs(run)
    yield from curve.jobs(run)


if __name__ == "__main__":
    sys.exit(main())
