"""`hati save`."""

from os.path import getsize

import click

from . import options


@click.command()
@click.argument("model")
@click.argument("out")
@options.weights
def save(model: str, out: str, weights: str) -> None:
    """Write MODEL into one file, OUT.

    \b
    OUT.safetensors   the whole model, with its preprocessing and labels: `hati classify --model OUT.safetensors`
    OUT.weights.h5    its weights alone, as Keras 3 loads them
    """
    from ..loading import load

    network = load(model, weights)
    (network.save_weights if out.endswith(".weights.h5") else network.save)(out)
    click.echo(f"{out}: {network.name}, {network.count_params():,} parameters, {getsize(out) / 1e6:,.1f} MB")
