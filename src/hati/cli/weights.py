"""`hati weights`: the files of weights on this machine."""

import sys
from dataclasses import asdict

import click

from .groups import Group
from .printing import as_json, print_error, print_fault, print_json, print_table

some_names = click.argument("names", metavar="NAME...", nargs=-1, required=True)
any_names = click.argument("names", metavar="[NAME...]", nargs=-1)
without_top = click.option("--without-top", is_flag=True, help="The weights without the classifier.")


@click.group(cls=Group)
def weights() -> None:
    """Fetch, check, carry and remove files of weights.

    \b
    HATI_CACHE=FOLDER    where they lie
    HATI_MIRROR=A,B      folders or addresses that are asked before the published one
    HATI_OFFLINE=1       nothing is fetched from the network
    """


@weights.command()
@any_names
@click.option("--all", "everything", is_flag=True, help="Of every model.")
@without_top
def fetch(names: tuple[str, ...], everything: bool, without_top: bool) -> None:
    """Fetch the weights of the models NAMEd, and verify them.

    A download that was cut goes on where it stopped. Exit status 1: some could not be had, and the others were.
    """
    from ..catalog import entries
    from ..weights.bringing import holdings

    failures = 0
    for outcome in holdings.fetch(_chosen(names, everything) or tuple(entries()), not without_top):
        if outcome.error is not None:
            failures += 1
            print_error(outcome.error)
        else:
            click.echo(f"{outcome.model}: {outcome.path}")
    sys.exit(1 if failures else 0)


@weights.command(name="list")
@as_json
def list_(as_json: bool) -> None:
    """List the files of weights that are on this machine."""
    from ..weights.bringing import holdings

    held = holdings.holdings()
    if as_json:
        print_json([asdict(holding) for holding in held], indent=2)
        return
    rows = [
        (
            holding.models[0] + (f" and {len(holding.models) - 1} more" if holding.models[1:] else ""),
            f"{holding.bytes / 1e6:,.1f}",
            "" if holding.whole else "only a part",
            holding.licence,
            holding.path,
        )
        for holding in held
    ]
    print_table(("Model", "MB", "", "Licence", "File"), rows, right=(1,))


@weights.command()
@any_names
def verify(names: tuple[str, ...]) -> None:
    """Check the weights of the models NAMEd, or all on this machine, against their checksums.

    Exit status 1: some are not what they should be, or not here.
    """
    from ..weights.bringing import holdings

    failures = 0
    for outcome in holdings.verify(names):
        if outcome.error is not None:
            failures += 1
            print_fault(outcome.error)
        else:
            click.echo(f"{outcome.path}: good")
    sys.exit(1 if failures else 0)


@weights.command()
@click.argument("name")
@without_top
def where(name: str, without_top: bool) -> None:
    """Print the path of a model's weights."""
    from ..weights.bringing import holdings

    click.echo(holdings.where(name, not without_top))


@weights.command()
@any_names
@click.option("--all", "everything", is_flag=True, help="Of every model.")
def remove(names: tuple[str, ...], everything: bool) -> None:
    """Remove the weights of the models NAMEd, their checksums, and what is left of cut downloads, from the cache."""
    from ..weights.bringing import holdings

    freed = holdings.remove(_chosen(names, everything))
    click.echo(f"{freed / 1e6:,.1f} MB freed" if freed else "there was nothing to remove")


@weights.command()
@click.argument("out")
@some_names
@without_top
def bundle(out: str, names: tuple[str, ...], without_top: bool) -> None:
    """Write the weights of the models NAMEd into one archive, OUT, for a machine without network."""
    from ..weights.bringing import bundles

    for packed in bundles.bundle(out, names, not without_top):
        click.echo(f"{packed.name}: {packed.bytes:,} bytes, {packed.licence}")


@weights.command(name="import")
@click.argument("file")
def import_(file: str) -> None:
    """Take FILE into the cache, verified: a file of weights by its published name, or all in a bundle.

    A bundle is what `hati weights bundle` wrote. A file without a published checksum is told of.
    """
    from ..weights.bringing import importing

    for taken in importing.import_(file):
        how = "" if taken.has_checksum else "; no checksum was published, so it may be another model's"
        click.echo(f"{taken.path}: {'was here already' if taken.was_here else 'taken'}{how}")


def _chosen(names: tuple[str, ...], everything: bool) -> tuple[str, ...]:
    """The names given; none of them stands for every model, and has to be meant."""
    if bool(names) == everything:
        raise click.UsageError("give either names of models or --all")
    return names
