"""CONTRIBUTING's map against the house."""

import re
from pathlib import Path

import pytest
from rooms import ROOMS

import hati

HOUSE = Path(hati.__file__).parent
PROJECT = Path(__file__).parents[1]
PAGE = (PROJECT / "CONTRIBUTING.md").read_text()
ENDINGS = (".py", ".csv", ".md", ".toml", ".txt", ".yml", ".typed")


def rows() -> list[str]:
    """The rooms of the map, one string for each row."""
    [table] = re.findall(r"^## Where things are\n.*?\|---\|---\|\n(.*?)\n\n", PAGE, re.MULTILINE | re.DOTALL)
    return [line.split("|")[1].strip(" `/") for line in table.splitlines()]


def named() -> set[str]:
    """Whatever between backticks looks like a file or a folder of the project."""
    words = set(re.findall(r"`(\w[\w./-]*|\.ci[\w./-]*|\.github[\w./-]*)`", PAGE))
    return {word for word in words if "/" in word or word.endswith(ENDINGS)}


def test_every_entry_of_the_house_has_one_row() -> None:
    entries = {path.name for path in HOUSE.iterdir() if path.name != "__pycache__"}
    assert sorted(rows()) == sorted(entries)


def test_the_rows_are_in_the_order_of_imports() -> None:
    rooms = [row.removesuffix(".py") for row in rows()]
    assert [room for room in rooms if room in ROOMS] == list(ROOMS)


@pytest.mark.parametrize("name", sorted(named()))
def test_what_it_names_is_there(name: str) -> None:
    folders = [PROJECT, HOUSE, *(path for path in HOUSE.rglob("*") if path.is_dir())]
    assert any((folder / name).exists() for folder in folders)
