"""What `predict` refuses, what it warns of, and the good pictures it says nothing about."""

import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from hati.errors import InputError, InputWarning
from hati.model import inputs
from hati.preprocessing import NORMALISATIONS

SAMPLES = ("chelsea.png", "coffee.png", "astronaut.png")
NAMES = sorted(NORMALISATIONS)
CHANGED = sorted(NORMALISATIONS.keys() - {"none"})
SMALL = (32, 40, 3)


def pixels(path: Path, side: int = 96) -> np.ndarray:
    with Image.open(path) as photo:
        return np.asarray(photo.convert("RGB").resize((side, side)))


@pytest.fixture(scope="module")
def samples(cat: Path) -> list[np.ndarray]:
    return [pixels(cat.parent / name) for name in SAMPLES]


def warned(x: np.ndarray, normalisation: str) -> str | None:
    """What is said of values that come to a model with this preprocessing."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        inputs.check_values(x.astype(np.float32), NORMALISATIONS[normalisation], stacklevel=1)
    return str(caught[0].message) if caught else None


def unwarned(pictures: Iterable[np.ndarray], normalisation: str) -> int:
    return sum(warned(x, normalisation) is None for x in pictures)


@pytest.mark.parametrize(
    ("x", "shape"),
    [
        (np.zeros((2, *SMALL)), SMALL),
        (np.zeros((0, *SMALL)), SMALL),
        (np.zeros((1, 7, 9, 3), np.uint8), (None, None, 3)),
        (np.zeros((1, *SMALL), np.float16).tolist(), SMALL),
        ([np.zeros(SMALL), np.zeros(SMALL)], SMALL),
        (np.zeros((4, 10)), (10,)),
    ],
)
def test_a_batch_of_the_right_shape_is_taken(x: Any, shape: tuple[int | None, ...]) -> None:
    np.testing.assert_array_equal(inputs.batch(x, shape), np.asarray(x), strict=True)


@pytest.mark.parametrize(
    ("x", "found", "advice"),
    [
        (np.zeros(SMALL), r"\(32, 40, 3\)", r"batch axis with np.expand_dims\(x, axis=0\)$"),
        (
            np.zeros((2, 3, 32, 40)),
            r"\(2, 3, 32, 40\)",
            r"move the channels to the end with x.transpose\(0, 2, 3, 1\)$",
        ),
        (
            np.zeros((2, 50, 60, 3)),
            r"\(2, 50, 60, 3\)",
            r"resize the pictures, or build the model with include_top=False",
        ),
        (np.zeros((2, 32, 40, 1)), r"\(2, 32, 40, 1\)", r"expected$"),
        (np.zeros((32, 40)), r"\(32, 40\)", r"expected$"),
        (np.float32(3), r"\(\)", r"expected$"),
    ],
)
def test_a_wrong_shape_is_named_with_its_remedy(x: np.ndarray, found: str, advice: str) -> None:
    with pytest.raises(InputError, match=rf"of shape {found} came; \(batch, 32, 40, 3\) was expected.*") as caught:
        inputs.batch(x, SMALL)
    caught.match(advice)


def test_an_open_size_is_shown_as_any() -> None:
    with pytest.raises(InputError, match=r"\(batch, any, any, 3\) was expected"):
        inputs.batch(np.zeros((1, 5, 5, 4)), (None, None, 3))


@pytest.mark.parametrize(
    ("x", "kind"),
    [
        (np.zeros((1, *SMALL), bool), "bool"),
        (np.zeros((1, *SMALL), complex), "complex128"),
        (None, "object"),
        ("x", "<U1"),
    ],
)
def test_what_are_no_numbers_is_named(x: Any, kind: str) -> None:
    with pytest.raises(InputError, match=rf"an array of type {kind} came; numbers of shape \(batch, 32, 40, 3\)"):
        inputs.batch(x, SMALL)


def test_pictures_of_several_shapes_are_refused() -> None:
    with pytest.raises(InputError, match=r"pictures of several shapes came; one array of shape \(batch, 32, 40, 3\)"):
        inputs.batch([np.zeros(SMALL), np.zeros((8, 9, 3))], SMALL)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("name", NAMES)
def test_nan_and_infinity_are_refused(name: str, value: float) -> None:
    x = NORMALISATIONS[name](np.zeros(SMALL))
    x[3, 4, 1] = value
    with pytest.raises(InputError, match="NaN or infinity"):
        inputs.check_values(x, NORMALISATIONS[name], stacklevel=1)


@pytest.mark.parametrize("name", CHANGED)
def test_pixels_that_were_never_preprocessed_are_warned_of(name: str, samples: list[np.ndarray]) -> None:
    for x in samples:
        assert "as if 0–255 pixels had never been preprocessed" in str(warned(x, name))
        assert "had never been preprocessed" in str(warned(x // 2, name))  # a dark photo


@pytest.mark.parametrize("name", CHANGED)
def test_pixels_that_were_preprocessed_twice_are_warned_of(name: str, samples: list[np.ndarray]) -> None:
    twice = [NORMALISATIONS[name](NORMALISATIONS[name](x)) for x in samples]
    assert all("preprocessed twice" in str(warned(x, name)) for x in twice)


@pytest.mark.parametrize("name", NAMES)
def test_pixels_that_were_preprocessed_once_are_taken_silently(name: str, samples: list[np.ndarray]) -> None:
    for x in samples:
        assert warned(NORMALISATIONS[name](x), name) is None
        assert warned(NORMALISATIONS[name](x // 2), name) is None
        assert warned(NORMALISATIONS[name](x.astype(np.float64)), name) is None


@pytest.mark.parametrize(
    ("model", "given"),
    [
        ("caffe", "tf"),
        ("caffe", "torch"),
        ("caffe", "lite"),
        ("tf", "caffe"),
        ("tf", "torch"),
        ("torch", "caffe"),
        ("lite", "caffe"),
        ("lite", "torch"),
        ("none", "caffe"),
        ("none", "tf"),
        ("none", "torch"),
        ("none", "lite"),
    ],
)
def test_another_models_preprocessing_is_warned_of(model: str, given: str, samples: list[np.ndarray]) -> None:
    assert all("for another model" in str(warned(NORMALISATIONS[given](x), model)) for x in samples)


@pytest.mark.parametrize("name", ["caffe", "none"])
def test_fractions_of_one_are_warned_of_where_pixels_were_due(name: str, samples: list[np.ndarray]) -> None:
    assert unwarned([x / 255 for x in samples], name) == 0


def test_pixels_of_16_bits_are_warned_of_where_those_of_8_were_due(samples: list[np.ndarray]) -> None:
    assert all("for another model" in str(warned(x * 257.0, "none")) for x in samples)


def test_whole_numbers_are_taken_silently_where_pixels_were_due(samples: list[np.ndarray]) -> None:
    assert unwarned([*samples, *(x // 2 for x in samples)], "none") == 2 * len(samples)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("level", [0, 1, 100, 255])
def test_a_picture_of_one_grey_is_taken_silently(name: str, level: int) -> None:
    assert warned(NORMALISATIONS[name](np.full(SMALL, level)), name) is None


@pytest.mark.parametrize("name", NAMES)
def test_an_empty_batch_is_taken_silently(name: str) -> None:
    assert warned(np.zeros((0, *SMALL)), name) is None


@pytest.mark.parametrize("name", CHANGED)
def test_four_hundred_photos_are_told_apart(name: str, shared: Path) -> None:
    photos = [pixels(path, 64) for path in sorted((shared / "imagenet_ccby").glob("*.jpg"))]
    once = [NORMALISATIONS[name](x) for x in photos]
    assert len(photos) == 400
    assert unwarned(once, name) == 400
    assert unwarned(photos, name) == 0
    assert unwarned(map(NORMALISATIONS[name], once), name) <= 4  # the brightest, twice in torch, still look like photos


def test_four_hundred_photos_are_told_from_preprocessed_ones_where_pixels_are_due(shared: Path) -> None:
    photos = [pixels(path, 64) for path in sorted((shared / "imagenet_ccby").glob("*.jpg"))]
    assert len(photos) == 400
    assert unwarned(photos, "none") == 400
    for name in CHANGED:
        assert unwarned(map(NORMALISATIONS[name], photos), "none") == 0
    assert unwarned((x / 255 for x in photos), "none") == 0


def test_the_warning_names_both_ranges_and_the_callers_line() -> None:
    x = np.arange(256, dtype=np.float32).reshape(1, 16, 16, 1)
    with pytest.warns(InputWarning, match=r"values go from 0 to 255, .* preprocess_input gives -1 to 1") as caught:
        inputs.check_values(x, NORMALISATIONS["tf"], stacklevel=1)
    assert caught[0].filename == __file__


class Foreign:
    """Somebody's array, which does not become NumPy's."""

    def __init__(self, error: Exception):
        self.error = error

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        raise self.error


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("Can't call numpy() on Tensor that requires grad."),
        TypeError("can't convert cuda:0 device type tensor to numpy"),
        TypeError("Got unsupported ScalarType BFloat16"),
        KeyError("lost"),
        ValueError(),
    ],
    ids=repr,
)
@pytest.mark.parametrize("wrapped", [False, True])
def test_what_makes_no_array_says_so_with_the_way_out(error: Exception, wrapped: bool) -> None:
    foreign = Foreign(error)
    with pytest.raises(InputError, match=r"a Foreign came, which makes no array of numbers \(.+\); give a NumPy array"):
        inputs.batch([foreign] if wrapped else foreign, SMALL)


@pytest.mark.parametrize("kind", ["float32", "float64", "float16", "uint8"])
def test_tensors_come_as_their_numbers_even_where_they_want_gradients(kind: str) -> None:
    import torch

    x = torch.ones((1, *SMALL), dtype=getattr(torch, kind), requires_grad=kind.startswith("float"))
    found = inputs.batch(x, SMALL)
    assert isinstance(found, np.ndarray)
    assert found.dtype == kind


def test_a_tensor_in_bfloat16_is_refused_in_one_sentence() -> None:
    import torch

    with pytest.raises(InputError, match=r"BFloat16.*x\.detach\(\)\.cpu\(\)\.float\(\)\.numpy\(\)"):
        inputs.batch(torch.ones((1, *SMALL), dtype=torch.bfloat16), SMALL)
