"""How commands print: tables for people, JSON for programs, and what went wrong on standard error."""

import json
import os
from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any

import click

from ..tools.log import log

as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")


def print_table(
    headers: tuple[str, ...],
    rows: Sequence[tuple[str, ...]],
    *,
    right: tuple[int, ...],
    title: str | None = None,
    widths: tuple[int, ...] = (),
    headed: bool = True,
) -> None:
    from ..tools.tables import table

    click.echo(table(headers, rows, right=right, title=title, widths=widths, headed=headed) + "\n")


def print_json(value: Any, *, indent: int | None = None) -> None:
    """In strict JSON, which knows no NaN and no infinity: they are null."""
    click.echo(json.dumps(_strict(value), indent=indent, default=os.fspath))


def print_fault(fault: object) -> None:
    """One line on standard error for each thing that failed while others did not."""
    click.echo(" ".join(f"hati: {fault}".splitlines()), err=True)


def print_error(error: object) -> None:
    """The same for what may have lines of its own, indented below the first."""
    click.echo(f"hati: {error}", err=True)


def print_note(note: object) -> None:
    """A line on standard error of what else should be known; `-q` leaves it out."""
    log.warning(note)


def _strict(value: Any) -> Any:
    match value:
        case float():
            return value if isfinite(value) else None
        case Mapping():
            return {key: _strict(one) for key, one in value.items()}
        case Exception():
            return str(value)
        case list() | tuple():
            return [_strict(one) for one in value]
    return value
