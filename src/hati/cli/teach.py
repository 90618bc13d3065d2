"""`hati teach`."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.argument("model")
@click.argument("name", metavar="CLASS")
@click.argument("photos", metavar="PHOTO...", nargs=-1, required=True)
@click.option("--out", metavar="FILE", help="The new model's file.  [default: MODEL itself]")
@click.option("--light", is_flag=True, help="Leave the body out, as in `hati train`; so it is where MODEL is light.")
def teach(model: str, name: str, photos: tuple[str, ...], out: str | None, light: bool) -> None:
    """Add one class to a MODEL that `hati train` made, from a few photos of it.

    A PHOTO is a file, a folder, a glob pattern or a URL; one is enough, five are better. The photos of the other
    classes are not needed. A class that the model knows already learns from more photos, where it was imprinted.
    """
    from ..photos.finding import find
    from ..transfer.teaching import teach as learn
    from ..weights import description

    taught = learn(model, name, find(photos))
    taught.save(out or model, light=light or description.read(Path(model)).light)
    assert taught.taught is not None, "it was just taught"
    counts = dict(taught.taught.provenance.photos)
    photos_told = f"{counts[name]} photo{'' if counts[name] == 1 else 's'}"
    click.echo(f"{out or model}: {len(counts)} classes; {name} from {photos_told}")
