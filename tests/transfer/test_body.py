"""A body gives every photo its vector, once; what it gave is found again by the photo's content."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sorted_photos import sort_photos, texture

import hati
from hati.errors import ArgumentError, ImageNotFound
from hati.transfer.body import Body
from hati.transfer.vector_cache import VectorCache
from hati.transfer.views import VIEWS, View, pixels, views


@pytest.fixture(scope="module")
def body() -> Body:
    return Body.of(hati.load())


@pytest.fixture
def photos(tmp_path: Path) -> list[str]:
    return [str(path) for path in sorted(sort_photos(tmp_path / "own", {"dots": 2, "waves": 3}).rglob("*.png"))]


def test_the_vectors_are_the_models_own_features(body: Body, photos: list[str], empty_cache: Path) -> None:
    seen = body.see(photos)
    np.testing.assert_allclose(seen.first, hati.load().features(photos), rtol=1e-4, atol=1e-5)
    assert seen.vectors.dtype == np.float32
    assert seen.vectors.shape == (5, 1, body.width)


@pytest.mark.parametrize("name", ["MobileNet", "VGG16", "ResNet50"])
def test_any_model_has_a_body_whose_output_is_a_vector(name: str) -> None:
    model = hati.keras.applications.__getattr__(name)(weights=None, include_top=False, input_shape=(32, 32, 3))
    assert Body.of(model).graph.output.shape == (model.output_shape[-1],)


def test_a_body_can_see_larger_pictures(photos: list[str], empty_cache: Path) -> None:
    larger = Body.of(hati.load(), 256)
    assert larger.size == (256, 256)
    assert not np.allclose(larger.see(photos).first, Body.of(hati.load()).see(photos).first, atol=1e-3)
    with pytest.raises(ArgumentError, match="size is 64; vgg16 cannot take such pictures"):
        Body.of(hati.load("VGG16", None), 64)


def test_a_second_look_finds_what_the_first_one_kept(
    body: Body, photos: list[str], empty_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = body.see(photos, VIEWS[:2])
    Path(photos[0]).rename(Path(photos[0]).with_name("moved.png"))
    moved = [str(Path(photos[0]).with_name("moved.png")), *photos[1:]]

    def refuse(*_: object) -> np.ndarray:
        raise AssertionError("a photo was computed again")

    monkeypatch.setattr(Body, "session", property(lambda self: refuse))
    again = body.see(moved, VIEWS[:2])
    np.testing.assert_array_equal(again.vectors, first.vectors)
    np.testing.assert_array_equal(body.see(moved).first, first.first)
    texture("checks", 7).save(moved[0])
    with pytest.raises(AssertionError, match="computed again"):
        body.see(moved)


def test_other_weights_and_other_sizes_have_caches_of_their_own(body: Body, photos: list[str]) -> None:
    others = Body.of(hati.load(), 256), Body.of(hati.load("EfficientNetLite0", None))
    assert len({one.cache.path for one in (body, *others)}) == 3
    assert Body.of(hati.load()).cache.path == body.cache.path


@pytest.mark.parametrize("damage", [b"", b"no database at all" * 100, None], ids=["empty", "of something else", "cut"])
def test_a_damaged_cache_costs_the_work_again_and_nothing_else(
    body: Body, photos: list[str], empty_cache: Path, damage: bytes | None
) -> None:
    expected = body.see(photos).vectors
    [place] = (empty_cache / "features").glob("*.sqlite")
    place.write_bytes(place.read_bytes()[:6000] if damage is None else damage)
    np.testing.assert_array_equal(body.see(photos).vectors, expected)
    np.testing.assert_array_equal(body.see(photos).vectors, expected)
    assert len(VectorCache(place.stem).find([])) == 0


def test_a_cache_that_cannot_be_written_costs_nothing_but_time(
    body: Body, photos: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("a file where the cache's folder should be")
    body.session  # noqa: B018 - compiled in the usual cache
    monkeypatch.setenv("HATI_CACHE", str(tmp_path / "file"))
    assert len(body.see(photos).vectors) == 5


def test_photos_that_cannot_be_read_are_told_and_leave_the_others(
    body: Body, photos: list[str], tmp_path: Path, empty_cache: Path
) -> None:
    (tmp_path / "broken.jpg").write_bytes(b"\xff\xd8 no photo")
    seen = body.see([photos[0], str(tmp_path / "broken.jpg"), str(tmp_path / "missing.jpg"), photos[1]])
    assert seen.readable.tolist() == [True, False, False, True]
    assert [str(tmp_path) in str(error) for error in seen.errors] == [True, True]
    assert isinstance(seen.errors[1], ImageNotFound)
    np.testing.assert_array_equal(seen.first, body.see(photos[:2]).first)


def test_arrays_and_images_are_seen_as_files_are(body: Body, photos: list[str], empty_cache: Path) -> None:
    picture = Image.open(photos[0])
    seen = body.see([photos[0], picture, np.asarray(picture)]).first
    np.testing.assert_allclose(seen[1:], seen[[0, 0]], rtol=1e-4, atol=1e-5)


def test_views_are_what_they_say(body: Body) -> None:
    photo = texture("waves", 1)
    whole, mirrored, nearer = pixels(photo, VIEWS[:3], body.preprocessing, body.size)
    np.testing.assert_array_equal(whole, body.preprocessing(photo, body.size))
    np.testing.assert_array_equal(mirrored, whole[:, ::-1])
    assert np.abs(nearer - whole).mean() > 0.01
    assert [str(view) for view in VIEWS] == ["1", "1 mirrored", "0.8", "0.8 mirrored"]
    assert views(3) == (View(), View(mirrored=True), View(0.8))
    with pytest.raises(ArgumentError, match="views is 5; it can be 1 to 4"):
        views(5)


def test_vectors_as_long_as_maps_are_not_kept(photos: list[str], empty_cache: Path) -> None:
    from hati.sklearn.bodies import body_of

    maps = body_of("EfficientNetLite0", "block2b_add", None)
    assert maps.width > 8192
    assert maps.see(photos[:2]).first.shape == (2, maps.width)
    assert not maps.cache.path.exists()
