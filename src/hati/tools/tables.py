"""Rows to a table of text, as wide as its contents: nothing is wrapped or cut."""

from collections.abc import Iterable, Sequence


def table(
    headers: Sequence[str], rows: Iterable[Sequence[str]], *, right: Sequence[int] = (), title: str | None = None
) -> str:
    """`right` numbers the columns that are aligned to the right; a cell may have several lines."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    drawn = Table(box=box.SIMPLE_HEAD)
    for number, header in enumerate(headers):
        drawn.add_column(header, justify="right" if number in right else "left", no_wrap=True)
    for row in rows:
        drawn.add_row(*map(Text, row))
    console = Console(width=10_000, color_system=None, force_jupyter=False)
    with console.capture() as capture:
        console.print(drawn)
    lines = [line.rstrip() for line in capture.get().splitlines() if line.strip()]
    return "\n".join(lines if title is None else [title, *lines])
