"""What a person and the device's program read: README.md, requirements.txt, kit.json, labels.txt; and that program."""

from __future__ import annotations

import hashlib
import json
from importlib.resources import files
from typing import Any

from ... import __version__
from ...engines.tflite.file.reading import read
from ...labels import lines
from ..described import preprocessing
from .arena import Arena
from .contents import Contents
from .golden import TOLERANCES

PROGRAMS = ("classify.py", "teaching.py")
RUNTIMES = {".tflite": "ai-edge-litert>=1.0", ".onnx": "onnxruntime>=1.16"}
SHARED = ("numpy>=1.24", "pillow>=10.3")
PREPARED = ("size", "crop", "interpolation", "scale", "mean", "deviation")
NUMBERS = {
    "uint8": "unsigned bytes, red, green and blue from 0 to 255 as they are in a photo",
    "int8": "signed bytes, red, green and blue from 0 to 255, each less 128",
}


def write(contents: Contents, arena: Arena | None, not_micro: str) -> None:
    texts = {
        "README.md": _readme(contents, arena, not_micro),
        "requirements.txt": "".join(f"{line}\n" for line in (*SHARED, RUNTIMES[contents.found.ending])),
        "kit.json": json.dumps(_told(contents), indent=2, ensure_ascii=False) + "\n",
        "labels.txt": lines(contents.names),
        **{name: _program(name) for name in PROGRAMS},
    }
    for name, text in texts.items():
        (contents.folder / name).write_text(text, encoding="utf-8", newline="\n")


def _program(name: str) -> str:
    return (files(__package__) / "on_device" / name).read_text(encoding="utf-8")


def _told(contents: Contents) -> dict[str, Any]:
    """What classify.py goes by; `checksum` tells whether what was taught goes with the features."""
    prepared = preprocessing(contents.order)
    taught = contents.order.model.taught
    head = None
    if taught is not None:
        told = taught.provenance
        head = {"method": told.method, "photos": dict(told.photos), "several": told.multi_label}
    return {
        "name": contents.order.model.name,
        "model": contents.model.name,
        "features": contents.features.name,
        "numbers": contents.body.graph.output.shape[0],
        "checksum": hashlib.sha256(contents.features.read_bytes()).hexdigest(),
        "precision": contents.precision,
        "preprocessing": {key: prepared[key] for key in PREPARED},
        "head": head,
        "hati": __version__,
    }


def _readme(contents: Contents, arena: Arena | None, not_micro: str) -> str:
    model, (tolerance, _) = contents.order.model, TOLERANCES[contents.precision]
    coral = contents.order.numbers != "float32"
    parts = [
        f"# {model.name} on a small device",
        f"A kit of hati {__version__}: {contents.model.name} in {contents.precision}, {len(contents.names)} classes.",
        f"```console\n{COMMANDS}```",
        f"`--check` computes the pictures in `golden/` and compares with `golden.json`: scores may be off by "
        f"{tolerance:g}. Exit status 1 says that one is not, or that a photo could not be read.",
        _teaching(contents),
        "## What goes in, and what comes out",
        _numbers(contents),
        *([f"## Coral\n\n```console\n{CORAL}```"] if coral else []),
        "## Microcontrollers",
        _micro(arena, not_micro),
        f"## Files\n\n{_files(contents, arena)}",
    ]
    return "\n\n".join(parts) + "\n"


COMMANDS = """\
$ scp -r . pi@raspberrypi:kit && ssh pi@raspberrypi        # or however files come to the device
$ cd kit && python3 -m venv env                            # Python 3.9 or newer
$ env/bin/pip install -r requirements.txt
$ env/bin/python classify.py --check                       # does this device compute the same?
$ env/bin/python classify.py photo.jpg holiday/            # --top 5, --json, --threads 2
$ env/bin/python classify.py --teach wasps a.jpg b.jpg     # one class more, here and now
$ env/bin/python classify.py --forget wasps
"""
AUTHORS = "NASA, SpaceX, Stéfan van der Walt and Rachel Michetti"
CORAL = """\
$ edgetpu_compiler model.tflite          # on a PC with Linux: makes model_edgetpu.tflite, for a Coral's own libraries
"""


def _teaching(contents: Contents) -> str:
    kept = "What was taught is kept in `taught.npz`; more photos of a class make it surer."
    if contents.order.model.taught is not None:
        return f"## Teaching\n\nA class that is taught here joins the others, as `hati teach` adds it. {kept}"
    return (
        "## Teaching\n\nClasses that are taught here are a classifier of their own: as soon as there are two of them, "
        f"photos get their names, and `--original` gives those that the network came with. {kept}"
    )


def _numbers(contents: Contents) -> str:
    height, width = contents.order.model.size
    told, numbers = preprocessing(contents.order), contents.order.numbers
    if numbers == "float32" and told["type"] == "uint8" and contents.found.ending == ".onnx":
        numbers = "uint8"
    floats = "floats, (RGB / {scale:g} - {mean}) / {deviation}, channel by channel".format(**told)
    crop = f"{told['crop']:.3g} of the shorter side" if told["crop"] != 1 else "as large as fits"
    given = "floats"
    if contents.order.numbers != "float32":
        file = read(contents.model)
        scores = file.tensors[file.outputs[0]]
        given = f"{numbers}; a score is {scores.scales[0]:g} · (number - {scores.zero_point})"
    return (
        f"`{contents.model.name}` takes the middle of an upright photo ({crop}), resized to {width} × {height} pixels "
        f"({told['interpolation']}): one picture of {height} × {width} × 3 {NUMBERS.get(numbers, floats)}. It gives a "
        f"score for each line of `labels.txt` ({given}). `{contents.features.name}` takes the same, and gives "
        f"{contents.body.graph.output.shape[0]} numbers that tell what the network saw."
    )


def _micro(arena: Arena | None, reason: str) -> str:
    if arena is None:
        return f"There is no `model.h`: {reason}."
    return (
        "`model.h` is the network as a C array for TFLite Micro, with its scales, its labels and the operators to "
        f"register. It needs an arena of about {arena.total / 1000:.0f} kB: {arena.flowing / 1000:.0f} kB for what "
        f"flows between operators and {arena.kept / 1000:.0f} kB for what the interpreter keeps."
    )


def _files(contents: Contents, arena: Arena | None) -> str:
    taught = contents.order.model.taught is not None
    told = {
        contents.model.name: "the network, as hati tried it",
        contents.features.name: "the same without its classifier",
        "labels.txt": "the classes, one a line, in the order of the scores",
        "kit.json": "how a photo is prepared, and how the classes were learnt",
        **({"head.npz": "what makes classes of the features"} if taught else {}),
        "classify.py, teaching.py": "the program, to read and to change",
        "requirements.txt": "its three packages",
        "golden/, golden.json": f"pictures, and what is expected of them; in the public domain, by {AUTHORS}",
        **({"model.h": "the network for microcontrollers"} if arena else {}),
    }
    return "\n".join(["| file | what it is |", "|---|---|", *(f"| {name} | {what} |" for name, what in told.items())])
