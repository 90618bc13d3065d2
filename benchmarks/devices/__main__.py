"""`benchmarks/run_devices`: measure what is exported for small devices, write the results and the tables."""

import argparse
import csv
import sys
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from side_by_side.__main__ import PAGE, WORK, keep_to
from side_by_side.environments import PROJECT
from side_by_side.peers import THREADS
from side_by_side.report import put_into
from transfer import measuring
from transfer.measuring import Results
from transfer.running import cache_at

import hati
from hati.catalog import entries
from hati.errors import ArgumentError, HatiError
from hati.tools.machine import machine
from hati.tools.measuring import likely_share

from . import answers, architectures, elsewhere, report, speed
from .plan import CALIBRATING, FULL, QUICK, REAL, Photos

FULL_RESULTS = PROJECT / "benchmarks" / "devices_results.json"
AGREEMENTS = PROJECT / "src" / "hati" / "data" / "int8_agreement.csv"
GROUPS = ("files", "int8", "ways", "hurts", "beside", "runtimes", "micro", "phones", "families")
COLUMNS = ("model", "checksum", "agreement", "lowest", "highest", "photos", "calibrated_on", "data", "hati", "runtime")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks/run_devices", description=__doc__)
    add = parser.add_argument
    several = f"may be given several times: {', '.join(GROUPS)}, or the beginning of a job's name; measured again"
    add("--only", action="append", metavar="NAME", help=several)
    add("--quick", action="store_true", help="a few minutes: one parting of the photos, two architectures")
    add("--photos", type=Path, metavar="FOLDER", default=PROJECT.parent / "shared" / "data", help="with all data")
    add("--work", type=Path, metavar="FOLDER", default=WORK, help="for all that it installs and makes")
    add("--resume", action="store_true", help="go on where the last run of this kind stopped")
    add("--tables", action="store_true", help="measure nothing: write the page from the last full run")
    return parser.parse_args()


def main() -> int:
    """Exit status 0; 2 where what was asked for cannot be done."""
    chosen = arguments()
    path = chosen.work / "devices_results.json" if chosen.quick else FULL_RESULTS
    again = chosen.tables or chosen.resume or chosen.only
    try:
        found = measuring.read(path) if again else Results(path)
        if not chosen.tables:
            measure(chosen, found)
    except HatiError as error:
        print(error, file=sys.stderr)
        return 2
    tables = report.text(found)
    print(tables)
    if not chosen.quick:
        put_into(PAGE, tables, *report.MARKS, report.HEADING)
        write_agreements(found)
    return 0


def measure(chosen: argparse.Namespace, found: Results) -> None:
    keep_to(THREADS)
    photos, work = Photos(chosen.photos.resolve()), chosen.work.resolve()
    for path in (photos.labelled / "labels.csv", photos.mobilenet):
        if not path.exists():
            raise ArgumentError(f"{path} is missing; give the folder that has it with --photos")
    names = tuple(chosen.only or ())
    effort = QUICK if chosen.quick else FULL
    todo = [
        *answers.jobs(photos, effort),
        *speed.jobs(photos),
        *elsewhere.jobs(photos, work),
        *architectures.jobs(effort.families, work),
    ]
    for name in [name for name in found.figures if names and name.startswith(names)]:
        del found.figures[name]
    found.about = describe(chosen.quick)
    with cache_at(work / "devices" / "cache"):
        measuring.carry_out([job for job in todo if not names or job.name.startswith(names)], found)


def describe(quick: bool) -> dict[str, object]:
    packages = ("ai-edge-litert", "onnxruntime", "numpy", "pillow")
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "machine": asdict(machine()),
        "quick": quick,
        "versions": {"hati": hati.__version__} | {name: version(name) for name in packages},
    }


def write_agreements(found: Results) -> None:
    """What `hati models --small` shows of models whose weights are published: all partings together."""
    rows = []
    for name in REAL:
        runs = found.under(f"int8/{name}")
        if runs:
            photos = runs[0]["photos"]
            share = sum(run["agreement"] for run in runs) / len(runs)
            low, high = likely_share(round(share * photos), photos)
            ends = f"{share:.4f}", f"{low:.4f}", f"{high:.4f}", photos, CALIBRATING
            data = f"{photos + CALIBRATING} photos of the NIPS 2017 set in {len(runs)} parting{'s'[: len(runs) > 1]}"
            checksum = entries()[name].top_file.checksum
            runtime = f"LiteRT {version('ai-edge-litert')}"
            rows.append((name, checksum, *ends, data, hati.__version__, runtime))
    with AGREEMENTS.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(rows)


if __name__ == "__main__":
    sys.exit(main())
