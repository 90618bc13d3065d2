"""Folders and tables of photos become a set, or one sentence says what is wrong with them."""

from pathlib import Path

import numpy as np
import pytest
from sorted_photos import sort_photos

from hati.errors import ArgumentError
from hati.photos import sets


def table(tmp_path: Path, text: str) -> Path:
    place = tmp_path / "labels.csv"
    place.write_text(text, encoding="utf-8")
    return place


def test_a_folder_gives_each_photo_the_class_of_its_folder(tmp_path: Path) -> None:
    found = sets.read(sort_photos(tmp_path / "own", {"stripes": 2, "dots": 3}))
    assert found.classes == ("dots", "stripes")
    assert found.counts == {"dots": 3, "stripes": 2}
    assert [Path(str(photo)).parent.name for photo in found.photos] == ["dots"] * 3 + ["stripes"] * 2
    assert found.numbers.tolist() == [0, 0, 0, 1, 1]


def test_folders_within_a_class_belong_to_it_and_hidden_ones_to_none(tmp_path: Path) -> None:
    folder = sort_photos(tmp_path / "own", {"dots": 1, "stripes": 1})
    sort_photos(folder / "dots" / "more", {"waves": 2})
    for hidden in (".git", "__MACOSX"):
        (folder / hidden).mkdir()
    assert sets.read(folder).counts == {"dots": 3, "stripes": 1}


@pytest.mark.parametrize(
    ("text", "counts"),
    [
        ("path,label\na.png,cat\nb.png,dog\n", {"cat": 1, "dog": 1}),
        ("\ufeffpath,label\na.png, cat \nb.png,dog\n", {"cat": 1, "dog": 1}),
        ("who,label,path\nx,cat,a.png\ny,dog,b.png\nz,dog,c.png\n", {"cat": 1, "dog": 2}),
        ('path,label\n"a,b.png",cat\nb.png,"dog, brown"\n', {"cat": 1, "dog, brown": 1}),
        ("path,label\na.png,cat\na.png,cat\nb.png,dog\n", {"cat": 1, "dog": 1}),
    ],
    ids=["plain", "with a byte order mark and spaces", "other columns", "quoted", "a row twice"],
)
def test_a_table_gives_paths_from_its_own_folder(tmp_path: Path, text: str, counts: dict[str, int]) -> None:
    found = sets.read(table(tmp_path, text))
    assert found.counts == counts
    assert all(Path(str(photo)).parent == tmp_path for photo in found.photos)


def test_with_multi_label_a_photo_has_all_its_labels_or_none(tmp_path: Path) -> None:
    text = "path,label\na.png,cat|dog\nb.png,dog\nb.png,sofa\nc.png,\n"
    found = sets.read(table(tmp_path, text), multi_label=True)
    assert found.classes == ("cat", "dog", "sofa")
    assert found.targets.tolist() == [[True, True, False], [False, True, True], [False, False, False]]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda t: t / "nothing", "there is no such folder or file"),
        (lambda t: sort_photos(t / "one", {"dots": 3}), "one class, 'dots', and 3 photos; two classes are needed"),
        (lambda t: (t / "empty").mkdir() or t / "empty", "no class and 0 photos"),
        (lambda t: with_folder(t, "waves"), "no photos are in the class waves; add some, or remove the folder"),
        (lambda t: with_folder(sort_photos(t / "a", {"dots": 1}).parent, "b"), "no photos are in the class b"),
        (lambda t: parts(t), "parts of a set and no classes; give .*train --validate .*val"),
        (lambda t: twins(t), "'Dots' and 'dots' are one class under two names"),
        (lambda t: table(t, "file,label\na.png,cat\n"), "'file,label'; the columns path and label were expected"),
        (lambda t: table(t, ""), "the columns path and label were expected"),
        (lambda t: table(t, "path,label\na.png,cat\nb.png,\n"), "line 3 has no label"),
        (lambda t: table(t, "path,label\na.png,cat\n,dog\n"), "line 3 has no path"),
        (lambda t: table(t, "path,label\na.png,cat|dog\nb.png,dog\n"), "several labels, cat, dog.*--multi-label"),
        (lambda t: table(t, "path,label\na.png,cat\n"), "one class, 'cat', and 1 photos"),
        (lambda t: binary(t), "it is no CSV table"),
    ],
    ids=[
        "missing", "one class", "empty", "an empty class", "a class without photos", "parts of a set", "twins",
        "another column", "an empty table", "no label", "no path", "two labels", "a table of one class", "no table",
    ],
)  # fmt: skip
def test_what_cannot_be_learnt_from_is_refused_with_what_to_do(tmp_path: Path, make, message: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ArgumentError, match=message):
        sets.read(make(tmp_path))


def with_folder(tmp_path: Path, name: str) -> Path:
    folder = tmp_path if (tmp_path / "a").exists() else sort_photos(tmp_path / "own", {"dots": 1, "stripes": 1})
    (folder / name).mkdir()
    return folder


def parts(tmp_path: Path) -> Path:
    for part in ("train", "val"):
        sort_photos(tmp_path / "all" / part, {"dots": 1, "stripes": 1})
    return tmp_path / "all"


def twins(tmp_path: Path) -> Path:
    return table(tmp_path, "path,label\na.png,dots\nb.png,Dots\n")


def binary(tmp_path: Path) -> Path:
    (tmp_path / "labels.csv").write_bytes(b"\xff\xfe\x00path,label\x80")
    return tmp_path / "labels.csv"


@pytest.mark.parametrize(("share", "held"), [(0.0, [0, 0]), (0.2, [2, 1]), (0.5, [5, 2]), (0.99, [9, 3])])
def test_a_split_takes_a_share_of_every_class_and_leaves_one(tmp_path: Path, share: float, held: list[int]) -> None:
    own = sets.from_labels([f"{n}" for n in range(14)], [("a",)] * 10 + [("b",)] * 4)
    first, second = own.split(share, seed=1)
    assert second.targets.sum(0).tolist() == held
    assert sorted((*first.photos, *second.photos), key=str) == sorted(own.photos, key=str)
    again = own.split(share, seed=1)[1]
    assert again.photos == second.photos


def test_a_list_of_classes_is_brought_to_another_ones_order() -> None:
    own = sets.from_labels(["x", "y"], [("b",), ("c",)])
    assert sets.matched(own, ("c", "a", "b"), "val").numbers.tolist() == [2, 0]
    with pytest.raises(ArgumentError, match="val: the model does not know c; it knows a, b"):
        sets.matched(own, ("a", "b"), "val")


def test_a_mask_and_numbers_take_the_same_photos() -> None:
    own = sets.from_labels(["x", "y", "z"], [("b",), ("c",), ("b",)])
    assert own.take(np.array([True, False, True])).photos == own.take(np.array([0, 2])).photos == ("x", "z")
