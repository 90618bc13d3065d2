"""`hati train`."""

from __future__ import annotations

import json
from dataclasses import fields
from os import environ
from os.path import getsize
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..errors import ArgumentError
from . import loudness, options
from .printing import as_json, print_fault, print_json, print_note

if TYPE_CHECKING:
    from ..transfer.finetuning import Recipe
    from ..transfer.training import Trained

ENDING = ".safetensors"


def share_or_folder(_: click.Context, __: click.Parameter, value: str) -> float | str:
    """`0.2` is a share of the photos; anything else is a folder or a table."""
    try:
        return float(value)
    except ValueError:
        return value


def settings(_: click.Context, __: click.Parameter, given: tuple[str, ...]) -> dict[str, Any]:
    """`mixup=0.2` as {"mixup": 0.2}; what the recipe cannot take, it refuses itself."""
    found: dict[str, Any] = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals:
            raise click.BadParameter(f"{text!r} is not understood; write it as mixup=0.2")
        try:
            found[name.strip()] = json.loads(value.lower())
        except ValueError:
            found[name.strip()] = value.strip()
    return found


@click.command()
@click.argument("folder")
@click.option("--out", required=True, metavar="FILE", help="The model's file, ending in .safetensors.")
@options.model
@click.option(
    "--method",
    default="auto",
    show_default=True,
    type=click.Choice(["auto", "imprint", "probe", "finetune"]),
    help="auto takes the next one as long as validation says that it pays.",
)
@click.option(
    "--validate",
    default="0.2",
    show_default=True,
    metavar="FOLDER|SHARE",
    callback=share_or_folder,
    help="Photos to validate with, or the share that is kept apart for it.",
)
@click.option("--multi-label", is_flag=True, help="A photo can have several classes; FOLDER is a CSV of path,label.")
@click.option("--size", type=click.IntRange(min=1), metavar="PIXELS", help="Of the picture that the model looks at.")
@click.option("--views", default=2, show_default=True, type=click.IntRange(1, 4), help="Of each photo, to learn from.")
@click.option("--light", is_flag=True, help="Leave the body out of the file; it is taken from the catalog again.")
@click.option("--picture", metavar="FILE", help="Where to draw the confusion matrix.  [default: beside OUT]")
@click.option("--epochs", type=click.IntRange(min=1), help="Fine-tuning: how often each photo is learnt from, at most.")
@click.option("--rate", type=click.FloatRange(min=0), help="Fine-tuning: of learning in the body.")
@click.option("--unfreeze", type=click.FloatRange(0, 1), help="Fine-tuning: the share of the body's layers that learn.")
@click.option(
    "--recipe",
    multiple=True,
    metavar="NAME=VALUE",
    callback=settings,
    help="Fine-tuning: any other setting of its recipe, such as mixup=0.2 or batch_size=8; several times.",
)
@click.option("--device", default="auto", show_default=True, type=click.Choice(["auto", "cpu", "cuda"]))
@click.option("--seed", default=0, show_default=True, type=click.IntRange(min=0), help="One seed gives one result.")
@as_json
def train(
    folder: str, out: str, light: bool, picture: str | None, recipe: dict[str, Any], as_json: bool, **given: Any
) -> None:
    """Teach a model the classes of your own photos.

    FOLDER has one folder of photos for each class, or is a CSV table with the columns path and label.

    \b
    imprint    the mean of each class; one photo of each will do
    probe      a logistic regression on what the model sees; seconds
    finetune   the model itself learns; minutes, and PyTorch: pip install ".[torch]"

    A run that was stopped goes on where it was. Exit status: 0, the model is written; 1, it is not; 2, wrong use.
    """
    from ..transfer.training import train as learn

    if light and given["method"] == "finetune":
        raise click.BadParameter("--light leaves out the body, which fine-tuning changes; leave one of them out")
    drawn = _checked_places(out, picture)
    chosen = _recipe(recipe | {key: given.pop(key) for key in ("epochs", "rate", "unfreeze")})
    try:
        trained = learn(folder, recipe=chosen, verbose=loudness.verbose(), **given)
    except KeyboardInterrupt:
        raise click.ClickException("stopped. What was finished is kept: the same command goes on from there") from None
    if not is_first_process():
        return
    _save(trained, out, light)
    _report(trained, out, drawn, as_json)


def _checked_places(out: str, picture: str | None) -> str | None:
    """Where to draw. Refuse, before any work, what could not be written after it."""
    if not out.endswith(ENDING):
        raise click.BadParameter(f"{out}: the model is written into a file whose name ends in {ENDING}")
    if not Path(out).absolute().parent.is_dir():
        raise click.BadParameter(f"{out}: its folder is not there; make it first")
    from ..evaluating.drawing import can_draw, check

    if picture is not None:
        check(picture)
        return picture
    return f"{out.removesuffix(ENDING)}.png" if can_draw() else None


def _recipe(given: dict[str, Any]) -> Recipe:
    """Fine-tuning's recipe, with the settings that are given."""
    from ..transfer.finetuning import Recipe

    known = [field.name for field in fields(Recipe)]
    unknown = [name for name in given if name not in known]
    if unknown:
        raise click.BadParameter(f"a recipe has no setting {unknown[0]!r}; it has {', '.join(known)}")
    return Recipe(**{name: value for name, value in given.items() if value is not None})


def is_first_process() -> bool:
    """Of those that `torchrun` started, one writes and prints."""
    return environ.get("RANK", "0") == "0"


def _save(trained: Trained, out: str, light: bool) -> None:
    """Whole, where the body cannot be left out after all: what was learnt is not to be lost."""
    try:
        trained.save(out, light=light)
    except ArgumentError as error:
        if not light:
            raise
        trained.save(out)
        print_note(f"{error}. So it was saved")


def _report(trained: Trained, out: str, picture: str | None, as_json: bool) -> None:
    say = print_note if as_json else click.echo
    if as_json:
        print_json({"model": out} | trained.to_json(), indent=2)
    else:
        click.echo(trained.text() + "\n")
    for error in trained.unreadable:
        print_fault(error)
    if trained.evaluation is not None and picture is not None:
        trained.evaluation.draw(picture)
        shown = "the confusion matrix" if trained.evaluation.confusion is not None else "each class' average precision"
        say(f"{picture}: {shown}")
    network = trained.model
    size = f"{getsize(out) / 1e6:,.1f} MB"
    say(f"{out}: {network.name}, {len(trained.photos)} classes, by {trained.method}, {size}")
