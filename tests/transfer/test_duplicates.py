"""Photos that lie in two sets at once are found, however they were changed; photos of the same thing are not."""

import io
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageEnhance, ImageOps

import hati
from hati.photos.sets import PhotoSet
from hati.transfer import alignment
from hati.transfer.body import Body
from hati.transfer.duplicates import SAME, near_duplicates

Change = Callable[[Image.Image], Image.Image]


def again(photo: Image.Image, quality: int = 90) -> Image.Image:
    file = io.BytesIO()
    photo.save(file, "JPEG", quality=quality)
    return Image.open(file)


def cut(photo: Image.Image, left: float, top: float, right: float, bottom: float) -> Image.Image:
    width, height = photo.size
    return photo.crop((round(left * width), round(top * height), round(right * width), round(bottom * height)))


CHANGES: dict[str, Change] = {
    "the same": lambda photo: photo,
    "JPEG of quality 50": lambda photo: again(photo, 50),
    "half the size": lambda photo: photo.resize((photo.width // 2, photo.height // 2)),
    "cut at every edge": lambda photo: cut(photo, 0.05, 0.05, 0.95, 0.95),
    "cut at one corner": lambda photo: cut(photo, 0, 0.05, 0.95, 1),
    "brighter": lambda photo: ImageEnhance.Brightness(photo).enhance(1.1),
    "mirrored": ImageOps.mirror,
    "mirrored, cut, smaller": lambda photo: cut(ImageOps.mirror(photo), 0.03, 0.02, 0.98, 0.99).resize((200, 150)),
}  # fmt: skip


@pytest.fixture(scope="module")
def body() -> Body:
    return Body.of(hati.load())


@pytest.fixture(scope="module")
def originals() -> tuple[str, ...]:
    """Photos that scikit-image ships."""
    from skimage import data

    places = [Path(data.__file__).with_name(name) for name in ("astronaut.png", "chelsea.png", "coffee.png")]
    return tuple(str(place) for place in (*places, places[0].with_name("rocket.jpg")))


def a_set(photos: tuple[str, ...]) -> PhotoSet:
    return PhotoSet(photos, ("all",), np.ones((len(photos), 1), bool))


def found_in(body: Body, train: tuple[str, ...], validation: tuple[str, ...]) -> list[tuple[str, str]]:
    vectors = [body.see(photos, verbose=0).first for photos in (train, validation)]
    pairs = near_duplicates(a_set(train), vectors[0], a_set(validation), vectors[1])
    assert all(SAME <= pair.likeness <= 1.0001 for pair in pairs)
    return sorted((pair.train, pair.validation) for pair in pairs)


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_changed_photo_is_found(body: Body, originals: tuple[str, ...], tmp_path: Path, change: Change) -> None:
    copies = tuple(str(tmp_path / f"{number}.png") for number in range(len(originals)))
    for original, copy in zip(originals, copies, strict=True):
        with Image.open(original) as photo:
            change(photo.convert("RGB")).save(copy)
    assert found_in(body, originals, copies) == sorted(zip(originals, copies, strict=True))


def test_other_photos_of_the_same_flower_are_not_duplicates(body: Body, shared: Path) -> None:
    photos = [
        tuple(map(str, sorted((shared / "flowers" / part / "daisy").glob("*.jpg"))[::2])) for part in ("train", "val")
    ]
    assert found_in(body, *photos) == []


def test_a_photo_with_several_twins_is_told_once_beside_the_likest(
    body: Body, originals: tuple[str, ...], tmp_path: Path
) -> None:
    twins = (str(tmp_path / "cut.png"), originals[0], str(tmp_path / "brighter.png"))
    with Image.open(originals[0]) as photo:
        CHANGES["cut at every edge"](photo).save(twins[0])
        CHANGES["brighter"](photo).save(twins[2])
    assert found_in(body, twins, originals[:2]) == [(originals[0], originals[0])]


def test_a_photo_that_is_gone_is_passed_over(body: Body, originals: tuple[str, ...], tmp_path: Path) -> None:
    copies = tuple(str(shutil.copy(original, tmp_path)) for original in originals)
    vectors = body.see(originals, verbose=0).first
    Path(copies[0]).unlink()
    pairs = near_duplicates(a_set(originals), vectors, a_set(copies), vectors)
    assert [pair.validation for pair in pairs] == list(copies[1:])


@pytest.mark.parametrize(("train", "validation"), [(0, 0), (3, 0), (0, 3)])
def test_an_empty_set_has_no_duplicates(train: int, validation: int) -> None:
    sets = [(a_set(("x.jpg",) * count), np.ones((count, 8), np.float32)) for count in (train, validation)]
    assert near_duplicates(*sets[0], *sets[1]) == ()


def noise(seed: int) -> np.ndarray:
    """Blurred noise: as much in it as in a photo."""
    small = np.random.default_rng(seed).uniform(0, 255, (9, 9)).astype(np.uint8)
    size = (alignment.SIDE, alignment.SIDE)
    return np.asarray(Image.fromarray(small).resize(size, Image.Resampling.BICUBIC))


def likeness(x: np.ndarray, y: np.ndarray) -> float:
    [alike] = alignment.likeness(x[np.newaxis], y[np.newaxis])
    return float(alike)


def test_likeness_goes_both_ways_and_does_not_mind_light() -> None:
    x, y = noise(0), noise(1)
    assert likeness(x, x) == 1
    assert likeness(x, (0.5 * x + 40).astype(np.uint8)) > 0.999
    assert likeness(x, y) == pytest.approx(likeness(y, x), abs=0.05)
    assert likeness(x, y) < 0.7


def test_one_colour_is_like_itself_and_like_nothing_else() -> None:
    grey = np.full((alignment.SIDE, alignment.SIDE), 128, np.uint8)
    assert likeness(grey, grey) == 1
    assert likeness(grey, noise(0)) == 0


def test_pairs_that_are_compared_together_do_not_touch_each_other() -> None:
    x = np.stack([noise(0), noise(1), noise(2), noise(3)])
    y = np.stack([(0.5 * x[0] + 40).astype(np.uint8), x[1], x[2][:, ::-1], noise(4)])
    np.testing.assert_allclose(alignment.likeness(x, y), [likeness(*pair) for pair in zip(x, y, strict=True)])
