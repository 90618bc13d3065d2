"""Disks that are full or can only be read, and folders that are somebody else's: real ones, not pretended."""

import json
import os
import re
import resource
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from disks import on_a_disk
from faulty_server import Server, serving
from sample_weights import CONTENT, FILE, NAME, PATH, as_code, command, file_at, without_length

from hati.catalog import WeightsFile


@pytest.fixture
def server() -> Iterator[Server]:
    with serving({PATH: FILE}) as server:
        yield server


def faults(said: str) -> list[str]:
    """The messages among what is said, without the bars."""
    return [line for line in said.splitlines() if line.startswith("hati: ")]


def unpublished(file: WeightsFile) -> WeightsFile:
    return replace(file, bytes=None, checksum=None)


@pytest.mark.parametrize(
    ("told", "reason"),
    [(True, r"0\.3 MB are needed, 0\.\d MB are free"), (False, "No space left on device")],
)
def test_a_full_disk_is_one_message_and_leaves_nothing(server: Server, tmp_path: Path, told: bool, reason: str) -> None:
    if not told:
        server.answers[PATH] = without_length
    file = file_at(server.address) if told else unpublished(file_at(server.address))
    said, left = on_a_disk(tmp_path / "disk", "size=200k", "true", command(file, "weights", "fetch", "Loopback"))
    (fault,) = faults(said)
    assert re.fullmatch(
        rf"hati: {tmp_path}/disk/weights: there is no room \({reason}\); "
        "free some, or set HATI_CACHE to a folder on another disk",
        fault,
    )
    assert "Traceback" not in said
    assert left == []


def test_a_file_that_may_not_grow_leaves_nothing(server: Server, empty_cache: Path) -> None:
    """Where a quota ends, or a system's limit: here of 100 kB for any file."""
    done = subprocess.run(
        command(file_at(server.address), "weights", "fetch", "Loopback"),
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000)),
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 1
    (fault,) = faults(done.stderr)
    assert f"{empty_cache}/weights: there is no room (File too large); free some" in fault
    assert [path.name for path in (empty_cache / "weights").iterdir()] == [f"{NAME}.lock"]


def test_a_disk_that_can_only_be_read_is_one_message(server: Server, tmp_path: Path) -> None:
    file = file_at(server.address)
    run = command(file, "weights", "fetch", "Loopback")
    said, left = on_a_disk(tmp_path / "disk", "ro", "true", run)
    assert faults(said) == [
        f"hati: {tmp_path}/disk/weights: that disk can only be read; set HATI_CACHE to a folder that can be written"
    ]
    assert (left, server.asked) == ([], [])


def test_what_lies_on_a_disk_that_can_only_be_read_is_used(server: Server, tmp_path: Path) -> None:
    file = file_at(server.address)
    (tmp_path / NAME).write_bytes(CONTENT)
    disk = tmp_path / "disk"
    then = f"mkdir {disk}/weights && cp {tmp_path / NAME} {disk}/weights && mount -o remount,ro {disk}"
    said, left = on_a_disk(disk, "size=1m", then, command(file, "weights", "verify", "Loopback"))
    assert (said, left, server.asked) == ("", [NAME], [])


def test_a_bundle_meets_a_full_disk(server: Server, tmp_path: Path, empty_cache: Path) -> None:
    file, out = file_at(server.address), tmp_path / "weights.zip"
    subprocess.run(command(file, "weights", "bundle", out, "Loopback"), check=True, capture_output=True, timeout=600)
    said, left = on_a_disk(tmp_path / "disk", "size=200k", "true", command(file, "weights", "import", out))
    (fault,) = faults(said)
    assert fault.startswith(f"hati: {tmp_path}/disk/weights: there is no room (No space left on device); free some")
    assert left == []
    run = command(file, "weights", "bundle", tmp_path / "disk" / "weights.zip", "Loopback")
    said, left = on_a_disk(tmp_path / "disk", "size=200k", "true", ["env", f"HATI_CACHE={empty_cache}", *run])
    (fault,) = faults(said)
    assert fault.endswith("weights.zip: the bundle cannot be written there (No space left on device)")
    assert left == []


AS_NOBODY = """
import json, os
from pathlib import Path
from hati.catalog import WeightsFile
from hati.errors import WeightsError
from hati.weights.bringing import holdings, store
file = {file}
store.fetch(file, 1)  # while this may still read its own libraries
if os.getuid() == 0:
    os.setuid(65534)
os.environ["HATI_CACHE"] = {closed!r}
said = []
for ask in (lambda: store.fetch(file, 1), lambda: store.remove(file), holdings.holdings, store.offline_models):
    try:
        ask()
    except WeightsError as error:
        said.append(str(error))
print(json.dumps(said))
"""


@pytest.mark.parametrize(("mode", "refusals"), [(0o555, 1), (0o000, 2)], ids=["closed for writing", "closed"])
def test_a_folder_of_somebody_else_is_one_message(server: Server, empty_cache: Path, mode: int, refusals: int) -> None:
    """Root may do everything, so as root this becomes somebody else."""
    with tempfile.TemporaryDirectory() as open_folder:
        os.chmod(open_folder, 0o755)
        closed = Path(open_folder, "closed")
        closed.mkdir()
        closed.chmod(mode)
        program = AS_NOBODY.format(file=as_code(file_at(server.address)), closed=str(closed))
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=600)
        closed.chmod(0o755)
        assert list(closed.iterdir()) == []
    assert done.returncode == 0, done.stderr
    said = f"{closed}/weights: writing there is not allowed to you; change its permissions, or set HATI_CACHE elsewhere"
    assert json.loads(done.stdout) == [said] * refusals
