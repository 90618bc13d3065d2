"""Preprocessing: Keras' numbers bit for bit, and the middle of every photo."""

from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import Image

from hati.preprocessing import INTERPOLATIONS, NORMALISATIONS, Preprocessing

DTYPES = ("uint8", "int32", "float16", "float32", "float64")
FORMATS = ("channels_last", "channels_first")


def pixels(dtype: str = "float32", data_format: str | None = None, ndim: int = 4) -> np.ndarray:
    """Every grey level, in a picture or a batch of two."""
    x = np.random.default_rng(0).permuted(np.arange(2 * 16 * 16 * 3) % 256).reshape(2, 16, 16, 3).astype(dtype)
    x = np.moveaxis(x, -1, 1) if data_format == "channels_first" else x
    return np.ascontiguousarray(x if ndim == 4 else x[0])


@pytest.mark.parametrize("data_format", FORMATS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_a_network_that_preprocesses_itself_gets_the_pixels(data_format: Any, dtype: str) -> None:
    x = pixels(dtype, data_format)
    found = NORMALISATIONS["none"](x, data_format)
    assert found.dtype == (x.dtype if x.dtype.kind == "f" else np.float32)
    np.testing.assert_array_equal(found, x)


@pytest.mark.parametrize("mode", NORMALISATIONS)
def test_lowest_and_highest_are_those_of_all_pixels(mode: str) -> None:
    found = NORMALISATIONS[mode](np.arange(256.0).repeat(3).reshape(16, 16, 3))
    assert (found.min(), found.max()) == (NORMALISATIONS[mode].lowest, NORMALISATIONS[mode].highest)


sides = st.integers(1, 700) | st.sampled_from([1, 2, 224, 4000])


@given(
    photo=st.tuples(sides, sides),
    size=st.tuples(st.integers(1, 300), st.integers(1, 300)),
    crop=st.floats(0.01, 1) | st.sampled_from([0.875, 0.95, 1.0]),
    interpolation=st.sampled_from(sorted(INTERPOLATIONS)),
)
@example(photo=(1, 1), size=(224, 224), crop=0.875, interpolation="bicubic")
@example(photo=(1, 500), size=(224, 224), crop=0.875, interpolation="bicubic")
@example(photo=(189, 2), size=(1, 161), crop=1.0, interpolation="bicubic")
@example(photo=(4000, 1), size=(224, 224), crop=1.0, interpolation="bilinear")
@settings(deadline=None, max_examples=300)
def test_a_photo_of_any_size_is_brought_to_any_size(
    photo: tuple[int, int], size: tuple[int, int], crop: float, interpolation: str
) -> None:
    found = Preprocessing("lite", crop, interpolation).resize(Image.new("RGB", photo, (9, 99, 199)), size)
    assert (found.shape, found.dtype.name) == ((*size, 3), "uint8")
    assert (found == (9, 99, 199)).all()


def ramp(width: int, height: int) -> Image.Image:
    """Red grows by 1 with every pixel to the right, green with every pixel down."""
    rows, columns = np.indices((height, width))
    return Image.fromarray(np.stack([columns, rows, 0 * rows], axis=-1).astype(np.uint8))


@pytest.mark.parametrize("interpolation", ["bilinear", "bicubic", "lanczos", "hamming", "box"])
@pytest.mark.parametrize(
    ("photo", "size", "crop"),
    [
        ((200, 100), (50, 50), 1.0),
        ((100, 200), (50, 50), 1.0),
        ((200, 100), (50, 50), 0.8),
        ((240, 160), (40, 40), 0.875),
        ((200, 200), (50, 25), 1.0),
        ((100, 200), (40, 80), 0.8),
    ],
)
def test_the_middle_is_taken_in_its_own_proportions(
    photo: tuple[int, int], size: tuple[int, int], crop: float, interpolation: str
) -> None:
    x = Preprocessing("lite", crop, interpolation).resize(ramp(*photo), size).astype(float)[3:-3, 3:-3]
    step = crop * min(photo[0] / size[1], photo[1] / size[0])
    assert x[..., 0].mean() == pytest.approx((photo[0] - 1) / 2, abs=0.6)
    assert x[..., 1].mean() == pytest.approx((photo[1] - 1) / 2, abs=0.6)
    assert np.diff(x[..., 0], axis=1).mean() == pytest.approx(step, abs=0.1)
    assert np.diff(x[..., 1], axis=0).mean() == pytest.approx(step, abs=0.1)


def test_a_photo_of_the_right_size_stays_as_it_is() -> None:
    photo = ramp(60, 40)
    np.testing.assert_array_equal(Preprocessing("tf", 1.0, "bicubic").resize(photo, (40, 60)), np.asarray(photo))


@pytest.mark.parametrize("mode", NORMALISATIONS)
def test_a_call_resizes_and_normalises(mode: str) -> None:
    preprocessing = Preprocessing(mode, 0.875, "bicubic")
    found = preprocessing(ramp(90, 70), (32, 24))
    assert (found.shape, found.dtype.name) == ((32, 24, 3), "float32")
    np.testing.assert_array_equal(found, NORMALISATIONS[mode](preprocessing.resize(ramp(90, 70), (32, 24))))
