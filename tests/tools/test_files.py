"""Whole or not at all."""

import os
from contextlib import suppress
from pathlib import Path, PurePosixPath, PureWindowsPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hati.tools import files


def test_a_part_lies_hidden_beside_its_file_under_a_name_of_its_own(tmp_path: Path) -> None:
    target = tmp_path / "weights.h5"
    parts = {files.part_of(target) for _ in range(100)}
    assert len(parts) == 100
    assert {part.parent for part in parts} == {tmp_path}
    assert all(part.name.startswith(".weights.h5.") and part.suffix == ".part" for part in parts)


def filled(place: Path, text: str, *, folder: bool) -> Path:
    """A file, or a folder with that file in it."""
    if folder:
        place.mkdir()
    (place / "inner" if folder else place).write_text(text)
    return place


def content(place: Path) -> str:
    return (place / "inner" if place.is_dir() else place).read_text()


@pytest.mark.parametrize("folder", [False, True], ids=["file", "folder"])
@pytest.mark.parametrize("before", [None, False, True], ids=["nothing", "file", "folder"])
def test_what_was_made_takes_the_place_of_what_was_there(tmp_path: Path, before: bool | None, folder: bool) -> None:
    target = tmp_path / "target"
    if before is not None:
        filled(target, "old", folder=before)
    if before is False and folder:
        target.unlink()  # no system lets a folder replace a file
    with files.whole(target) as part:
        filled(part, "new", folder=folder)
    assert content(target) == "new"
    assert os.listdir(tmp_path) == ["target"]


@pytest.mark.parametrize("folder", [False, True], ids=["file", "folder"])
def test_work_that_fails_leaves_what_was_there_and_nothing_else(tmp_path: Path, folder: bool) -> None:
    target = filled(tmp_path / "target", "old", folder=folder)
    with suppress(KeyError), files.whole(target) as part:
        filled(part, "half", folder=folder)
        raise KeyError
    assert content(target) == "old"
    assert os.listdir(tmp_path) == ["target"]


def test_a_folder_that_cannot_take_its_place_leaves_the_one_of_before(tmp_path: Path) -> None:
    target = filled(tmp_path / "target", "old", folder=True)
    with pytest.raises(OSError, match="No such file"):
        files.take_place(tmp_path / "never made", target)
    assert content(target) == "old"
    assert os.listdir(tmp_path) == ["target"]


def test_a_workshop_is_gone_afterwards(tmp_path: Path) -> None:
    with files.workshop(tmp_path / "new folder" / "target") as shop:
        filled(shop / "made", "new", folder=True)
    assert list((tmp_path / "new folder").iterdir()) == []


@given(st.text(), st.text())
def test_a_name_makes_no_path_and_no_pattern_and_is_no_others(one: str, other: str) -> None:
    name = files.file_name(one)
    assert PurePosixPath(name).name == PureWindowsPath(name).name == name
    assert not set(name) & set('[]*?!/\\:"<>|')
    assert name.isascii()
    assert not name.startswith(".")
    assert len(name) <= files.LONGEST_NAME + 17
    assert (name == files.file_name(other)) == (one == other)


@pytest.mark.parametrize(
    ("name", "start"),
    [
        ("resnet50", "resnet50-"),
        ("mobilenet_0.25_224", "mobilenet_0.25_224-"),
        ("../../escaped", "escaped-"),
        ("a[b]", "a_b-"),
        ("হাতি", "unnamed-"),
        ("", "unnamed-"),
        ("CON", "CON-"),
    ],
)
def test_a_name_begins_as_people_know_it(name: str, start: str) -> None:
    assert files.file_name(name).startswith(start)
