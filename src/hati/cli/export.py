"""`hati export`."""

from __future__ import annotations

import sys
from dataclasses import asdict
from textwrap import fill
from typing import TYPE_CHECKING, Any

import click

from .. import DEFAULT_MODEL
from . import loudness, options
from .printing import as_json, print_fault, print_json, print_note, print_table

if TYPE_CHECKING:
    from ..exporting import Exported
    from ..exporting.edge_tpu import EdgeTPU
    from ..tools.measuring import Spread

SHOWN = 10  # layers of those that were ranked
WIDTH = 80  # of a cell


@click.command()
@click.argument("model", default=DEFAULT_MODEL)
@click.option(
    "--out", required=True, metavar="FILE", help="The file to write; nothing is, where it is not good enough."
)
@click.option(
    "--to",
    type=click.Choice(["tflite", "onnx", "openvino", "torch", "coreml"]),
    help="The format.  [default: by the ending of FILE]",
)
@click.option(
    "--precision",
    default="float32",
    show_default=True,
    type=click.Choice(["float32", "float16", "int8"]),
    help="int8 is a quarter of the size, and all that a Coral takes.",
)
@click.option(
    "--io",
    type=click.Choice(["float32", "int8", "uint8"]),
    help="The numbers that a TFLite file in int8 takes and gives; bytes are RGB as it is.  [default: uint8]",
)
@click.option("--pixels", is_flag=True, help="A float file, too, takes RGB from 0 to 255: preprocessing is inside.")
@click.option("--calibrate", metavar="FOLDER", help="For int8: photos like those that it will see; no labels.")
@click.option("--check", metavar="FOLDER", help="Photos to check with.  [default: a part of those to calibrate on]")
@click.option(
    "--agreement",
    type=click.FloatRange(0, 1),
    help="The part of photos that the file must name as the model does.  [default: 0.9 for int8]",
)
@click.option("--keep", multiple=True, metavar="LAYER", help="A layer that stays in float in int8; several times.")
@click.option("--rank", is_flag=True, help="For int8: tell what each layer costs.")
@click.option("--opset", type=int, help="Of ONNX.")
@click.option("--kit", metavar="FOLDER", help="Fill a folder for a device: a program, labels, pictures to check by.")
@options.weights
@as_json
def export(model: str, out: str, weights: str, as_json: bool, **settings: Any) -> None:
    """Write MODEL for a phone, a Raspberry Pi, a Coral or another runtime.

    \b
    hati export --out lite.tflite                                     for phones, by LiteRT
    hati export pets.safetensors --out pets.tflite --precision int8 --calibrate photos/
    hati export ResNet50 --out resnet.onnx --pixels                   takes RGB bytes as they are

    The file is run by its own runtime before it gets its name: on photos that it was not calibrated on it must name
    what the model names. The report tells how often it does, what it takes here, and what an Edge TPU would take.

    Exit status: 0, the file is written; 1, it is not good enough; 2, wrong use.
    """
    from ..exporting import export as write
    from ..loading import load

    found = write(load(model, weights), out, verbose=loudness.verbose(), **settings)
    print_json(asdict(found), indent=2) if as_json else _print(found)
    sys.exit(0 if found.written and (found.kit is None or found.kit.written) else 1)


def _print(found: Exported) -> None:
    figures = found.measured
    low, high = figures.interval
    rows = [
        ("named alike", f"{figures.agreement:.1%} ({low:.1%}–{high:.1%}) of {figures.photos:,} photos"),
        ("largest shift of a score", f"{figures.shift:.2g}"),
        ("size", f"{figures.bytes / 1e6:,.2f} MB"),
        *((f"one picture, {threads} thread{'s'[: threads > 1]}", _ms(t)) for threads, t in figures.latency.items()),
        *([("memory of a process that runs it", f"{figures.memory / 1e6:,.0f} MB")] if figures.memory else []),
        ("takes", f"{found.takes}, {'RGB from 0 to 255' if found.takes_pixels else 'preprocessed RGB'}"),
        ("gives", found.gives),
        ("operators", _counted(figures.operators)),
        *([("an Edge TPU takes", _coral(found.edge_tpu))] if found.edge_tpu else []),
    ]
    calibrated = f", calibrated on {found.calibrated_on:,} photos" if found.calibrated_on else ""
    title = f"{found.model} as {found.format} in {found.precision}{calibrated}"
    print_table(("", "Measured here"), rows, right=(), title=title)
    if found.hurts:
        hurting = [(name, f"{hurt:.2g}") for name, hurt in found.hurts[:SHOWN]]
        note = "harm: mean squared change of log-probabilities, that layer alone in int8"
        print_table(("Layer", "Harm"), hurting, right=(1,), title=note)
    if found.samples:
        print_note("measured with hati's own four photos; --check FOLDER measures with yours")
    if found.unreadable:
        print_fault(f"{len(found.unreadable):,} photos could not be read; one of them: {found.unreadable[0]}")
    click.echo(found.reason)
    for line in found.advice:
        click.echo(f"  {line}")
    if found.kit:
        click.echo("\n  ".join([found.kit.reason, *found.kit.notes]))


def _counted(operators: dict[str, int]) -> str:
    return fill(", ".join(f"{count} {name}" for name, count in operators.items()), WIDTH)


def _coral(found: EdgeTPU) -> str:
    taken, left = (sum(operators.values()) for operators in (found.taken, found.left))
    told = f"{taken} of {taken + left} operators"
    return f"{told}: {found.reason}" if found.reason else told


def _ms(spread: Spread) -> str:
    return f"{1000 * spread.median:.2f} ms ({1000 * spread.low:.2f}–{1000 * spread.high:.2f})"
