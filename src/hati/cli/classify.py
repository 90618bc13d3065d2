"""`hati classify`."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import click

from .. import DEFAULT_MODEL
from ..engines import Device, Precision
from . import options
from .printing import as_json, print_fault, print_table

if TYPE_CHECKING:
    from ..model import Answer


@click.command()
@click.argument("photos", metavar="PHOTO...", nargs=-1, required=True)
@click.option(
    "--model",
    default=DEFAULT_MODEL,
    show_default=True,
    metavar="NAME",
    help="A name from `hati models`, or a .safetensors file that hati wrote.",
)
@options.weights
@click.option("--top", default=3, show_default=True, type=click.IntRange(min=1), help="How many names for each photo.")
@options.precision
@options.device
@click.option("--every-pixel", is_flag=True, help="Decode large JPEGs whole, which takes longer.")
@as_json
def classify(
    photos: tuple[str, ...],
    model: str,
    weights: str,
    top: int,
    precision: Precision,
    device: Device,
    every_pixel: bool,
    as_json: bool,
) -> None:
    """Name what is in photos.

    A PHOTO is a file, a folder (searched to its bottom), a glob pattern, a URL, or - for standard input. Photos are
    turned upright by their EXIF orientation.

    Exit status: 0, all photos were named; 1, some could not be read, and the others were named; 2, wrong use.
    """
    from ..loading import load
    from ..photos.finding import find

    network = load(model, weights, precision=precision, device=device)
    failures = 0
    for answer in network.answers(find(photos), top, every_pixel=every_pixel):
        if answer.error is not None:
            failures += 1
            print_fault(answer.error)
        elif as_json:
            named = [prediction._asdict() for prediction in answer.predictions]
            click.echo(json.dumps({"photo": answer.photo, "model": network.name, "predictions": named}))
        else:
            _print(answer)
    sys.exit(1 if failures else 0)


def _print(answer: Answer) -> None:
    """A person's own classes have no synsets, and need no column for them."""
    rows = [(found.name, f"{found.score:.4f}", found.synset) for found in answer.predictions]
    if any(name != synset for name, _, synset in rows):
        print_table(("Name", "Score", "Synset"), rows, right=(1,), title=answer.photo)
    else:
        print_table(("Name", "Score"), [row[:2] for row in rows], right=(1,), title=answer.photo)
