"""New processes: from their start to a printed answer, the most memory they had, and what importing takes."""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from statistics import median

from . import photo_files
from .asking import PeerError, in_turns
from .environments import HERE, Environment
from .network_times import convert
from .plan import DEFAULT, RESNET
from .results import Piece, Row
from .running import Job, Run

ANSWERS, IMPORTS, SIZES = "new process to printed answer", "imports", "installed size"
PATIENCE = 300.0  # seconds


@dataclass(frozen=True)
class Command:
    environment: Environment
    arguments: tuple[str, ...]  # the first one's path is in the environment's bin


@dataclass(frozen=True)
class Launched:
    seconds: float
    memory: float  # MB at the most


def jobs(run: Run) -> Iterator[Job]:
    yield Job(ANSWERS, ("all", "starts"), lambda: in_new_processes(run, answers(run)))
    yield Job(IMPORTS, ("all", "imports"), lambda: in_new_processes(run, imports(run)))
    yield Job(SIZES, ("all", "sizes"), partial(sizes, run))


def answers(run: Run) -> dict[str, Command]:
    """Each prints three names, or numbers of classes, of one photo; ResNet50's weights are a file's."""
    folder = run.folder(RESNET)
    convert(run, folder)
    photo = str(photo_files.one(run.work / "photos", photo_files.SMALL, run.photos))
    weights = f"{folder}/random.weights.h5"
    environments = run.team.environments
    hati = ("hati", "classify", photo)
    shortest = {
        "ONNX Runtime": ("onnxruntime", "in_onnxruntime", f"{folder}/model.onnx"),
        "OpenVINO": ("openvino", "in_openvino", f"{folder}/model.onnx"),
        "LiteRT": ("litert", "in_litert", f"{folder}/model.tflite"),
        "PyTorch, eager": ("torch", "in_torch", folder),
        "Keras on TensorFlow": ("tensorflow", "in_keras", weights),
        "Keras on PyTorch": ("keras_torch", "in_keras", weights),
    }
    scripts = {
        f"{peer}, ResNet50": Command(environments[name], ("python", f"{HERE}/first_answers/{script}.py", what, photo))
        for peer, (name, script, what) in shortest.items()
    }
    return {
        f"hati, {DEFAULT.name}": Command(environments["hati"], hati),
        "hati, ResNet50": Command(environments["hati"], (*hati, "--model", "ResNet50", "--weights", weights)),
        **scripts,
    }


def imports(run: Run) -> dict[str, Command]:
    environments = run.team.environments
    statements = {
        "hati": "hati",
        "onnxruntime": "onnxruntime",
        "openvino": "openvino",
        "litert": "ai_edge_litert.interpreter",
        "torch": "torch",
        "tensorflow": "keras",
        "keras_torch": "keras",
    }
    titles = {"tensorflow": "import keras (TensorFlow)", "keras_torch": "import keras (PyTorch)"}
    return {
        "python alone": Command(environments["hati"], ("python", "-c", "pass")),
        "hati --help": Command(environments["hati"], ("hati", "--help")),
        **{
            titles.get(name, f"import {module}"): Command(environments[name], ("python", "-c", f"import {module}"))
            for name, module in statements.items()
        },
    }


def in_new_processes(run: Run, commands: Mapping[str, Command]) -> Piece:
    """Seconds of each command from start to end, in turns, after one run that is not counted."""
    memory: dict[str, list[float]] = {name: [] for name in commands}

    def work(name: str) -> list[float]:
        if not memory[name]:
            launched(commands[name], run.work)
        found = launched(commands[name], run.work)
        memory[name].append(found.memory)
        return [found.seconds]

    piece = in_turns({name: partial(work, name) for name in commands}, run.effort.processes)
    return {name: row if row.failed else replace(row, memory=median(memory[name])) for name, row in piece.items()}


def launched(command: Command, work: Path, patience: float = PATIENCE) -> Launched:
    """Raises PeerError where it does not end well."""
    program, *arguments = command.arguments
    environment, log = command.environment, work / "logs" / "launched.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    launcher = [sys.executable, "-I", "-S", str(HERE / "launch.py"), str(log)]
    try:
        told = subprocess.run(
            [*launcher, str(environment.python.parent / program), *arguments],
            env=environment.surroundings(),
            capture_output=True,
            text=True,
            check=True,
            timeout=patience,
        )
    except (subprocess.SubprocessError, OSError) as error:
        raise PeerError(str(error)) from None
    found = json.loads(told.stdout)
    if found["code"]:
        last = log.read_text(errors="replace").strip().splitlines()[-1:] or ["it said nothing"]
        raise PeerError(f"exit status {found['code']}: {last[0]}")
    return Launched(found["seconds"], found["memory"])


def sizes(run: Run) -> Piece:
    """MB of each environment's packages."""
    environments = run.team.environments.values()
    return {
        environment.name: Row.of([environment.megabytes()])
        for environment in environments
        if environment.name not in run.team.missing
    }
