"""Every fault that the weights store has to bear: what comes of it, how many requests it takes, and what is left.

A real server on this machine cuts, stalls, lies and refuses; disks are really full; processes are really killed.

PYTHONPATH=tests/support python benchmarks/store_faults.py
"""

import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from disks import on_a_disk, own_mounts
from faulty_server import File, Server, closed_address, self_signed, serving
from kills import CONTENT as KILLED_CONTENT
from kills import KILLS, SLOWLY, killed, moment, start
from sample_weights import CONTENT, FAULTS, FILE, NAME, OTHER, PATH, WHOLE, command, file_at, left_in

from hati.errors import HatiError
from hati.tools import download
from hati.tools.tables import table
from hati.weights.bringing import store

WAIT, SILENCE = 0.01, 0.2  # seconds, the second where a server stalls; 1 and 30 for people


@dataclass(frozen=True)
class Finding:
    scenario: str
    outcome: str
    requests: int | None
    left: set[str]
    seconds: float
    right: bool


Scenario = Callable[[Path], Finding]


def main() -> None:
    download.FIRST_WAIT_SECONDS = WAIT
    findings = []
    for scenario in scenarios():
        with tempfile.TemporaryDirectory() as folder:
            os.environ["HATI_CACHE"] = folder
            findings.append(scenario(Path(folder)))
    print(drawn(findings))
    wrong = sum(not finding.right for finding in findings)
    print(f"\n{len(findings)} scenarios, {wrong} wrong; waits of {WAIT} s and silences of {SILENCE} s, for speed")
    sys.exit(1 if wrong else 0)


def drawn(findings: list[Finding]) -> str:
    rows = [
        (
            finding.scenario,
            finding.outcome[:90],
            "" if finding.requests is None else str(finding.requests),
            what(finding.left),
            f"{finding.seconds:.2f}",
            "" if finding.right else "WRONG",
        )
        for finding in findings
    ]
    return table(("Scenario", "Outcome", "Requests", "Left in the cache", "Seconds", ""), rows, right=(2, 4))


def what(left: set[str]) -> str:
    names = {NAME: "file", f"{NAME}.sha256": "checksum", f".{NAME}.part": "part", f".{NAME}.part.json": "its origin"}
    return ", ".join(names.get(name, name) for name in sorted(left, reverse=True)) or "nothing"


def scenarios() -> Iterator[Scenario]:
    for case in FAULTS:
        yield partial(from_a_server, case=case)
    yield from (mirrored, offline, untrusted, at_once)
    if own_mounts():
        yield from (on_a_full_disk, on_a_closed_disk)
    for number in range(KILLS):
        yield partial(killed_once, number=number)
    yield killed_often


def fetched(server: Server, check: bytes = CONTENT) -> str:
    """What comes of a fetch; a delivery is looked at before it is believed."""
    try:
        path = store.fetch(file_at(server.address), 1)
    except HatiError as error:
        return str(error).splitlines()[0].removeprefix(f"{NAME} could not be fetched: ")
    return "delivered" if path.read_bytes() == check else "WRONG BYTES"


def from_a_server(folder: Path, case: str) -> Finding:
    fault = FAULTS[case]
    download.SILENCE_SECONDS = SILENCE if "stall" in case else 30
    begin = time.perf_counter()
    with serving({PATH: fault.answer(), "/elsewhere": FILE}) as server:
        outcome = fetched(server)
        seconds = time.perf_counter() - begin
    left = left_in(folder / "weights")
    right = (fault.said or "delivered") in outcome and left == fault.leaves and len(server.asked) == fault.requests
    return Finding(f"server: {case}", outcome, len(server.asked), left, seconds, right)


def delivered(scenario: str, folder: Path, outcome: str, requests: int | None, begin: float) -> Finding:
    left = left_in(folder / "weights")
    return Finding(
        scenario, outcome, requests, left, time.perf_counter() - begin, outcome == "delivered" and left == WHOLE
    )


def refused(scenario: str, outcome: str, expected: str, left: set[str], begin: float) -> Finding:
    return Finding(scenario, outcome, None, left, time.perf_counter() - begin, expected in outcome and not left)


def mirrored(folder: Path) -> Finding:
    """A folder with other bytes, a machine that is off, and then a good mirror."""
    begin = time.perf_counter()
    (folder / NAME).write_bytes(OTHER)
    with serving({f"/{NAME}": FILE}) as mirror, serving({PATH: FILE}) as server:
        os.environ["HATI_MIRROR"] = f"{folder},{closed_address()},{mirror.address}"
        outcome = fetched(server)
        del os.environ["HATI_MIRROR"]
    return delivered("mirrors: wrong, off, good", folder, outcome, len(mirror.asked + server.asked), begin)


def offline(folder: Path) -> Finding:
    begin = time.perf_counter()
    os.environ["HATI_OFFLINE"] = "1"
    with serving({PATH: FILE}) as server:
        outcome = fetched(server)
    del os.environ["HATI_OFFLINE"]
    return refused("HATI_OFFLINE", outcome, "HATI_OFFLINE is set", left_in(folder / "weights"), begin)


def untrusted(folder: Path) -> Finding:
    begin = time.perf_counter()
    with tempfile.TemporaryDirectory() as apart, serving({PATH: FILE}, self_signed(Path(apart))) as server:
        outcome = fetched(server)
    return refused("TLS: unknown certificate", outcome, "not trusted here", left_in(folder / "weights"), begin)


def at_once(folder: Path) -> Finding:
    begin = time.perf_counter()
    with serving({PATH: File(CONTENT, pause=0.05)}) as server, ThreadPoolExecutor(4) as pool:
        run = partial(subprocess.run, command(file_at(server.address), "weights", "fetch", "Loopback"))
        runs = [pool.submit(run, capture_output=True) for _ in range(4)]
        codes = [done.result().returncode for done in runs]
    outcome = "delivered" if codes == [0] * 4 and len(server.asked) == 1 else f"{codes}, {len(server.asked)} requests"
    return delivered("four processes at once", folder, outcome, len(server.asked), begin)


def on_a_full_disk(folder: Path) -> Finding:
    return on_a_bad_disk(folder, "disk: full", "size=200k", "there is no room")


def on_a_closed_disk(folder: Path) -> Finding:
    return on_a_bad_disk(folder, "disk: read-only", "ro", "that disk can only be read")


def on_a_bad_disk(folder: Path, scenario: str, setting: str, expected: str) -> Finding:
    begin = time.perf_counter()
    with serving({PATH: FILE}) as server:
        run = command(file_at(server.address), "weights", "fetch", "Loopback")
        said, left = on_a_disk(folder / "disk", setting, "true", run)
    outcome = said.strip().splitlines()[-1].partition("/disk/weights: ")[2]
    return refused(scenario, outcome, expected, set(left), begin)


def killed_once(folder: Path, number: int) -> Finding:
    begin = time.perf_counter()
    with serving({PATH: SLOWLY}) as server:
        return after_a_kill(f"kill -9, number {number + 1}", server, folder, random.Random(number), begin)


def after_a_kill(scenario: str, server: Server, folder: Path, chance: random.Random, begin: float) -> Finding:
    """A kill at a random moment, and then a fetch that nobody disturbs."""
    try:
        left = killed(server, folder / "weights", chance)
        with start(server, "fetch", "Loopback") as process:
            process.wait(600)
        right = moment(folder / "weights").whole
    except AssertionError as error:
        return Finding(scenario, str(error), None, left_in(folder / "weights"), time.perf_counter() - begin, False)
    outcome = "whole" if left.whole else f"a part of {left.part:,} bytes" if left.part else "empty"
    after = ", then delivered" if right else ", then NOT delivered"
    return Finding(
        scenario,
        outcome + after,
        len(server.asked),
        left_in(folder / "weights"),
        time.perf_counter() - begin,
        right,
    )


def killed_often(folder: Path) -> Finding:
    """One cache that is killed again and again keeps what it has."""
    begin, chance = time.perf_counter(), random.Random(0)
    with serving({PATH: SLOWLY}) as server:
        moments = [killed(server, folder / "weights", chance) for _ in range(5)]
        server.answers[PATH] = File(KILLED_CONTENT)
        with start(server, "fetch", "Loopback") as process:
            process.wait(600)
    outcome = "delivered" if moment(folder / "weights").whole else f"{moments}"
    return delivered("five kills of one download", folder, outcome, len(server.asked), begin)


if __name__ == "__main__":
    main()
