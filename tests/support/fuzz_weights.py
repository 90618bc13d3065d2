"""Damaged files for every reader of weights: each gives arrays or one WeightsError, soon, and in little memory.

    scripts/fuzz --each 20000             # all readers, as a table
    scripts/fuzz --form .npz --from 17 --each 1 --keep file      # one file again, kept to look at

A file is made from its reader's small sound one and a number, and always the same from the same number.
"""

import argparse
import json
import os
import random
import resource
import signal
import subprocess
import sys
import tempfile
import time
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from fuzz_seeds import FORMS, parts, sealed, sound

from hati.errors import WeightsError
from hati.weights import description, reading
from hati.weights.formats.layouts import Layered, Numbered, Stored

MOST_SECONDS, MOST_BYTES = 5, 1 << 30  # of the processor, however busy it is; beside what Python has
TOLD = 32  # bytes in which a child notes the number of the file that it reads
OUTCOMES = ("arrays", "refused", "refused unforeseen")
NUMBERS = (0, 1, 2, 7, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 1 << 31, (1 << 32) - 1, 1 << 40, 1 << 63, (1 << 64) - 1)

Change = Callable[[bytearray, random.Random], None]


@dataclass
class Report:
    """What became of a reader's files."""

    outcomes: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)  # each with the number that makes its file again
    seconds: float = 0.0


def flip(content: bytearray, chance: random.Random) -> None:
    for _ in range(chance.randint(1, 8)):
        content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)


def number(content: bytearray, chance: random.Random) -> None:
    """A number that programs trip over, at a place where one may lie."""
    width, step = chance.choice((1, 2, 4, 8)), chance.choice((1, 4, 8))
    place = chance.randrange(len(content)) // step * step
    value = chance.choice((*NUMBERS, len(content), len(content) - place)) % (1 << 8 * width)
    content[place : place + width] = value.to_bytes(width, chance.choice(("little", "little", "big")))


def byte(content: bytearray, chance: random.Random) -> None:
    content[chance.randrange(len(content))] = chance.randrange(256)


def cut(content: bytearray, chance: random.Random) -> None:
    del content[chance.randrange(len(content)) :]


def insert(content: bytearray, chance: random.Random) -> None:
    place = chance.randrange(len(content))
    content[place:place] = chance.randbytes(chance.randint(1, 64))


def remove(content: bytearray, chance: random.Random) -> None:
    place = chance.randrange(len(content))
    del content[place : place + chance.randint(1, 64)]


def copy(content: bytearray, chance: random.Random) -> None:
    start, place, size = chance.randrange(len(content)), chance.randrange(len(content)), chance.randint(1, 256)
    block = content[start : start + size]
    content[place : place + len(block)] = block


def zero(content: bytearray, chance: random.Random) -> None:
    place = chance.randrange(len(content))
    size = min(chance.randint(1, 256), len(content) - place)
    content[place : place + size] = bytes(size)


def digits(content: bytearray, chance: random.Random) -> None:
    """Another number in place of one that is written out, as in headers of JSON and of .npy files."""
    places = [place for place, letter in enumerate(content[:4096]) if 0x30 <= letter <= 0x39]
    if places:
        place = chance.choice(places)
        content[place : place + 1] = str(chance.choice((-1, 0, 1, 3, 99, 1 << 40, 10**30, 1e400))).encode()


CHANGES: tuple[Change, ...] = (flip, flip, number, number, number, byte, cut, insert, remove, copy, zero, digits)
VALUES: tuple[object, ...] = (
    None,
    True,
    -1,
    0,
    1,
    1 << 31,
    1 << 62,
    10**40,
    1.5,
    "",
    "F32",
    "BF16",
    "Conv2D",
    "../..",
    [],
    {},
    [[]],
    [1] * 99,
)


def changed(content: bytes, chance: random.Random) -> bytes:
    found = bytearray(content)
    for _ in range(chance.choice((1, 1, 1, 2, 3, 5))):
        if found:
            chance.choice(CHANGES)(found, chance)
    return bytes(found)


def changed_json(value: object, chance: random.Random) -> object:
    """JSON with one value in it, however deep, exchanged, doubled or taken away."""
    if not isinstance(value, dict | list) or not value or chance.random() < 0.1:
        return chance.choice(VALUES)
    place = chance.choice(list(value) if isinstance(value, dict) else range(len(value)))
    if chance.random() < 0.15:
        del value[place]
    elif chance.random() < 0.1 and isinstance(value, list):
        value.insert(place, chance.choice(value))
    else:
        value[place] = changed_json(value[place], chance)
    return value


def mutant(form: str, content: bytes, seed: int) -> bytes:
    """The file with this number."""
    chance = random.Random(f"{form} {seed}")
    pieces = parts(form, content)
    if not pieces or chance.random() < 0.4:
        return changed(content, chance)
    name = chance.choice(list(pieces))
    if name.endswith("json"):
        pieces[name] = json.dumps(changed_json(json.loads(pieces[name]), chance)).encode()
    else:
        pieces[name] = changed(pieces[name], chance)
    return sealed(form, pieces)


def arrays_of(stored: Stored) -> Iterable[np.ndarray]:
    if isinstance(stored, Layered | Numbered):
        return [array for arrays in stored.layers.values() for array in arrays]
    return stored.values()


def outcome(path: Path) -> str:
    """What reading a file comes to; every number of every array is looked at."""

    def read() -> None:
        for array in arrays_of(reading.read(path)):
            array.tobytes()
        if reading.metadata(path):
            description.read(path)

    return judged(read)


def judged(read: Callable[[], object]) -> str:
    try:
        read()
    except WeightsError as error:
        if "more memory" in str(error):
            return "a fault: it asked for more than 1 GB"
        return "refused unforeseen" if "it cannot be read (" in str(error) else "refused"
    return "arrays"


def work(form: str, seeds: range, folder: Path) -> None:
    """In a child: read every file, and tell what became of it; a hang or a crash ends the child."""
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + MOST_BYTES, used + MOST_BYTES))
    content, path = (folder / form).read_bytes(), folder / f"{form} mutant"
    with (folder / f"{form} at").open("r+b") as told:
        for seed in seeds:
            os.pwrite(told.fileno(), str(seed).ljust(TOLD).encode(), 0)
            path.write_bytes(mutant(form, content, seed))
            signal.setitimer(signal.ITIMER_PROF, MOST_SECONDS)
            try:
                print(outcome(path), flush=True)
            except Exception as error:
                print(f"a fault: {type(error).__name__}: {error}".replace("\n", " "), flush=True)
            signal.setitimer(signal.ITIMER_PROF, 0)


def fuzz(form: str, seeds: range, folder: Path, script: str = __file__) -> Report:
    """Read the files of these numbers in a child, and in another from where one ended before its time."""
    report, start = Report(), time.perf_counter()
    (folder / form).write_bytes(sound(form))
    note = folder / f"{form} at"
    while seeds:
        note.write_bytes(b" " * TOLD)
        command = [sys.executable, script, "--work", str(folder), "--form", form]
        command += ["--from", str(seeds.start), "--each", str(len(seeds))]
        child = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
        lines = child.stdout.splitlines()
        for seed, line in zip(seeds, lines, strict=False):
            report.outcomes[line if line in OUTCOMES else "fault"] += 1
            if line not in OUTCOMES:
                report.faults.append(f"{form} {seed}: {line}")
        if child.returncode:
            at = int(note.read_text())
            with suppress(ValueError):
                report.faults.append(f"{form} {at}: ended by {signal.Signals(-child.returncode).name}")
            report.outcomes["fault"] += 1
            seeds = range(at + 1, seeds.stop)
        else:
            seeds = range(0)
    report.seconds = time.perf_counter() - start
    return report


def rows(forms: list[str], seeds: range) -> Iterator[str]:
    yield f"{'reader':24}{'files':>8}{'arrays':>8}{'refused':>9}{'of them unforeseen':>20}{'faults':>8}{'seconds':>9}"
    with tempfile.TemporaryDirectory() as folder:
        for form in forms:
            report = fuzz(form, seeds, Path(folder))
            found = report.outcomes
            refused = found["refused"] + found["refused unforeseen"]
            yield (
                f"{form:24}{sum(found.values()):8,}{found['arrays']:8,}{refused:9,}{found['refused unforeseen']:20,}"
                f"{found['fault']:8,}{report.seconds:9.0f}"
            )
            yield from (f"    {fault}" for fault in report.faults)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--each", type=int, default=20_000)
    parser.add_argument("--from", type=int, default=0, dest="start")
    parser.add_argument("--form", choices=[*FORMS])
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--work", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    seeds = range(options.start, options.start + options.each)
    if options.work:
        work(options.form, seeds, options.work)
    elif options.keep:
        options.keep.write_bytes(mutant(options.form, sound(options.form), options.start))
    else:
        for row in rows([options.form] if options.form else [*FORMS], seeds):
            print(row, flush=True)


def digests() -> list[str]:
    """Of each form's first twenty files."""
    return [
        f"{form} {zlib.crc32(mutant(form, content, seed))}"
        for form in FORMS
        for content in [sound(form)]
        for seed in range(20)
    ]


if __name__ == "__main__":
    main()
