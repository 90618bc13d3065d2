"""A kit, and a device for it: a fresh environment with nothing but what its requirements.txt names."""

import json
import os
import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock
from sorted_photos import texture
from tiny_body import school

from hati.exporting import kit as kits
from hati.exporting.formats import Order, find
from hati.exporting.trial import gathered
from hati.model import Model
from hati.network.taught import Provenance
from hati.transfer.heads import joined

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Device:
    """Runs the program of a kit as a person does, in the kit's folder."""

    python: Path
    kit: Path

    def run(self, *arguments: str | Path, status: int = 0) -> subprocess.CompletedProcess[str]:
        command = [str(self.python), "classify.py", *map(str, arguments)]
        plain = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
        done = subprocess.run(command, cwd=self.kit, env=plain, capture_output=True, text=True)
        assert done.returncode == status, f"{shlex.join(command)}\n{done.stdout}{done.stderr}"
        assert "Traceback" not in done.stderr
        return done

    def scores(self, *photos: Path, original: bool = False) -> list[dict[str, float]]:
        """For each photo, every class' score."""
        told = self.run("--json", "--top", "2000", *(["--original"] if original else []), *photos).stdout
        return [{one["name"]: one["score"] for one in line["predictions"]} for line in self.lines(told)]

    @staticmethod
    def lines(text: str) -> list[dict[str, Any]]:
        return [json.loads(line) for line in text.splitlines()]


def environment(folder: Path, requirements: Path) -> Path:
    """The Python of a new environment, which the processes of one test run share."""
    if os.environ.get("HATI_OFFLINE"):
        pytest.skip("a fresh environment is filled from the package registry, and HATI_OFFLINE is set")
    python = folder / "bin" / "python"
    with FileLock(f"{folder}.lock"):
        if not python.exists():
            install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
            subprocess.run([sys.executable, "-m", "venv", folder], check=True)
            constraints = ["--constraint", str(ROOT / "constraints.txt"), "--requirement", str(requirements)]
            subprocess.run([str(python), *install, *constraints], check=True)
    return python


def taught(folder: Path, method: str = "imprint", several: bool = False) -> Model:
    """A small network with three colours as its classes, or with four of which a photo can have two."""
    given = school(folder, multi_label=several)
    counts = tuple((name, 4) for name in given.train.classes)
    origin = Provenance("few", "0" * 64, method, (), counts, several, None, ())
    return joined(given.body, given.head, given.train.classes, origin)


def pictures(folder: Path, count: int = 4) -> list[Path]:
    folder.mkdir(exist_ok=True)
    paths = [folder / f"{number}.png" for number in range(count)]
    for number, path in enumerate(paths):
        texture("dots", number).save(path)
    return paths


def kit_of(model: Model, folder: Path, name: str = "tflite", **settings: Any) -> Path:
    """A kit as an export fills it, without the gate's measuring."""
    found, order = find(name), Order(model, **settings)
    out = folder / f"gated{found.ending}"
    found.write(order, out)
    made = kits.write(folder / "kit", found, order, out, gathered(model, None, None, 0), 0.99)
    assert made.written, made.reason
    return made.path
