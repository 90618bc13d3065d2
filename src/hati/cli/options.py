"""Options that several commands have."""

import click

from .. import DEFAULT_MODEL

model = click.option(
    "-m",
    "--model",
    default=DEFAULT_MODEL,
    show_default=True,
    metavar="NAME",
    help="A name from `hati models`, or a .safetensors file that hati wrote.",
)
weights = click.option("--weights", default="imagenet", metavar="FILE", help="Weights of your own for that model.")
precision = click.option(
    "--precision",
    default="float32",
    show_default=True,
    type=click.Choice(["float32", "float16", "int8"]),
    help="int8 after `hati optimise`; float16 on a GPU.",
)
device = click.option("--device", default="cpu", show_default=True, type=click.Choice(["cpu", "cuda"]))
