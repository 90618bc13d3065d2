"""Large JPEGs decoded at a part of their size, where no answer changes by it."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import hati
from hati import photos


def enlarged(photo: Path | str, width: int, height: int, file_format: str = "JPEG", orientation: int = 1) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = orientation
    file = io.BytesIO()
    with Image.open(photo) as opened:
        large = opened.convert("RGB").resize((width, height), Image.Resampling.BICUBIC)
    large.save(file, file_format, exif=exif, **({"quality": 90} if file_format == "JPEG" else {}))
    return file.getvalue()


@pytest.mark.parametrize(
    ("size", "needed", "found"),
    [
        ((1600, 1200), 50, (200, 150)),  # an eighth, three times what is needed
        ((1600, 1200), 51, (400, 300)),
        ((1600, 1200), 100, (400, 300)),
        ((1600, 1200), 101, (800, 600)),
        ((1600, 1200), 150, (800, 600)),  # a half, four times what is needed
        ((1600, 1200), 151, (1600, 1200)),
        ((1200, 1600), 50, (150, 200)),
        ((1204, 1604), 50, (301, 401)),  # eighths would not be whole pixels
        ((1202, 1602), 50, (601, 801)),
        ((1201, 1602), 50, (1201, 1602)),
        ((40, 30), 1, (20, 15)),
    ],
)
def test_a_jpeg_is_decoded_no_larger_than_is_good_for(
    cat: Path, size: tuple[int, int], needed: int, found: tuple[int, int]
) -> None:
    assert photos.read(enlarged(cat, *size), needed=needed).size == found


@pytest.mark.parametrize(("file_format", "needed"), [("JPEG", None), ("PNG", 10), ("WEBP", 10)])
def test_other_photos_come_whole(cat: Path, file_format: str, needed: int | None) -> None:
    assert photos.read(enlarged(cat, 1600, 1200, file_format), needed=needed).size == (1600, 1200)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_part_of_the_size_is_turned_upright_like_the_whole(cat: Path, orientation: int) -> None:
    photo = enlarged(cat, 1600, 1200, orientation=orientation)
    whole = photos.read(photo)
    part = photos.read(photo, needed=40)
    assert part.size == (whole.width // 8, whole.height // 8)
    shrunk = np.asarray(whole.reduce(8), np.float32)
    assert np.abs(np.asarray(part, np.float32) - shrunk).mean() < 1


def test_every_pixel_can_be_asked_for(cat: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model, photo = hati.load(), enlarged(cat, 3200, 2400)
    quick = model.classify(photo)
    whole = model.classify(photo, every_pixel=True)
    monkeypatch.setattr("hati.photos.REDUCTIONS", {})
    assert model.classify(photo) == whole != quick


def test_names_are_those_of_the_whole_photo(shared: Path) -> None:
    model = hati.load()
    folder = shared / "imagenet_ccby"
    large = [enlarged(path, 2048, 2048) for path in sorted(folder.glob("*.jpg"))[:60]]
    quick, whole = model.classify(large, 1), model.classify(large, 1, every_pixel=True)
    same = [a.name == b.name for [a], [b] in zip(quick, whole, strict=True)]
    assert sum(same) >= 59
    scores = [abs(a.score - b.score) for [a], [b] in zip(quick, whole, strict=True)]
    assert 0 < np.mean(scores) < 0.01
