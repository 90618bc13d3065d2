"""The command line. Every command calls one public function and prints what it gives."""

import io
import sys

import click

from .. import __version__
from . import choose, classify, evaluate, export, loudness, models, optimise, save, summary, teach, train, weights
from .groups import Program

SETTINGS = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


@click.group(cls=Program, params=[*loudness.OPTIONS], context_settings=SETTINGS)
@click.version_option(__version__, prog_name="hati")
def main() -> None:
    """Name what is in a photo, with pretrained image models.

    \b
    hati classify photo.jpg              one photo
    hati classify holiday/ "*.png"       a folder and a pattern
    hati classify --json holiday/        one JSON object a line
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a file's name may hold what the terminal cannot show


for command in (
    choose.choose,
    classify.classify,
    evaluate.evaluate,
    export.export,
    models.models,
    optimise.optimise,
    summary.summary,
    save.save,
    teach.teach,
    train.train,
    weights.weights,
):
    main.add_command(command)
