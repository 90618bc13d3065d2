"""`hati summary`."""

from dataclasses import asdict

import click

from .printing import as_json, print_json


@click.command()
@click.argument("model")
@as_json
def summary(model: str, as_json: bool) -> None:
    """Print the layers of MODEL: output shapes, parameters, inputs, and the totals."""
    from ..loading import load
    from ..network import summary as table

    network = load(model, weights=None)
    if as_json:
        rows = [asdict(row) for row in table.rows(network.graph)]
        print_json({"model": network.name, "layers": rows, "totals": asdict(table.totals(network.graph))}, indent=2)
    else:
        network.summary(click.echo)
