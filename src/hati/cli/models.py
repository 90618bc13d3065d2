"""`hati models`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from . import loudness
from .printing import as_json, print_json, print_note, print_table

if TYPE_CHECKING:
    from ..choosing.small_models import Agreement, SmallModels
    from ..loading import ModelCard


@click.command()
@click.option("--small", is_flag=True, help="Those whose int8 TFLite file is under 10 MB, and what they cost here.")
@click.option("--calibrate", metavar="FOLDER", help="With --small: photos to measure int8 beside float with.")
@click.option("--fresh", is_flag=True, help="With --small: take times again that were taken before.")
@as_json
def models(small: bool, calibrate: str | None, fresh: bool, as_json: bool) -> None:
    """List every model: its size, its published accuracy, and whether its weights are on this machine.

    With --small, the models for small devices: size in int8 and multiply-adds, counted from the network; the latency of
    one picture on one thread, measured here when it is first asked for, kept for 30 days, and told with its age; and
    the part of photos that int8 names as float does, where that was measured with real weights.
    """
    if not small and (calibrate is not None or fresh):
        raise click.UsageError("--calibrate and --fresh go with --small")
    if small:
        from ..choosing.small_models import small_models

        found = small_models(calibrate=calibrate, fresh=fresh, verbose=loudness.verbose())
        print_json(asdict(found), indent=2) if as_json else _print_small(found)
        return
    from ..loading import list_models

    cards = list_models()
    print_json([asdict(card) for card in cards], indent=2) if as_json else _print(cards)


def _print(cards: Sequence[ModelCard]) -> None:
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
    print_table(headers, rows, right=(1, 2, 3, 4))


def _print_small(found: SmallModels) -> None:
    from ..choosing.reasons import measured

    columns = {
        "Model": [one.name for one in found.models],
        "int8 MB": [f"{one.megabytes:.2f}" for one in found.models],
        "Multiply-adds M": [f"{one.multiply_adds / 1e6:,.1f}" for one in found.models],
        "Input": [f"{one.size}×{one.size}" for one in found.models],
        "Top-1 %": [_percent(one.published) for one in found.models],
        "As float %": [_share(one.agreement) for one in found.models],
        "Latency ms": [one.latency.milliseconds(2) if one.latency else "" for one in found.models],
        "Measured": [measured(one.latency, found.asked) for one in found.models],
        "Weights": ["here" if one.on_this_machine else "" for one in found.models],
    }
    kept = {header: cells for header, cells in columns.items() if any(cells)}
    right = [number for number, header in enumerate(kept) if header not in ("Model", "Measured", "Weights")]
    title = "Models of less than 10 MB as TFLite in int8"
    print_table(tuple(kept), list(zip(*kept.values(), strict=True)), right=tuple(right), title=title)
    click.echo("int8 MB, multiply-adds: counted from the network. Top-1: of the float model, as published.")
    if found.runtime:
        where = str(found.machine)
        click.echo(f"Latency: one picture in int8, one thread, {found.runtime}, measured on this machine: {where}.")
    click.echo("As float: photos of which int8 gives the first name of float; empty where that was not measured.")
    for source in dict.fromkeys(one.agreement.source for one in found.models if one.agreement):
        names = [one.name for one in found.models if one.agreement and one.agreement.source == source]
        click.echo(f"  {', '.join(names)}: {source}.")
    for note in found.notes:
        print_note(note)


def _percent(accuracy: float | None) -> str:
    return "" if accuracy is None else f"{accuracy:.1f}"


def _share(agreement: Agreement | None) -> str:
    if agreement is None:
        return ""
    share, low, high = (100 * part for part in (agreement.share, *agreement.interval))
    return f"{share:.1f} ({low:.1f}–{high:.1f}) of {agreement.photos}"
