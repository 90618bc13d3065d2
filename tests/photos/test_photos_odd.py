"""Odd and broken photos: each gives an upright picture or one clear error, soon and in little memory."""

import csv
import io
import json
import subprocess
import sys
import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import ExifTags, Image, ImageFile

from hati import photos
from hati.errors import ImageError, ImageTooLarge

Array = np.ndarray
TURN = Image.Transpose
STORED: dict[int, TURN | None] = {  # how a camera that writes this orientation lays an upright picture down
    1: None,
    2: TURN.FLIP_LEFT_RIGHT,
    3: TURN.ROTATE_180,
    4: TURN.FLIP_TOP_BOTTOM,
    5: TURN.TRANSPOSE,
    6: TURN.ROTATE_90,
    7: TURN.TRANSVERSE,
    8: TURN.ROTATE_270,
}


class Reading(NamedTuple):
    """What became of one file, in which time, and how far memory had grown by then."""

    file: str
    size: tuple[int, int] | None
    error: str | None
    kind: str | None
    seconds: float
    megabytes: float


def sweep(folder: Path) -> None:
    """Read every file of a folder in this process, which may take 1 GB more than it has; print each Reading."""
    import resource

    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + 2**30, used + 2**30))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    warnings.simplefilter("error")
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        start, size, fault = time.process_time(), None, None
        try:
            found = photos.read(path)
            size = found.size if found.mode == "RGB" else None
        except Exception as error:
            fault = error
        seconds = time.process_time() - start
        grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
        name, kind = str(path.relative_to(folder)), type(fault).__name__ if fault else None
        print(json.dumps(Reading(name, size, str(fault) if fault else None, kind, seconds, grown)))


@pytest.fixture(scope="module")
def odd(shared: Path) -> Path:
    return shared / "odd"


@pytest.fixture(scope="module")
def readings(odd: Path) -> list[Reading]:
    if not sys.platform.startswith("linux"):
        pytest.skip("memory is measured as Linux tells it")
    done = subprocess.run([sys.executable, __file__, str(odd)], capture_output=True, text=True, check=True)
    return [Reading(*json.loads(line)) for line in done.stdout.splitlines()]


@pytest.fixture(scope="module")
def manifest(odd: Path) -> dict[str, dict[str, str]]:
    with (odd / "manifest.csv").open(encoding="utf-8") as file:
        return {row["file"]: row for row in csv.DictReader(file)}


def expected_size(row: dict[str, str]) -> tuple[int, int] | None:
    """Width and height once upright; None for a file that is not to be read."""
    width, height = int(row["w"] or 0), int(row["h"] or 0)
    if row["result"] == "error" or width * height > photos.MOST_PIXELS:
        return None
    return (height, width) if row["orientation"] in ("5", "6", "7", "8") else (width, height)


def test_every_odd_file_is_read_upright_or_refused(
    readings: list[Reading], manifest: dict[str, dict[str, str]]
) -> None:
    found = {reading.file: reading.size and tuple(reading.size) for reading in readings}
    assert len(manifest) == 99
    assert {name: found[name] for name in manifest} == {name: expected_size(row) for name, row in manifest.items()}


def test_every_refusal_is_one_line_that_begins_with_the_file(readings: list[Reading], odd: Path) -> None:
    refused = [reading for reading in readings if reading.error is not None]
    assert {reading.kind for reading in refused} == {"ImageError", "ImageTooLarge"}
    assert all(str(reading.error).startswith(f"{odd / reading.file}: ") for reading in refused)
    assert not any("\n" in str(reading.error) for reading in refused)


def test_no_odd_file_takes_long_or_much(readings: list[Reading]) -> None:
    assert max(reading.seconds for reading in readings) < 60, "of the processor, a hundred times what each needs"
    assert max(reading.megabytes for reading in readings) < 1024


def test_bombs_are_refused_by_their_header(odd: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ImageFile.ImageFile, "load", lambda photo: pytest.fail(f"{photo} was decoded"))
    bombs = sorted(odd.rglob("bomb_*"))
    assert len(bombs) == 3
    for bomb in bombs:
        with pytest.raises(ImageTooLarge):
            photos.read(bomb)


def difference(one: Image.Image, other: Image.Image) -> float:
    """The mean difference of two pictures in grey levels; 255 for different sizes."""
    same = one.size == other.size
    return float(abs(np.asarray(one, float) - np.asarray(other, float)).mean()) if same else 255


@pytest.mark.parametrize(
    "pattern", ["exif_orientation/Landscape_?.jpg", "exif_orientation/Portrait_?.jpg", "derived/exif_*"]
)
def test_turned_photos_come_out_as_the_same_picture(odd: Path, pattern: str) -> None:
    turned = [photos.read(path) for path in sorted(odd.glob(pattern))]
    assert len(turned) >= 9
    assert max(difference(turned[1], photo) for photo in turned) < 5
    assert difference(turned[1], turned[1].transpose(TURN.ROTATE_180)) > 20


@pytest.mark.parametrize("name", ["gray16.png", "gray16.tif", "float32.tif"])
def test_deep_pictures_look_like_the_eight_bits_they_come_from(odd: Path, name: str) -> None:
    assert difference(photos.read(odd / "derived" / name), photos.read(odd / "derived" / "gray.png")) < 1.5


@pytest.mark.parametrize("name", ["cmyk.jpg", "palette.png", "anim.gif", "multipage.tif", "rgb.jp2", "lossy.webp"])
def test_colours_survive_their_coding(odd: Path, name: str) -> None:
    assert difference(photos.read(odd / "derived" / name), photos.read(odd / "derived" / "ok_rgb.png")) < 5


@pytest.mark.parametrize("name", ["palette_trns.png", "palette_trns_bytes.png", "rgba_gradient.png", "rgba.webp"])
def test_stored_transparency_lies_on_white(odd: Path, name: str) -> None:
    with Image.open(odd / "derived" / name) as photo:
        layers = np.asarray(photo.convert("RGBA"), float)
    alpha = layers[..., 3:] / 255
    expected = layers[..., :3] * alpha + 255 * (1 - alpha)
    assert alpha.min() == 0
    assert abs(np.asarray(photos.read(odd / "derived" / name), float) - expected).max() <= 1


def stored(photo: Image.Image, file_format: str, orientation: int, **options: Any) -> bytes:
    """A file as a camera writes it: the picture laid down in some way, and EXIF's word on which."""
    exif, turn, file = Image.Exif(), STORED[orientation], io.BytesIO()
    exif[ExifTags.Base.Orientation] = orientation
    (photo if turn is None else photo.transpose(turn)).save(file, file_format, exif=exif, **options)
    return file.getvalue()


@pytest.mark.parametrize("file_format", ["PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation", STORED)
def test_a_photo_is_turned_upright(cat: Path, file_format: str, orientation: int) -> None:
    with Image.open(cat) as upright:
        options = {"lossless": True, "method": 0} if file_format == "WEBP" else {}
        found = photos.read(stored(upright, file_format, orientation, **options))
        assert difference(found, upright) == 0
        assert difference(photos.read(found), upright) == 0


@pytest.mark.parametrize("orientation", [5, 6, 7, 8])
def test_an_open_picture_is_turned_upright(cat: Path, orientation: int) -> None:
    with Image.open(cat) as upright, Image.open(io.BytesIO(stored(upright, "PNG", orientation))) as turned:
        assert turned.size == (upright.height, upright.width)
        assert difference(photos.read(turned), upright) == 0
        assert difference(photos.read(turned), upright) == 0  # the first reading changed nothing of it


@pytest.mark.parametrize(
    "exif",
    [
        b"Exif\0\0garbage",
        b"Exif\0\0II*\0\xff\xff\xff\xff",
        b"Exif\0\0II*\0\x08\0\0\0\xff\xff\x12\x01",
        b"Exif\0\0MM\0*",
    ],
)
def test_damaged_exif_spoils_no_photo(exif: bytes) -> None:
    photo, plain, spoilt = Image.fromarray(small()), io.BytesIO(), io.BytesIO()
    photo.save(plain, "JPEG")
    photo.save(spoilt, "JPEG", exif=exif)
    assert difference(photos.read(spoilt.getvalue()), photos.read(plain.getvalue())) == 0


def outcome(photo: photos.Photo) -> str | bytes:
    try:
        return photos.read(photo).tobytes()
    except ImageError as error:
        return str(error)


def small() -> Array:
    return np.random.default_rng(0).integers(0, 256, (20, 30, 3), dtype=np.uint8)


def seed(file_format: str) -> bytes:
    return stored(Image.fromarray(small()), file_format, 6)


def plain(file_format: str, **options: Any) -> bytes:
    file = io.BytesIO()
    Image.fromarray(small()).save(file, file_format, **options)
    return file.getvalue()


SEEDS: dict[str, bytes] = {
    "JPEG": seed("JPEG"),
    "PNG": seed("PNG"),
    "WEBP": seed("WEBP"),
    "TIFF": seed("TIFF"),
    "TIFF lzw": plain("TIFF", compression="tiff_lzw"),
    "GIF": plain("GIF"),
    "BMP": plain("BMP"),
    "AVIF": plain("AVIF"),
}
places = st.integers(0, 2**16)
changes = st.lists(
    st.one_of(
        st.tuples(st.just("set"), places, st.integers(0, 255)),
        st.tuples(st.just("set"), st.integers(0, 80), st.integers(0, 255)),
        st.tuples(st.just("insert"), places, st.binary(min_size=1, max_size=8)),
        st.tuples(st.just("delete"), places, st.integers(1, 8)),
        st.tuples(st.just("cut"), places, st.none()),
    ),
    min_size=1,
    max_size=6,
)


def mutated(data: bytes, what: str, place: int, value: Any) -> bytes:
    place %= len(data) + 1
    match what:
        case "set":
            return data[:place] + bytes([value]) + data[place + 1 :]
        case "insert":
            return data[:place] + value + data[place:]
        case "delete":
            return data[:place] + data[place + value :]
    return data[:place]


@pytest.mark.parametrize("file_format", SEEDS)
@given(changes=changes)
@settings(max_examples=100)
def test_damaged_bytes_give_a_picture_or_one_error(file_format: str, changes: list[tuple[str, int, Any]]) -> None:
    data = SEEDS[file_format]
    for change in changes:
        data = mutated(data, *change)
    found = outcome(data)
    assert isinstance(found, bytes) or (found.startswith("bytes given as a photo: ") and "\n" not in found)


def with_exif_that_pillow_warns_of() -> bytes:
    """A sound picture whose EXIF promises nine tags and has one."""
    one, nine = b"Exif\0\0MM\0*\0\0\0\x08\0\x01", b"Exif\0\0MM\0*\0\0\0\x08\0\x09"
    return seed("JPEG").replace(one, nine)


def test_pillows_warnings_stay_unsaid_and_the_filters_stay() -> None:
    odd_exif = with_exif_that_pillow_warns_of()
    before = list(warnings.filters)
    with pytest.warns(UserWarning, match="Corrupt EXIF"), Image.open(io.BytesIO(odd_exif)) as photo:
        photo.getexif()
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        photos.read(odd_exif)
        warnings.warn("mine", stacklevel=1)
    assert [str(warning.message) for warning in said] == ["mine"]
    assert list(warnings.filters) == before


def in_eight_threads(given: list[photos.Photo]) -> list[str | bytes]:
    with ThreadPoolExecutor(8) as pool:
        return list(pool.map(outcome, given))


def test_eight_threads_read_what_one_reads(cat: Path) -> None:
    given: list[photos.Photo] = [*SEEDS.values(), *(data[:-99] for data in SEEDS.values()), cat]
    given = [*given, *([with_exif_that_pillow_warns_of()] * 20)] * 10
    before = list(warnings.filters)
    assert in_eight_threads(given) == [outcome(photo) for photo in given]
    assert list(warnings.filters) == before


def test_eight_threads_read_odd_files_as_one_does(odd: Path) -> None:
    given: list[photos.Photo] = [*sorted((odd / "derived").iterdir())]
    assert in_eight_threads(given) == [outcome(photo) for photo in given]


if __name__ == "__main__":
    sweep(Path(sys.argv[1]))
