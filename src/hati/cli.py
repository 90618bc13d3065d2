"""The command line. Every command calls one public function and prints what it gives."""

import io
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import click

from . import DEFAULT_MODEL, __version__
from .errors import ArgumentError, HatiError, UnknownModel

as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")


class Commands(click.Group):
    """A group whose errors are one message and an exit status."""

    def invoke(self, context: click.Context) -> Any:
        try:
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


@main.command()
@click.argument("photos", metavar="PHOTO...", nargs=-1, required=True)
@click.option("--model", default=DEFAULT_MODEL, show_default=True, metavar="NAME", help="A name from `hati models`.")
@click.option("--weights", default="imagenet", metavar="FILE", help="Weights of your own for that model.")
@click.option("--top", default=3, show_default=True, type=click.IntRange(min=1), help="How many names for each photo.")
@as_json
def classify(photos: tuple[str, ...], model: str, weights: str, top: int, as_json: bool) -> None:
    """Name what is in photos.

    A PHOTO is a file, a folder (searched to its bottom), a glob pattern, a URL, or - for standard input. Photos are
    turned upright by their EXIF orientation.

    Exit status: 0, all photos were named; 1, some could not be read, and the others were named; 2, wrong use.
    """
    from .loading import load
    from .photos import find

    network = load(model, weights)
    failures = 0
    for answer in network.answers(find(photos), top):
        if answer.error is not None:
            failures += 1
            click.echo(" ".join(f"hati: {answer.error}".splitlines()), err=True)
        elif as_json:
            named = [prediction._asdict() for prediction in answer.predictions]
            click.echo(json.dumps({"photo": answer.photo, "model": network.name, "predictions": named}))
        else:
            rows = [(found.name, f"{found.score:.4f}", found.synset) for found in answer.predictions]
            _print_table(("Name", "Score", "Synset"), rows, right=(1,), title=answer.photo)
    sys.exit(1 if failures else 0)


@main.command()
@as_json
def models(as_json: bool) -> None:
    """List every model: its size, its published accuracy, and whether its weights are on this machine."""
    from .loading import models

    cards = models()
    if as_json:
        click.echo(json.dumps([asdict(card) for card in cards], indent=2))
        return
    headers = ("Model", "Parameters", "MB", "Top-1 %", "Top-5 %", "Input", "Licence", "On this machine")
    rows = [
        (
            card.name,
            f"{card.parameters:,}",
            f"{card.megabytes:,.1f}",
            _percent(card.top1),
            _percent(card.top5),
            f"{card.size}×{card.size}",
            card.licence,
            "yes" if card.on_this_machine else "no",
        )
        for card in cards
    ]
    _print_table(headers, rows, right=(1, 2, 3, 4))


@main.command()
@click.argument("model")
@as_json
def summary(model: str, as_json: bool) -> None:
    """Print the layers of MODEL: output shapes, parameters, inputs, and the totals."""
    from . import summary as table
    from .loading import load

    network = load(model, weights=None)
    if as_json:
        rows = [asdict(row) for row in table.rows(network.graph)]
        click.echo(
            json.dumps({"model": network.name, "layers": rows, "totals": asdict(table.totals(network.graph))}, indent=2)
        )
    else:
        network.summary(click.echo)


def _percent(accuracy: float | None) -> str:
    return "" if accuracy is None else f"{accuracy:.1f}"


def _print_table(
    headers: tuple[str, ...], rows: Sequence[tuple[str, ...]], *, right: tuple[int, ...], title: str | None = None
) -> None:
    from .tables import table

    click.echo(table(headers, rows, right=right, title=title) + "\n")
