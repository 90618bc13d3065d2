"""`hati models`."""

import json
from dataclasses import asdict

import click

from .printing import as_json, print_table


@click.command()
@as_json
def models(as_json: bool) -> None:
    """List every model: its size, its published accuracy, and whether its weights are on this machine."""
    from ..loading import models

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
    print_table(headers, rows, right=(1, 2, 3, 4))


def _percent(accuracy: float | None) -> str:
    return "" if accuracy is None else f"{accuracy:.1f}"
