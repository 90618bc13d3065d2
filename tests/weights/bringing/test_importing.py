"""A file of weights that a person has at hand: taken where the catalog knows it, and told what it is where not."""

import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
from sample_weights import CONTENT, LENGTH, MD5, NAME, OTHER, PAGE, SOME, WHOLE, file_at, left_in

from hati import catalog
from hati.catalog import WeightsFile
from hati.errors import WeightsError
from hati.weights.bringing import bundles, store
from hati.weights.bringing.bundles import Taken
from hati.weights.bringing.importing import import_

PUBLISHED = replace(file_at("http://nowhere"), checksum=f"md5:{MD5}")
OPEN = replace(PUBLISHED, name="open.npz", bytes=None, checksum=None)  # of which nothing was published but the name
RENAME = f"by its checksum it is {NAME}, the weights of Loopback; give it that name, and import it again"


@pytest.fixture
def place(empty_cache: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the cache has the weights of a model that the catalog knows for the time of a test."""
    known = catalog.find("MobileNet_0.25_224")
    for name, file in (("Loopback", PUBLISHED), ("Open", OPEN)):
        monkeypatch.setitem(catalog.entries(), name, replace(known, name=name, top_file=file, notop_file=None))
    return empty_cache / "weights" / NAME


def at_hand(folder: Path, name: str = NAME, content: bytes = CONTENT) -> Path:
    (folder / name).write_bytes(content)
    return folder / name


def refusal(path: Path) -> str:
    with pytest.raises(WeightsError) as refused:
        list(import_(path))
    return str(refused.value)


def test_a_published_file_is_taken_and_is_the_models_from_then_on(place: Path, tmp_path: Path) -> None:
    path = at_hand(tmp_path)
    assert list(import_(path)) == [Taken(NAME, place, was_here=False)]
    assert (place.read_bytes(), path.read_bytes()) == (CONTENT, CONTENT)
    assert left_in(place.parent) == WHOLE
    assert store.fetch(PUBLISHED, 1) == place
    assert list(import_(path)) == list(import_(place)) == [Taken(NAME, place, was_here=True)]


def test_a_damaged_copy_in_the_cache_is_replaced(place: Path, tmp_path: Path) -> None:
    list(import_(at_hand(tmp_path)))
    place.write_bytes(OTHER)
    assert list(import_(tmp_path / NAME)) == [Taken(NAME, place, was_here=False)]
    assert place.read_bytes() == CONTENT


def test_of_a_file_without_a_published_checksum_that_is_said(place: Path, tmp_path: Path) -> None:
    there, path = place.with_name(OPEN.name), at_hand(tmp_path, OPEN.name, OTHER)
    for was_here in (False, True):
        assert list(import_(path)) == [Taken(OPEN.name, there, was_here, has_checksum=False)]


def test_a_bundle_under_any_name_is_a_bundle(place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    list(import_(at_hand(tmp_path)))
    bundles.bundle(tmp_path / "weights.box", ["Loopback"])
    monkeypatch.setenv("HATI_CACHE", str(tmp_path / "there"))
    (taken,) = import_(tmp_path / "weights.box")
    assert taken == Taken(NAME, tmp_path / "there" / "weights" / NAME, was_here=False)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("mine.npz", CONTENT, RENAME),
        (OPEN.name, CONTENT, RENAME),
        (NAME, OTHER, "it is not the file that is published by that name: its md5 is "),
        (NAME, CONTENT[:SOME], f"published by that name: it is {SOME:,} bytes long, not {LENGTH:,} and its md5 is "),
        (NAME, PAGE, "it is not the file that is published by that name: it is a web page, not weights"),
        (NAME, b"", "it is not the file that is published by that name: the file is empty"),
        (OPEN.name, CONTENT[:SOME], "it is not the file that is published by that name: "),
        ("mine.npz", OTHER, "neither its name nor its checksum is that of a published file; weights of your own need "),
        ("mine.h5", PAGE, "it is a web page, not weights"),
        ("mine.zip", OTHER, "it is no bundle of weights: it holds no hati-weights.json"),
    ],
)
def test_what_is_not_published_so_is_told_what_it_is(
    place: Path, tmp_path: Path, name: str, content: bytes, said: str
) -> None:
    path = at_hand(tmp_path, name, content)
    message = refusal(path)
    assert message.startswith(f"{path}: ")
    assert said in message
    assert left_in(place.parent) == set()


def test_another_published_file_under_a_wrong_name_is_recognised(
    place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = WeightsFile("http://nowhere", "other.npz", None, "sha256:" + "0" * 64, "MIT")
    entry = replace(catalog.find("Loopback"), name="Other", top_file=other)
    monkeypatch.setitem(catalog.entries(), "Other", entry)
    assert refusal(at_hand(tmp_path, other.name)).endswith(RENAME)


def test_what_cannot_be_read_is_told(place: Path, tmp_path: Path) -> None:
    assert refusal(tmp_path / NAME) == f"{tmp_path / NAME}: it cannot be read (No such file or directory)"
    assert refusal(tmp_path) == f"{tmp_path}: it cannot be read (Is a directory)"


def test_a_cache_that_cannot_be_written_is_told(place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("HATI_CACHE", str(tmp_path / "file"))
    assert refusal(at_hand(tmp_path)).startswith(f"{tmp_path / 'file' / 'weights'}: weights cannot be kept there")


def test_pytorchs_own_file_is_an_archive_and_no_bundle(empty_cache: Path, tmp_path: Path) -> None:
    name = "efficientnet-lite0-57934424.pth"
    path = at_hand(tmp_path, name, store.fetch(catalog.find("EfficientNetLite0").top_file, 1).read_bytes())
    (taken,) = import_(path)
    assert (taken.name, taken.was_here) == (name, True)
    with zipfile.ZipFile(tmp_path / "own.keras", "w") as archive:
        archive.writestr("config.json", "{}")
    assert "neither its name nor its checksum" in refusal(tmp_path / "own.keras")


def test_kerass_own_file_is_taken(shared: Path, empty_cache: Path) -> None:
    name = "mobilenet_2_5_224_tf.h5"
    assert list(import_(shared / name)) == [Taken(name, empty_cache / "weights" / name, was_here=False)]
