"""Which photos are meant."""

import io
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from hati import photos
from hati.photos import finding

TREE = (
    "a.jpg",
    "b.PNG",
    "notes.txt",
    "deep/c.webp",
    "deep/down/d.tiff",
    "deep/down/e[1].gif",
    "empty/readme",
    "z*.jpg",
)


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in TREE:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "folder.jpg").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("places", "found"),
    [
        (["a.jpg"], ["a.jpg"]),
        (["notes.txt"], ["notes.txt"]),
        (["none.jpg"], ["none.jpg"]),
        (["deep"], ["deep/c.webp", "deep/down/d.tiff", "deep/down/e[1].gif"]),
        (["deep/"], ["deep/c.webp", "deep/down/d.tiff", "deep/down/e[1].gif"]),
        (["."], ["a.jpg", "b.PNG", "deep/c.webp", "deep/down/d.tiff", "deep/down/e[1].gif", "z*.jpg"]),
        (["empty"], ["empty"]),
        (["*.jpg"], ["a.jpg", "z*.jpg"]),
        (["*"], ["a.jpg", "b.PNG", "z*.jpg"]),
        (["**/*.tif*"], ["deep/down/d.tiff"]),
        (["**/*.???"], ["a.jpg", "b.PNG", "deep/down/e[1].gif", "z*.jpg"]),
        (["*.bmp"], ["*.bmp"]),
        (["deep/down/e[1].gif"], ["deep/down/e[1].gif"]),
        (["z*.jpg"], ["z*.jpg"]),
        (["[ab].*"], ["a.jpg", "b.PNG"]),
        (["http://x/*.jpg", "https://x/?a=[1]"], ["http://x/*.jpg", "https://x/?a=[1]"]),
        (["b.PNG", "a.jpg", "b.PNG"], ["b.PNG", "a.jpg", "b.PNG"]),
        ([], []),
    ],
)
def test_places_are_searched(tree: Path, places: list[str], found: list[str]) -> None:
    assert list(finding.find(places)) == found


@pytest.mark.parametrize("place", ["a.jpg", "deep", "**/*.gif", "empty"])
def test_a_place_is_a_path_or_its_text(tree: Path, place: str) -> None:
    assert list(finding.find([Path(place)])) == list(finding.find([place]))


def test_a_dash_is_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    pixels, file = np.full((4, 5, 3), 7, np.uint8), io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(file.getvalue())))
    (photo,) = finding.find(["-"])
    np.testing.assert_array_equal(np.asarray(photos.read(photo)), pixels)


def test_suffixes_are_those_that_pillow_reads() -> None:
    Image.init()
    readable = {suffix for suffix, name in Image.registered_extensions().items() if name in Image.OPEN}
    assert not finding.SUFFIXES - readable


PIXELS = np.zeros((4, 5, 3), np.uint8)


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ("a.jpg", ["a.jpg"]),
        ("none", ["none"]),
        (Path("a.jpg"), [Path("a.jpg")]),
        ("deep", ["deep/c.webp", "deep/down/d.tiff", "deep/down/e[1].gif"]),
        (Path("deep"), ["deep/c.webp", "deep/down/d.tiff", "deep/down/e[1].gif"]),
        (["a.jpg", "b.PNG"], ["a.jpg", "b.PNG"]),
        (dict.fromkeys(["a.jpg"]), ["a.jpg"]),
        (b"bytes", [b"bytes"]),
        ([], []),
    ],
    ids=repr,
)
def test_one_several_or_a_folder_are_photos_one_by_one(
    tree: Path, given: finding.Photos, found: list[photos.Photo]
) -> None:
    assert list(finding.each(given)) == found


@pytest.mark.parametrize(
    ("make", "one"),
    [
        (lambda: "a.jpg", True),
        (lambda: "deep", False),
        (lambda: ["a.jpg"], False),
        (lambda: b"bytes", True),
        (lambda: io.BytesIO(), True),
        (lambda: Image.fromarray(PIXELS), True),
        (lambda: PIXELS, True),
        (lambda: PIXELS[np.newaxis], False),
    ],
)
def test_one_photo_is_told_from_several(tree: Path, make: Callable[[], finding.Photos], one: bool) -> None:
    assert finding.is_one(make()) is one
