"""A short run over damaged files for every reader; `scripts/fuzz` is the long one."""

import subprocess
import sys
from pathlib import Path

import fuzz_weights
import h5py
import pytest
from fuzz_seeds import FORMS

EACH = 150


@pytest.mark.parametrize("form", FORMS)
def test_damaged_files_give_arrays_or_are_refused(tmp_path: Path, form: str) -> None:
    report = fuzz_weights.fuzz(form, range(EACH), tmp_path)
    assert not report.faults
    assert sum(report.outcomes.values()) == EACH
    assert report.outcomes["refused"] + report.outcomes["refused unforeseen"] > EACH / 10
    assert report.outcomes["arrays"]


@pytest.mark.skipif(h5py.version.version_tuple < (3, 15), reason="h5py before 3.15 writes the time into newer files")
def test_a_number_makes_the_same_file_in_every_process() -> None:
    command = [sys.executable, "-c", "import fuzz_weights; print(*fuzz_weights.digests(), sep='\\n')"]
    other = subprocess.run(command, cwd=Path(fuzz_weights.__file__).parent, capture_output=True, text=True, check=True)
    assert other.stdout.splitlines() == fuzz_weights.digests()
    assert len(set(fuzz_weights.digests())) > 17 * len(FORMS)


TRAPS = f"""
import os, sys
sys.path.insert(0, {str(Path(fuzz_weights.__file__).parent)!r})
import fuzz_weights
from hati.weights.reading import guarded

def outcome(path):
    match int(path.with_name(".npz at").read_text()):
        case 1:
            os.abort()
        case 2:
            while True:
                pass
        case 3:
            raise KeyError("lost")
        case 4:
            return fuzz_weights.judged(lambda: guarded(path, lambda: bytearray(2 << 30)))
    return "arrays"

fuzz_weights.MOST_SECONDS = 1
fuzz_weights.outcome = outcome
fuzz_weights.main()
"""


def test_crashes_and_hangs_are_found_and_do_not_end_the_run(tmp_path: Path) -> None:
    """Readers that fail, each in its own way, at the files 1 to 4 of 6."""
    script = tmp_path / "traps.py"
    script.write_text(TRAPS)
    report = fuzz_weights.fuzz(".npz", range(6), tmp_path, str(script))
    assert report.faults == [
        ".npz 1: ended by SIGABRT",
        ".npz 2: ended by SIGPROF",
        ".npz 3: a fault: KeyError: 'lost'",
        ".npz 4: a fault: it asked for more than 1 GB",
    ]
    assert report.outcomes == {"arrays": 2, "fault": 4}
