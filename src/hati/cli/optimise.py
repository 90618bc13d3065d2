"""`hati optimise`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from .. import DEFAULT_MODEL
from . import loudness, options
from .printing import as_json, print_fault, print_json, print_note, print_table

if TYPE_CHECKING:
    from ..optimising import Optimised


@click.command()
@click.argument("model", default=DEFAULT_MODEL)
@click.option("--calibrate", metavar="FOLDER", required=True, help="Photos like those that it will see; no labels.")
@options.weights
@click.option(
    "--agreement",
    default=0.98,
    show_default=True,
    type=click.FloatRange(0, 1),
    help="The part of photos that int8 must name as float does.",
)
@as_json
def optimise(model: str, calibrate: str, weights: str, agreement: float, as_json: bool) -> None:
    """Bring MODEL to eight-bit integers, where that is faster here and answers the same.

    A third of the photos, 128 at most, tell which numbers the network has; the others measure how often int8 and float
    name the same thing first. Layers that hurt are kept in float. The outcome is kept in the cache, for these weights
    on this machine: `hati.load(MODEL, precision="int8")` uses it.

    Exit status: 0, int8 replaces float; 1, it does not; 2, wrong use.
    """
    from ..loading import load
    from ..optimising import optimise as measure

    found = measure(load(model, weights), calibrate, agreement=agreement, verbose=loudness.verbose())
    if as_json:
        print_json(found.to_json())
    else:
        _print(found)
    sys.exit(0 if found.replaces_float else 1)


def _print(found: Optimised) -> None:
    low, high = found.interval
    rows = [
        ("one picture, ms", found.float_latency.milliseconds(2), found.int8_latency.milliseconds(2)),
        ("weights, MB", f"{found.float_bytes / 1e6:,.2f}", f"{found.int8_bytes / 1e6:,.2f}"),
        ("same first name", "", f"{found.agreement:.1%} ({low:.1%}–{high:.1%})"),
        ("largest shift of a probability", "", f"{found.shift:.3f}"),
        ("layers with weights", f"{len(found.in_float)}", f"{found.layers - len(found.in_float)}"),
    ]
    photos = f"{found.held_out:,} photos measured, {found.calibrated_on:,} others calibrated on"
    print_table(("", "float", "int8"), rows, right=(1, 2), title=f"{found.model}: {photos}")
    if found.in_float:
        kept = [(name, f"{hurt:.2g}") for name, hurt in found.in_float]
        print_table(("Kept in float", "Harm"), kept, right=(1,), title="harm: mean squared change of log-probabilities")
    if found.unreadable:
        print_fault(f"{len(found.unreadable):,} photos could not be read; one of them: {found.unreadable[0]}")
    for note in found.notes:
        print_note(note)
    click.echo(found.reason)
