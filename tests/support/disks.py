"""Disks that are full or can only be read: real ones, not pretended."""

import os
import shutil
import subprocess
from functools import cache
from pathlib import Path

import pytest


@cache
def own_mounts() -> tuple[str, ...]:
    """The command that lets a process mount disks that nobody else sees; none where that is not allowed."""
    for way in (("unshare", "--mount"), ("unshare", "--user", "--map-root-user", "--mount")):
        script = "mount -t tmpfs tmpfs /mnt"
        if shutil.which("unshare") and subprocess.run([*way, "sh", "-c", script], capture_output=True).returncode == 0:
            return way
    return ()


def on_a_disk(folder: Path, setting: str, then: str, run: list[str]) -> tuple[str, list[str]]:
    """What a command says with a cache on a disk of its own, and what is left there."""
    if not own_mounts():
        pytest.skip("no disk can be mounted here without harm to others")
    folder.mkdir(exist_ok=True)
    script = f'mount -t tmpfs -o {setting} tmpfs {folder} && {then} && {{ "$@"; echo LEFT; find {folder} -type f; }}'
    done = subprocess.run(
        [*own_mounts(), "sh", "-c", script, "sh", *run],
        capture_output=True,
        text=True,
        timeout=600,
        env=os.environ | {"HATI_CACHE": str(folder)},
    )
    left = [line.rpartition("/")[2] for line in done.stdout.partition("LEFT\n")[2].splitlines()]
    return done.stderr, [name for name in left if not name.endswith(".lock")]
