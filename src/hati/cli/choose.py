"""`hati choose`."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from . import loudness
from .printing import as_json, print_fault, print_json, print_note

if TYPE_CHECKING:
    from ..choosing import Choice


Callback = Callable[[click.Context, click.Parameter, str | None], float | None]


def quantity(units: Mapping[str, float], example: str) -> Callback:
    """An option's callback: a number with its unit, brought to the unit whose factor is 1."""

    def convert(_: click.Context, __: click.Parameter, value: str | None) -> float | None:
        if value is None:
            return None
        matched = re.fullmatch(r"(\d+\.?\d*|\.\d+)\s*([^\d\s.]*)", value.strip(), re.ASCII)
        if matched is None:
            raise click.BadParameter(f"{value!r} is not understood; write it as {example}")
        number, unit = matched.groups()
        factors = {known.lower(): factor for known, factor in units.items()}
        if unit.lower() not in factors:
            fault = f"there is no unit {unit!r} here" if unit else "the unit is missing"
            raise click.BadParameter(f"{value!r}: {fault}; write it as {example}, in {', '.join(filter(None, units))}")
        return float(number) * factors[unit.lower()]

    return convert


percent = quantity({"": 1, "%": 1}, "75 or 75%")
seconds = quantity({"s": 1, "ms": 1e-3, "us": 1e-6, "µs": 1e-6}, "30ms or 0.03s")
megabytes = quantity(
    {"kB": 1e-3, "MB": 1, "GB": 1e3, "KiB": 2**10 / 1e6, "MiB": 2**20 / 1e6, "GiB": 2**30 / 1e6}, "20MB or 1.5GB"
)


@click.command()
@click.option("--top1", callback=percent, metavar="PERCENT", help="The least accuracy, in percent: 75.")
@click.option("--latency", callback=seconds, metavar="TIME", help="The most time for one picture: 30ms.")
@click.option("--size", callback=megabytes, metavar="SIZE", help="The most that its weights may take: 20MB.")
@click.option("--photos", metavar="FOLDER", help="Photos of yours to measure with.")
@click.option("--out", metavar="FILE", help="Draw the front into a .png or .svg file.")
@click.option("--all", "everything", is_flag=True, help="Measure and list every model.")
@click.option("--fresh", is_flag=True, help="Measure again what was measured before.")
@as_json
def choose(
    top1: float | None,
    latency: float | None,
    size: float | None,
    photos: str | None,
    out: str | None,
    everything: bool,
    fresh: bool,
    as_json: bool,
) -> None:
    """Pick the most accurate model within bounds, measured on this machine.

    Lists the models that no other one beats in accuracy, latency and size at once. Where a model's weights are not
    here, random ones serve to take its time. What was measured is kept, and told with its age; a run that was stopped
    goes on from there. A latency that is 30 days old, or was taken while something else kept this machine busy, is
    taken again.

    With --photos, the time is from photo to answer. A labels.csv among them, with columns file and index (the number
    of the ImageNet class), has the accuracy measured too, for models whose weights are here.

    Exit status: 0, a model was picked; 1, none is within the bounds; 2, wrong use.
    """
    from ..choosing import choose as find
    from ..choosing.drawing import check

    if out is not None:
        check(out)
    choice = find(
        top1=top1,
        latency=latency,
        megabytes=size,
        photos=photos,
        everything=everything,
        fresh=fresh,
        verbose=loudness.verbose(),
    )
    if out is not None:
        choice.draw(out)
    if as_json:
        print_json(_as_json(choice), indent=2)
    else:
        _print(choice, everything)
    sys.exit(0 if choice.pick else 1)


def _print(choice: Choice, everything: bool) -> None:
    from ..choosing.report import listed

    if rows := listed(choice, everything=everything):
        click.echo(f"{rows}\n")
    for note in choice.notes:
        print_note(note)
    if choice.pick is None:
        print_fault(choice.reason)
    else:
        click.echo(choice.reason)
        if choice.pick.random_weights:
            click.echo(f"Its weights are not on this machine: hati weights fetch {choice.pick.name}")


def _as_json(choice: Choice) -> dict[str, Any]:
    told = asdict(choice)
    for one, row in zip(choice.candidates, told["candidates"], strict=True):
        row |= {"on_front": one in choice.front, "misses": sorted(choice.bounds.missed_by(one))}
    names = {"pick": choice.pick and choice.pick.name, "nearest": [one.name for one in choice.nearest]}
    return told | names | {"front": [one.name for one in choice.front]}
