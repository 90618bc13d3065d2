"""How commands print: tables for people, JSON for programs."""

from collections.abc import Sequence

import click

as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")


def print_table(
    headers: tuple[str, ...], rows: Sequence[tuple[str, ...]], *, right: tuple[int, ...], title: str | None = None
) -> None:
    from ..tools.tables import table

    click.echo(table(headers, rows, right=right, title=title) + "\n")


def print_fault(fault: object) -> None:
    """One line on standard error for each thing that failed while others did not."""
    click.echo(" ".join(f"hati: {fault}".splitlines()), err=True)
