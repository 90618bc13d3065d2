"""Weights in an archive: what is packed on one machine arrives on another, and nothing else ever does."""

import json
import struct
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
from faulty_server import Server, serving, status
from sample_weights import CONTENT, FILE, LENGTH, NAME, OTHER, PAGE, PART, PATH, SHA256, WHOLE, file_at, left_in

from hati import __version__, catalog
from hati.errors import UnknownModel, WeightsError, WeightsUnavailable
from hati.weights.bringing import bundles, store
from hati.weights.bringing.bundles import MANIFEST, Packed, Taken

MODEL = "Loopback"
PACKED = Packed(NAME, LENGTH, SHA256, "MIT")


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """It publishes a model that the catalog knows for the time of a test."""
    with serving({PATH: FILE}) as server:
        file = file_at(server.address)
        entry = replace(catalog.find("MobileNet_0.25_224"), name=MODEL, top_file=file, notop_file=None)
        monkeypatch.setitem(catalog.entries(), MODEL, entry)
        yield server


@pytest.fixture
def archive(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A good bundle, and a machine without network to take it to."""
    monkeypatch.setenv("HATI_CACHE", str(tmp_path / "there"))
    bundles.bundle(tmp_path / "weights.zip", [MODEL])
    monkeypatch.setenv("HATI_CACHE", str(tmp_path / "here"))
    monkeypatch.setenv("HATI_OFFLINE", "1")
    return tmp_path / "weights.zip"


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "here" / "weights" / NAME


def refusal(path: Path) -> str:
    with pytest.raises(WeightsError) as refused:
        list(bundles.import_(path))
    return str(refused.value)


def test_what_is_packed_on_one_machine_arrives_on_another(archive: Path, place: Path) -> None:
    assert list(bundles.import_(archive)) == [Taken(NAME, place, was_here=False)]
    assert place.read_bytes() == CONTENT
    assert left_in(place.parent) == WHOLE
    assert store.fetch(catalog.find(MODEL).top_file, 1) == place
    assert list(bundles.import_(archive)) == [Taken(NAME, place, was_here=True)]


def test_a_bundle_is_a_zip_archive_that_says_what_it_holds(archive: Path) -> None:
    with zipfile.ZipFile(archive) as opened:
        assert opened.namelist() == [MANIFEST, NAME]
        assert opened.read(NAME) == CONTENT
        assert {info.compress_type for info in opened.infolist()} == {zipfile.ZIP_STORED}
        assert json.loads(opened.read(MANIFEST)) == {"hati": __version__, "files": [asdict(PACKED)]}


def test_the_same_weights_make_the_same_bundle(archive: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    list(bundles.import_(archive))
    again = archive.with_name("again.zip")
    assert bundles.bundle(again, [MODEL, MODEL.lower()]) == [PACKED]
    assert again.read_bytes() == archive.read_bytes()


def test_weights_of_a_package_travel_too(empty_cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "weights.zip"
    (packed,) = bundles.bundle(out, ["EfficientNetLite0"])
    assert packed.name == "efficientnet-lite0-57934424.pth"
    (taken,) = bundles.import_(out)
    assert taken.was_here
    file = catalog.find("EfficientNetLite0").top_file
    monkeypatch.setitem(
        catalog.entries(),
        "EfficientNetLite0",
        replace(catalog.find("EfficientNetLite0"), top_file=replace(file, folder="package:not-installed")),
    )
    (taken,) = bundles.import_(out)
    assert (taken.was_here, taken.path) == (False, empty_cache / "weights" / packed.name)


def test_a_bundle_is_not_written_over_anything(archive: Path) -> None:
    content = archive.read_bytes()
    with pytest.raises(WeightsError, match="it is there already; delete it, or choose another name"):
        bundles.bundle(archive, [MODEL])
    assert archive.read_bytes() == content


def test_a_bundle_that_cannot_be_made_leaves_nothing(server: Server, empty_cache: Path, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    with pytest.raises(UnknownModel, match="did you mean Loopback"):
        bundles.bundle(folder / "a.zip", ["Loopbck"])
    with pytest.raises(WeightsError, match=r"none/a\.zip: the bundle cannot be written there \(No such file"):
        bundles.bundle(folder / "none" / "a.zip", [MODEL])
    store.remove(catalog.find(MODEL).top_file)
    server.answers[PATH] = status(404)
    with pytest.raises(WeightsUnavailable, match="404"):
        bundles.bundle(folder / "a.zip", [MODEL])
    store.place_of(catalog.find(MODEL).top_file).write_bytes(OTHER)
    with pytest.raises(WeightsError, match="its sha256 is"):
        bundles.bundle(folder / "a.zip", [MODEL])
    assert left_in(folder) == set()


def test_a_damaged_copy_is_replaced_by_the_bundles(archive: Path, place: Path) -> None:
    place.parent.mkdir(parents=True)
    place.write_bytes(OTHER)
    assert [taken.was_here for taken in bundles.import_(archive)] == [False]
    assert place.read_bytes() == CONTENT
    assert left_in(place.parent) == WHOLE


def made(path: Path, members: list[tuple[str, bytes]], told: Any = None, compression: int = zipfile.ZIP_STORED) -> None:
    """An archive that nobody would call well made."""
    told = {"hati": "0", "files": [asdict(PACKED)]} if told is None else told
    with pytest.MonkeyPatch.context() as patch, zipfile.ZipFile(path, "w", compression) as archive:
        patch.setattr("warnings.warn", lambda *_, **__: None)  # of names that come twice
        archive.writestr(MANIFEST, told if isinstance(told, bytes) else json.dumps(told))
        for name, content in members:
            archive.writestr(name, content)


def listing(**changed: Any) -> dict[str, Any]:
    return {"files": [asdict(PACKED) | changed]}


GOOD = [(NAME, CONTENT)]
NO_MANIFEST = f"its {MANIFEST} is not one that hati writes; nothing was taken from it"
NOT_JUST = f"it does not hold just the files that its {MANIFEST} names, each once; nothing was taken from it"
HOSTILE: dict[str, tuple[list[tuple[str, bytes]], Any, str]] = {
    "no JSON": (GOOD, b"\xff", NO_MANIFEST),
    "nested without end": (GOOD, b"[" * 100_000, NO_MANIFEST),
    "a list": (GOOD, [1], NO_MANIFEST),
    "no files": (GOOD, {}, NO_MANIFEST),
    "files that are none": (GOOD, {"files": [3]}, NO_MANIFEST),
    "a file without a name": (GOOD, {"files": [{"bytes": 3}]}, NO_MANIFEST),
    "a name that is none": (GOOD, listing(name=[1]), NO_MANIFEST),
    "a length that is none": (GOOD, listing(bytes="3"), NO_MANIFEST),
    "a long manifest": (GOOD, b" " * (1 << 20) + b"{}", NO_MANIFEST),
    "one more file": ([*GOOD, ("more.h5", b"x")], None, NOT_JUST),
    "one file less": ([], None, NOT_JUST),
    "the same file twice": ([*GOOD, *GOOD], None, NOT_JUST),
    "the same file twice, told": ([*GOOD, *GOOD], {"files": [asdict(PACKED)] * 2}, NOT_JUST),
    "a file that nobody knows": ([("x.h5", CONTENT)], listing(name="x.h5"), "'x.h5' is no weights file that this"),
    "a path upwards": ([("../x.h5", CONTENT)], listing(name="../x.h5"), "'../x.h5' is no weights file that this"),
    "a path from the root": ([("/x.h5", CONTENT)], listing(name="/x.h5"), "'/x.h5' is no weights file that this"),
    "another length": ([(NAME, CONTENT[:-1])], None, f"{NAME} is {LENGTH - 1:,} bytes long in it, not {LENGTH:,}"),
    "another length, told": (
        [(NAME, CONTENT[:-1])],
        listing(bytes=LENGTH - 1),
        f"{NAME} is {LENGTH - 1:,} bytes long in it, not {LENGTH:,}",
    ),
    "no checksum": (GOOD, listing(sha256="x"), f"{NAME} has no SHA-256 in it"),
    "another checksum": (
        GOOD,
        listing(sha256="0" * 64),
        f"{NAME} in it is not the file: its sha256 is {SHA256}, not 0",
    ),
    "other bytes": ([(NAME, OTHER)], None, f"{NAME} in it is not the file: its sha256 is "),
    "a web page": ([(NAME, PAGE.ljust(LENGTH))], None, f"{NAME} in it is not the file: it is a web page, not weights"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_a_hostile_bundle_is_refused_and_leaves_nothing(archive: Path, place: Path, case: str) -> None:
    members, told, said = HOSTILE[case]
    made(archive, members, told)
    assert refusal(archive).startswith(f"{archive}: {said}")
    assert left_in(place.parent) == set()


def test_a_bomb_is_refused_before_it_is_read(archive: Path, place: Path) -> None:
    made(archive, GOOD, compression=zipfile.ZIP_DEFLATED)
    assert f"{NAME} is compressed or encrypted in it" in refusal(archive)
    made(archive, [(NAME, bytes(50_000_000))], listing(bytes=50_000_000), zipfile.ZIP_DEFLATED)
    assert f"{NAME} is compressed or encrypted in it, which hati never does; nothing was taken" in refusal(archive)
    assert left_in(place.parent) == set()


def test_an_archive_cannot_claim_more_than_it_has(archive: Path, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    entry = catalog.find(MODEL)
    monkeypatch.setitem(catalog.entries(), MODEL, replace(entry, top_file=replace(entry.top_file, bytes=None)))
    made(archive, GOOD, listing(bytes=1 << 30))
    content = archive.read_bytes()
    sizes = content.rindex(b"PK\x01\x02") + 20
    archive.write_bytes(content[:sizes] + struct.pack("<LL", 1 << 30, 1 << 30) + content[sizes + 8 :])
    assert "it claims more bytes than it has; nothing was taken from it" in refusal(archive)
    assert left_in(place.parent) == set()


def shorter(content: bytes) -> bytes:
    return content[: LENGTH // 2]


def without_end(content: bytes) -> bytes:
    return content[:-30]


def with_a_wrong_byte(content: bytes) -> bytes:
    middle = content.index(CONTENT) + LENGTH // 2
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]


def of_another_method(content: bytes) -> bytes:
    """Its directory says that the file is packed in a way that nobody knows."""
    entry = content.rindex(b"PK\x01\x02")
    return content[: entry + 10] + struct.pack("<H", 77) + content[entry + 12 :]


def no_archive(content: bytes) -> bytes:
    return CONTENT[:-30]


@pytest.mark.parametrize("harm", [shorter, without_end, with_a_wrong_byte, of_another_method, no_archive])
def test_a_damaged_bundle_is_refused_and_leaves_nothing(
    archive: Path, place: Path, harm: Callable[[bytes], bytes]
) -> None:
    archive.write_bytes(harm(archive.read_bytes()))
    assert refusal(archive).startswith(f"{archive}: ")
    assert left_in(place.parent) == set()


def test_no_flipped_byte_of_the_frame_does_harm(archive: Path, place: Path) -> None:
    """Every byte outside of the weights themselves, one at a time; the file comes whole or not at all."""
    content = bytearray(archive.read_bytes())
    frame = [*range(content.index(CONTENT)), *range(content.index(CONTENT) + LENGTH, len(content))]
    for position in frame:
        content[position] ^= 0xFF
        archive.write_bytes(content)
        try:
            list(bundles.import_(archive))
        except WeightsError:
            assert left_in(place.parent) == set()
        else:
            assert place.read_bytes() == CONTENT
            store.remove(catalog.find(MODEL).top_file)
        content[position] ^= 0xFF


@pytest.mark.parametrize(
    ("name", "said"), [("none.zip", "it cannot be read (No such"), (".", "it cannot be read (Is a")]
)
def test_a_place_without_a_bundle_is_told_of(tmp_path: Path, name: str, said: str) -> None:
    assert said in refusal(tmp_path / name)


def test_a_weights_file_itself_is_no_bundle(tmp_path: Path) -> None:
    (tmp_path / NAME).write_bytes(CONTENT)
    assert refusal(tmp_path / NAME) == f"{tmp_path / NAME}: it is no bundle of weights: it holds no {MANIFEST}"


def test_what_was_taken_before_a_wrong_file_stays(archive: Path, place: Path) -> None:
    wrong = replace(file_at("http://x"), name="second.npz", checksum=None, bytes=None)
    entry = replace(catalog.find(MODEL), name="Second", top_file=wrong)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(catalog.entries(), "Second", entry)
        told = {"files": [asdict(PACKED), asdict(PACKED) | {"name": "second.npz", "sha256": "0" * 64}]}
        made(archive, [*GOOD, ("second.npz", CONTENT)], told)
        assert "second.npz in it is not the file" in refusal(archive)
    assert left_in(place.parent) == WHOLE


def test_a_cut_download_makes_way_for_a_bundle(archive: Path, place: Path) -> None:
    place.parent.mkdir(parents=True)
    for name in PART:
        (place.parent / name).write_bytes(b"{}")
    list(bundles.import_(archive))
    assert left_in(place.parent) == WHOLE
