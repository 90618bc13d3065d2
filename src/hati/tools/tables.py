"""Rows to a table of text, as wide as its contents: nothing is wrapped or cut."""

from collections.abc import Iterable, Sequence
from itertools import zip_longest


def table(
    headers: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    right: Sequence[int] = (),
    title: str | None = None,
    widths: Sequence[int] = (),
    headed: bool = True,
) -> str:
    """`right` numbers the columns that are aligned to the right; a cell may have several lines.

    `widths` are the least ones, so that tables look like one; those after the first need not be `headed` again.
    """
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    drawn = Table(box=box.SIMPLE_HEAD, show_header=headed)
    for number, (header, width) in enumerate(zip_longest(headers, widths)):
        drawn.add_column(header, justify="right" if number in right else "left", no_wrap=True, min_width=width)
    for row in rows:
        drawn.add_row(*map(Text, row))
    console = Console(width=10_000, color_system=None, force_jupyter=False)
    with console.capture() as capture:
        console.print(drawn)
    lines = [line.rstrip() for line in capture.get().splitlines() if line.strip()]
    return "\n".join(lines if title is None else [title, *lines])


def width(texts: Iterable[str]) -> int:
    """Of the widest text, in a terminal's cells: of some scripts a letter takes two, or none."""
    from rich.cells import cell_len

    return max(map(cell_len, texts))
