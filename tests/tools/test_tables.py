"""Tables of text: as wide as they must be, and nothing in them changed."""

import pytest

from hati.tools.tables import table, width

ROWS = [("tusker", "0.6424"), ("African_elephant", "12.5")]


def test_columns_are_as_wide_as_their_widest_cell() -> None:
    headers, line, *rows = table(("Name", "Score"), ROWS).splitlines()
    assert headers.split() == ["Name", "Score"]
    assert set(line.strip()) <= {"─", "-"}
    assert rows == ["  tusker             0.6424", "  African_elephant   12.5"]


def test_numbers_stand_to_the_right() -> None:
    _, _, *rows = table(("Name", "Score"), ROWS, right=(1,)).splitlines()
    assert rows == ["  tusker             0.6424", "  African_elephant     12.5"]


@pytest.mark.parametrize("title", ["photo.jpg", "[bold]a[/bold]/:cat:.jpg", "x" * 300])
def test_a_title_stands_above_unchanged(title: str) -> None:
    first, *rest = table(("Name", "Score"), ROWS, title=title).splitlines()
    assert first == title
    assert rest == table(("Name", "Score"), ROWS).splitlines()


@pytest.mark.parametrize(
    "cell", ["x" * 3000, "[red]a[/red]", ":cat:", "https://x.org/a?b=[1]", "(None, 7, 7, 2048)", "হাতি"]
)
def test_a_cell_is_neither_cut_nor_read_as_markup(cell: str) -> None:
    assert cell in table(("Name",), [(cell,)])


def test_a_cell_may_have_several_lines() -> None:
    _, _, *rows = table(("Name", "Inputs"), [("add", "one\ntwo"), ("end", "add")]).splitlines()
    assert [row.split() for row in rows] == [["add", "one"], ["two"], ["end", "add"]]
    assert rows[1].index("two") == rows[0].index("one")


def test_a_table_without_rows_is_its_headers() -> None:
    assert len(table(("Name", "Score"), []).splitlines()) == 2


def test_no_line_ends_in_spaces_or_colours() -> None:
    text = table(("Name", "Score"), [("a", ""), ("b", "1")], title="t")
    assert "\x1b" not in text
    assert [line for line in text.splitlines() if line != line.rstrip()] == []


def test_tables_of_one_width_go_on_below_one_header() -> None:
    parts = [table(("Name", "Score"), [], right=(1,), widths=(20, 8))]
    parts += [table(("Name", "Score"), [row], right=(1,), widths=(20, 8), headed=False) for row in ROWS]
    assert "\n".join(parts) == table(("Name", "Score"), ROWS, right=(1,), widths=(20, 8))
    assert parts[1] == "  tusker                   0.6424"


def test_letters_are_counted_by_the_cells_they_take() -> None:
    assert width(["cat", "象の鼻", "হাতি"]) == 6
