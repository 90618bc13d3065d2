"""What a network sees while it learns: which photos at once, and what of each."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tiny_body import School, body_of, few_layers, school

from hati.photos.sets import PhotoSet
from hati.preprocessing import Preprocessing
from hati.transfer.finetuning import Recipe
from hati.transfer.finetuning.augmentation import GREY, augmented, mixed, needed
from hati.transfer.finetuning.batches import ALONE, PlainBatches, Share, TrainingBatches, parts

Array = np.ndarray

PREPROCESSING = Preprocessing("none", 0.9, "bilinear")
NOTHING = Recipe(crop=1, flip=False, colour=0)


def chance(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def gradient(width: int = 90, height: int = 60) -> Image.Image:
    """Red tells how far to the right a pixel is, green how far down."""
    x = np.zeros((height, width, 3))
    x[..., 0], x[..., 1] = np.arange(width) * 2, np.arange(height)[:, np.newaxis] * 3
    return Image.fromarray(x.astype(np.uint8))


def test_without_any_change_it_is_what_the_model_sees() -> None:
    x = augmented(gradient(), PREPROCESSING, (32, 48), NOTHING, chance())
    np.testing.assert_array_equal(x, PREPROCESSING.resize(gradient(), (32, 48)))


@pytest.mark.parametrize("crop", [0.2, 0.5, 0.9])
def test_a_part_has_its_share_of_the_area_and_about_the_shape(crop: float) -> None:
    photo, areas = gradient(), []
    for seed in range(200):
        x = augmented(photo, PREPROCESSING, (32, 48), replace(NOTHING, crop=crop), chance(seed))
        (wide, tall) = (np.ptp(x[..., 0]) / 2 * 48 / 46, np.ptp(x[..., 1]) / 3 * 32 / 30)
        areas.append(wide * tall / (90 * 60))
        assert 0.55 < wide / tall / 1.5 < 1.85
    assert crop * 0.75 < min(areas) < crop * 1.2
    assert 0.85 < max(areas) <= 1.1


def test_half_of_the_pictures_are_mirrored() -> None:
    seen = [augmented(gradient(), PREPROCESSING, (32, 48), replace(NOTHING, flip=True), chance(n)) for n in range(200)]
    mirrored = [x for x in seen if x[0, 0, 0] > x[0, -1, 0]]
    assert 70 < len(mirrored) < 130
    np.testing.assert_array_equal(mirrored[0][:, ::-1], PREPROCESSING.resize(gradient(), (32, 48)))


def test_light_changes_within_bounds() -> None:
    flat = Image.new("RGB", (40, 40), (100, 120, 90))
    seen = [augmented(flat, PREPROCESSING, (8, 8), replace(NOTHING, colour=0.3), chance(n)) for n in range(200)]
    brightness = np.array([(x @ GREY).mean() for x in seen]) / (np.array([100, 120, 90]) @ GREY)
    assert 0.7 <= brightness.min() < 0.75
    assert 1.25 < brightness.max() <= 1.3
    spread = [np.ptp(x[0, 0]) / ((x @ GREY).mean() / (np.array([100, 120, 90]) @ GREY)) / 30 for x in seen]
    assert 0.7**2 <= min(spread) < 0.62  # both contrast and saturation bring a flat colour nearer to grey
    assert 1.4 < max(spread) <= 1.3**2
    wild = [augmented(gradient(), PREPROCESSING, (8, 8), replace(NOTHING, colour=1), chance(n)) for n in range(50)]
    assert min(x.min() for x in wild) >= 0
    assert max(x.max() for x in wild) <= 255


@pytest.mark.parametrize(("count", "neighbours"), [(4, [1, 0, 3, 2]), (3, [1, 0, 2]), (1, [0])])
def test_neighbours_are_laid_over_each_other(count: int, neighbours: list[int]) -> None:
    x, targets = chance().random((count, 2, 2, 3)), np.eye(4)[:count]
    laid, told = mixed(x, targets, 0.7)
    np.testing.assert_allclose(laid, 0.7 * x + 0.3 * x[neighbours])
    np.testing.assert_allclose(told, 0.7 * targets + 0.3 * targets[neighbours])


@pytest.mark.parametrize(
    ("count", "most", "least", "expected"),
    [
        (12, 4, 2, [4, 4, 4]),
        (13, 4, 2, [4, 3, 3, 3]),
        (3, 2, 2, [3]),
        (5, 4, 2, [3, 2]),
        (1, 4, 2, [1]),
        (3, 1, 1, [1] * 3),
    ],
)
def test_no_part_is_left_with_one_photo(count: int, most: int, least: int, expected: list[int]) -> None:
    found = np.array_split(np.arange(count), parts(count, most, least))
    assert [len(part) for part in found] == expected


@pytest.fixture(scope="module")
def given(tmp_path_factory: pytest.TempPathFactory) -> School:
    return school(tmp_path_factory.mktemp("school"), each=5)


def batches(given: School, recipe: Recipe, share: Share = ALONE, seed: int = 0) -> TrainingBatches:
    return TrainingBatches(given.train, given.body, recipe, seed, share)


@pytest.mark.parametrize("processes", [1, 2, 3])
def test_processes_share_each_step_and_see_each_photo_once(given: School, processes: int) -> None:
    recipe = Recipe(batch_size=2, accumulate=2)
    shares = [[*batches(given, recipe, Share(rank, processes)).epoch(1)] for rank in range(processes)]
    for steps in zip(*shares, strict=True):
        assert {step.photos for step in steps} == {sum(len(batch.x) for step in steps for batch in step.batches)}
        assert all(len(batch.x) > 1 for step in steps for batch in step.batches)
    whole = np.concatenate([batch.x for step in batches(given, recipe).epoch(1) for batch in step.batches])
    together = np.concatenate([batch.x for steps in shares for step in steps for batch in step.batches])
    assert len(together) == len(given.train) == 15
    np.testing.assert_array_equal(np.unique(together, axis=0), np.unique(whole, axis=0))


def seen(given: School, recipe: Recipe, epoch: int, seed: int = 0) -> Array:
    steps = batches(given, recipe, seed=seed).epoch(epoch)
    return np.concatenate([batch.x for step in steps for batch in step.batches])


def test_each_epoch_and_each_seed_has_its_own_order_and_looks(given: School) -> None:
    recipe = Recipe(batch_size=4)
    first = seen(given, recipe, 1)
    np.testing.assert_array_equal(first, seen(given, recipe, 1))
    for other in (seen(given, recipe, 2), seen(given, recipe, 1, seed=1)):
        assert not (first[:, np.newaxis] == other).all((2, 3, 4)).any()


def test_the_order_of_threads_does_not_matter(given: School) -> None:
    recipe = Recipe(batch_size=4)
    steps = TrainingBatches(given.train, given.body, recipe, 0, ALONE, workers=4).epoch(1)
    np.testing.assert_array_equal(np.concatenate([b.x for step in steps for b in step.batches]), seen(given, recipe, 1))


def test_mixed_pictures_have_mixed_targets(given: School) -> None:
    steps = batches(given, Recipe(batch_size=4, mixup=1.0)).epoch(1)
    targets = np.concatenate([batch.targets for step in steps for batch in step.batches])
    assert ((targets > 0.01) & (targets < 0.99)).any()
    np.testing.assert_allclose(targets.sum(1), 1, rtol=1e-6)


def test_plain_photos_are_what_the_model_sees(given: School) -> None:
    plain = PlainBatches(given.train, given.body, 4)
    expected = [given.body.preprocessing(Image.open(str(photo)), given.body.size) for photo in given.train.photos]
    for _ in range(2):  # the second time out of memory
        found = np.concatenate([batch.x for batch in plain.batches()])
        np.testing.assert_array_equal(found, np.stack(expected))


def test_a_large_photo_is_kept_no_larger_than_needed(tmp_path: Path) -> None:
    photo = tmp_path / "large.png"
    gradient(900, 600).save(photo)
    body, recipe = body_of(few_layers()), Recipe(crop=0.25)
    found = TrainingBatches(PhotoSet((photo,), ("a",), np.ones((1, 1), bool)), body, recipe, 0, ALONE)._decoded[0]
    assert needed(body.size, recipe.crop) == 74
    assert found.size == (113, 75)


def test_another_preprocessing_normalises_otherwise(given: School) -> None:
    caffe = replace(given.body, preprocessing=Preprocessing("caffe", 1, "bilinear"))
    (step, *_) = TrainingBatches(given.train, caffe, Recipe(), 0, ALONE).epoch(1)
    assert step.batches[0].x.max() > 20
