"""`hati classify`."""

from __future__ import annotations

import sys
from itertools import chain, islice
from typing import TYPE_CHECKING

import click

from ..engines import Device, Precision
from . import options
from .printing import as_json, print_fault, print_json, print_table

if TYPE_CHECKING:
    from ..model import Answer, Model

HEADERS = ("Name", "Score", "Synset")


@click.command()
@click.argument("photos", metavar="PHOTO...", nargs=-1, required=True)
@options.model
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
    found = find(photos)
    first = list(islice(found, 2))
    tables, failures = _Tables(network, many=len(first) > 1), 0
    for answer in network.answers(chain(first, found), top, every_pixel=every_pixel):
        if answer.error is not None:
            failures += 1
            print_fault(answer.error)
        if as_json:
            _print_json(answer, network.name)
        elif answer.error is None:
            tables.print(answer)
    sys.exit(1 if failures else 0)


def _print_json(answer: Answer, model: str) -> None:
    named = [prediction._asdict() for prediction in answer.predictions]
    told = {"predictions": named} if answer.error is None else {"error": str(answer.error)}
    print_json({"photo": answer.photo, "model": model, **told})


class _Tables:
    """One photo's table; or those of many below one header, as wide as any name is, so that none waits for the others.

    A person's own classes have no synsets, and need no column for them.
    """

    def __init__(self, network: Model, *, many: bool):
        self.labels, self.many = network.labels or (), many
        self.columns = 3 if any(name != synset for synset, name in self.labels) else 2
        self.widths: tuple[int, ...] = ()

    def print(self, answer: Answer) -> None:
        cells = [(found.name, f"{found.score:.4f}", found.synset) for found in answer.predictions]
        if self.many and not self.widths:
            self._print_header()
        print_table(
            HEADERS[: self.columns],
            [row[: self.columns] for row in cells],
            right=(1,),
            title=answer.photo,
            widths=self.widths,
            headed=not self.many,
        )

    def _print_header(self) -> None:
        from ..tools.tables import table, width

        synsets, names = zip(*self.labels, strict=True)
        self.widths = (width(names), len("0.0000"), width(synsets))[: self.columns]
        click.echo(table(HEADERS[: self.columns], (), right=(1,), widths=self.widths))
