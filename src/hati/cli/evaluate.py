"""`hati evaluate`."""

import sys

import click

from ..engines import Device, Precision
from . import loudness, options
from .printing import as_json, print_json


@click.command()
@click.argument("model")
@click.argument("photos", metavar="FOLDER")
@options.weights
@click.option("--multi-label", is_flag=True, default=None, help="A photo can have several classes.")
@click.option("--picture", metavar="FILE", help="Draw which classes are taken for which: .png, .svg or .pdf.")
@options.precision
@options.device
@as_json
def evaluate(
    model: str,
    photos: str,
    weights: str,
    multi_label: bool | None,
    picture: str | None,
    precision: Precision,
    device: Device,
    as_json: bool,
) -> None:
    """Judge MODEL by the photos of FOLDER, whose classes are known.

    MODEL is a name from `hati models`, or a .safetensors file that hati wrote. FOLDER has one folder of photos for each
    class, named as the model names it, or by its synset; a CSV table with the columns path and label will do too.

    Exit status: 0, all photos were judged; 1, some could not be read, and the others were judged; 2, wrong use.
    """
    from ..evaluating import evaluate as judge
    from ..loading import load

    if picture is not None:
        from ..evaluating.drawing import check

        check(picture)
    network = load(model, weights, precision=precision, device=device)
    found = judge(network, photos, multi_label=multi_label, verbose=loudness.verbose())
    if picture is not None:
        found.draw(picture)
    print_json(found.to_json()) if as_json else click.echo(found.text())
    sys.exit(1 if found.unreadable else 0)
