"""Preprocessing: Keras' numbers bit for bit, and the middle of every photo."""

from importlib import import_module
from typing import Any, get_args

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import Image

from hati.errors import ArgumentError
from hati.preprocessing import INTERPOLATIONS, NORMALISATIONS, Mode, Preprocessing, preprocess_input

KERAS_MODES = ("caffe", "tf", "torch")
DTYPES = ("uint8", "int32", "float16", "float32", "float64")
FORMATS = ("channels_last", "channels_first")
MODULES = (
    *("convnext", "densenet", "efficientnet", "efficientnet_v2", "inception_resnet_v2", "inception_v3"),
    *("mobilenet", "mobilenet_v2", "mobilenet_v3", "nasnet", "resnet", "resnet50", "resnet_v2"),
    *("vgg16", "vgg19", "xception"),
)


@pytest.fixture(scope="module")
def applications() -> Any:
    import keras

    return keras.applications


def pixels(dtype: str = "float32", data_format: str | None = None, ndim: int = 4) -> np.ndarray:
    """Every grey level, in a picture or a batch of two."""
    x = np.random.default_rng(0).permuted(np.arange(2 * 16 * 16 * 3) % 256).reshape(2, 16, 16, 3).astype(dtype)
    x = np.moveaxis(x, -1, 1) if data_format == "channels_first" else x
    return np.ascontiguousarray(x if ndim == 4 else x[0])


@pytest.mark.parametrize("mode", KERAS_MODES)
@pytest.mark.parametrize("data_format", [None, *FORMATS])
@pytest.mark.parametrize("ndim", [3, 4])
@pytest.mark.parametrize("dtype", DTYPES)
def test_numbers_are_keras_numbers(applications: Any, mode: Any, data_format: Any, ndim: int, dtype: str) -> None:
    x = pixels(dtype, data_format, ndim)
    theirs = applications.imagenet_utils.preprocess_input(x.copy(), data_format, mode)
    np.testing.assert_array_equal(preprocess_input(x, data_format, mode), theirs, strict=True)


@pytest.mark.parametrize("module", MODULES)
@pytest.mark.parametrize("data_format", [None, *FORMATS])
def test_each_application_has_its_twins_numbers(applications: Any, module: str, data_format: Any) -> None:
    x = pixels(data_format=data_format)
    ours = import_module(f"hati.keras.applications.{module}").preprocess_input(x, data_format=data_format)
    theirs = getattr(applications, module).preprocess_input(x.copy(), data_format=data_format)
    np.testing.assert_array_equal(ours, theirs, strict=True)


@pytest.mark.parametrize("mode", get_args(Mode))
@pytest.mark.parametrize("dtype", DTYPES)
def test_pixels_stay_as_they_are(mode: Any, dtype: str) -> None:
    x = pixels(dtype)
    preprocess_input(x, mode=mode)
    np.testing.assert_array_equal(x, pixels(dtype), strict=True)


@pytest.mark.parametrize("mode", KERAS_MODES)
@pytest.mark.parametrize("data_format", FORMATS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_in_place_writes_what_keras_writes(applications: Any, mode: Any, data_format: Any, dtype: str) -> None:
    ours, theirs = pixels(dtype, data_format), pixels(dtype, data_format)
    preprocess_input(ours, data_format, mode, in_place=True)
    applications.imagenet_utils.preprocess_input(theirs, data_format, mode)
    np.testing.assert_array_equal(ours, theirs, strict=True)
    assert np.array_equal(ours, pixels(dtype, data_format)) == (dtype in ("uint8", "int32"))


@pytest.mark.parametrize("data_format", FORMATS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_lite_is_less_127_by_128(data_format: Any, dtype: str) -> None:
    x = pixels(dtype, data_format)
    found = preprocess_input(x, data_format, "lite")
    assert found.dtype == (x.dtype if x.dtype.kind == "f" else np.float32)
    np.testing.assert_array_equal(found, (x.astype(np.float64) - 127) / 128)


@pytest.mark.parametrize("data_format", FORMATS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_a_network_that_preprocesses_itself_gets_the_pixels(data_format: Any, dtype: str) -> None:
    x = pixels(dtype, data_format)
    found = NORMALISATIONS["none"](x, data_format)
    assert found.dtype == (x.dtype if x.dtype.kind == "f" else np.float32)
    np.testing.assert_array_equal(found, x)


def test_a_list_of_pixels_will_do() -> None:
    np.testing.assert_array_equal(
        preprocess_input(pixels().tolist(), mode="tf"), pixels().astype(np.float64) / 127.5 - 1
    )


@pytest.mark.parametrize(
    ("shape", "options", "fault"),
    [
        ((4, 5, 3), {"mode": "keras"}, r"mode is 'keras'; it can be caffe, tf, torch, lite$"),
        ((4, 5, 3), {"mode": "none"}, r"mode is 'none'; it can be caffe, tf, torch, lite$"),
        ((4, 5, 3), {"data_format": "hwc"}, r"data_format is 'hwc'; it can be 'channels_last' or 'channels_first'"),
        ((4, 5, 3), {"data_format": "channels_first"}, r"shape \(4, 5, 3\) came.*channels_first"),
        ((3, 4, 5), {}, r"shape \(3, 4, 5\) came; \(height, width, 3\) or a batch of them was expected"),
        ((4, 5, 1), {}, r"shape \(4, 5, 1\) came"),
        ((4, 5, 4), {}, r"shape \(4, 5, 4\) came"),
        ((5, 3), {}, r"shape \(5, 3\) came"),
        ((1, 1, 4, 5, 3), {}, r"shape \(1, 1, 4, 5, 3\) came"),
    ],
)
def test_what_means_nothing_is_refused(shape: tuple[int, ...], options: dict[str, Any], fault: str) -> None:
    with pytest.raises(ArgumentError, match=fault):
        preprocess_input(np.zeros(shape), **options)


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
@settings(max_examples=300)
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
