"""A run: its photos, its folders, its environments, and a new process in one of them."""

import json
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import mkdtemp

from side_by_side.asking import PeerError
from side_by_side.environments import Environment
from side_by_side.processes import Command, launched

from hati.errors import HatiError

from .measuring import Figures
from .plan import Effort, Photos

PATIENCE = 1800.0  # seconds for one process
RECIPES = Path(__file__).parent / "recipes"
OWN = Environment("hati", Path(sys.prefix))  # with scikit-learn and PyTorch, as hati[train,torch] installs them


@dataclass(frozen=True)
class Run:
    photos: Photos
    work: Path
    effort: Effort
    peers: dict[str, Environment] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)  # peers that could not be installed, and why

    @contextmanager
    def empty_folder(self) -> Iterator[Path]:
        """A new folder, gone afterwards."""
        self.work.mkdir(parents=True, exist_ok=True)
        folder = Path(mkdtemp(dir=self.work))
        try:
            yield folder
        finally:
            shutil.rmtree(folder)

    def hati(self, folder: Path, *arguments: str) -> Figures:
        """Seconds and memory of `hati …` as a new process, whose cache is in a folder."""
        return self.process(own(folder), "hati", *arguments)

    def recipe(self, environment: Environment, folder: Path, script: str, *arguments: str) -> Figures:
        """A script of `recipes` as a new process, and what it wrote."""
        told = folder / "told.json"
        timed = self.process(environment, "python", str(RECIPES / script), str(folder), *arguments)
        return timed | json.loads(told.read_text())

    def process(self, environment: Environment, *arguments: str) -> Figures:
        found = launched(Command(environment, arguments), self.work, PATIENCE)
        return {"seconds": found.seconds, "memory": found.memory}


def own(cache: Path) -> Environment:
    """This Python, with a cache of its own."""
    return Environment(OWN.name, OWN.folder, {"HATI_CACHE": str(cache), "HATI_OFFLINE": "1"})


@contextmanager
def cache_at(folder: Path) -> Iterator[None]:
    """hati's cache for what runs in this process; an error of hati is one of the job."""
    before = os.environ.get("HATI_CACHE")
    os.environ["HATI_CACHE"] = str(folder)
    try:
        yield
    except HatiError as error:
        raise PeerError(str(error)) from None
    finally:
        os.environ.pop("HATI_CACHE")
        os.environ |= {"HATI_CACHE": before} if before is not None else {}
