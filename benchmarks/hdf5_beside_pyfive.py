"""hati's HDF5 reader beside pyfive, which is written in Python, too: a large file, and damaged ones.

    pip install pyfive
    PYTHONPATH=tests/support python benchmarks/hdf5_beside_pyfive.py --each 20000

Each reader has processes of its own, which may take 1 GB more than they have, and 5 s of the processor for each file.
"""

import json
import re
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import fuzz_weights
import h5py
import numpy as np

FORMS = (".h5", "newer .h5", "packed .h5", "dense .h5", ".weights.h5")
LAYERS, SIDE = 25, 1024  # of float32: 105 MB


def with_pyfive(path: Path) -> str:
    """Every array and every attribute; a refusal is its own error, or one that Python's readers raise of a bad file."""
    import pyfive
    from pyfive.misc_low_level import InvalidHDF5File

    def read(group: Any) -> None:
        dict(group.attrs)
        for name in group:
            found = group[name]
            read(found) if isinstance(found, pyfive.Group) else (dict(found.attrs), np.asarray(found[()]).tobytes())

    try:
        with pyfive.File(str(path)) as file:
            read(file)
    except (InvalidHDF5File, OSError, ValueError, KeyError, NotImplementedError):
        return "refused"
    return "arrays"


READERS: dict[str, Callable[[Path], str]] = {"hati": fuzz_weights.outcome, "pyfive": with_pyfive}


def large(folder: Path) -> Path:
    """As Keras writes weights: an array a layer, in one piece."""
    generator = np.random.default_rng(0)
    with h5py.File(folder / "large.h5", "w") as file:
        names = [f"layer_{number}" for number in range(LAYERS)]
        file.attrs["layer_names"] = np.array([name.encode() for name in names])
        for name in names:
            file.create_group(name).attrs["weight_names"] = np.array([b"kernel"])
            file[f"{name}/kernel"] = generator.normal(size=(SIDE, SIDE)).astype(np.float32)
    return folder / "large.h5"


def measure(reader: str, path: Path) -> None:
    """In a process of its own: seconds and megabytes that one reading takes, the median of seven."""
    assert READERS[reader](path) == "arrays"
    before, seconds = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, []
    for _ in range(7):
        start = time.perf_counter()
        READERS[reader](path)
        seconds.append(time.perf_counter() - start)
    print(json.dumps({"seconds": sorted(seconds)[3], "most MB": before / 1024}))


def rows(each: int) -> Iterator[str]:
    with tempfile.TemporaryDirectory() as folder:
        path = large(Path(folder))
        for reader in READERS:
            command = [sys.executable, __file__, "--large", str(path), "--reader", reader]
            told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
            yield f"{reader:8} 105 MB: {told.strip()}"
        for form in FORMS:
            for reader in READERS:
                script = Path(folder) / f"with_{reader}.py"
                script.write_text(f"import hdf5_beside_pyfive as it\nit.take_part({reader!r})\n")
                yield from counted(form, reader, fuzz_weights.fuzz(form, range(each), Path(folder), str(script)))


def counted(form: str, reader: str, report: fuzz_weights.Report) -> Iterator[str]:
    kinds = Counter(re.sub(r"^.*?: (a fault: )?|: .*| '.*", "", fault) for fault in report.faults)
    arrays, faults = report.outcomes["arrays"], report.outcomes["fault"]
    refused = report.outcomes.total() - arrays - faults
    yield f"{form:12}{reader:8}arrays {arrays:6,}, refused {refused:6,}, faults {faults:6,} {dict(kinds.most_common())}"


def take_part(reader: str) -> None:
    fuzz_weights.outcome = READERS[reader]  # type: ignore[assignment]
    fuzz_weights.main()


if __name__ == "__main__":
    if "--large" in sys.argv:
        measure(sys.argv[4], Path(sys.argv[2]))
    else:
        for row in rows(int(sys.argv[2]) if "--each" in sys.argv else 20_000):
            print(row, flush=True)
