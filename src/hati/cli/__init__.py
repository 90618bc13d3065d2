"""The command line. Every command calls one public function and prints what it gives."""

import io
import sys
import warnings
from typing import Any

import click

from .. import __version__
from ..errors import ArgumentError, HatiError, UnknownModel
from . import choose, classify, evaluate, export, models, optimise, save, summary, teach, train, weights
from .printing import print_fault


class Commands(click.Group):
    """A group whose errors are one message and an exit status, and whose warnings are one line."""

    def invoke(self, context: click.Context) -> Any:
        try:
            with warnings.catch_warnings():
                warnings.showwarning = lambda message, *_: print_fault(message)
                return super().invoke(context)
        except (ArgumentError, UnknownModel) as error:
            raise click.UsageError(str(error)) from None
        except HatiError as error:
            raise click.ClickException(str(error)) from None


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
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
