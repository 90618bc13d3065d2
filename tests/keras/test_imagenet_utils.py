"""Keras' preprocessing by mode, bit for bit, and its decoding of scores."""

from collections.abc import Iterator
from importlib import import_module
from typing import Any, get_args

import numpy as np
import pytest

from hati import labels
from hati.errors import ArgumentError, LabelsError
from hati.keras.applications.imagenet_utils import Mode, decode_predictions, preprocess_input

KERAS_MODES = ("caffe", "tf", "torch")
DTYPES = ("uint8", "int32", "float16", "float32", "float64")
FORMATS = ("channels_last", "channels_first")
MODULES = (
    *("convnext", "densenet", "efficientnet", "efficientnet_v2", "inception_resnet_v2", "inception_v3"),
    *("mobilenet", "mobilenet_v2", "mobilenet_v3", "nasnet", "resnet", "resnet50", "resnet_v2"),
    *("vgg16", "vgg19", "xception"),
)


def pixels(dtype: str = "float32", data_format: str | None = None, ndim: int = 4) -> np.ndarray:
    """Every grey level, in a picture or a batch of two."""
    x = np.random.default_rng(0).permuted(np.arange(2 * 16 * 16 * 3) % 256).reshape(2, 16, 16, 3).astype(dtype)
    x = np.moveaxis(x, -1, 1) if data_format == "channels_first" else x
    return np.ascontiguousarray(x if ndim == 4 else x[0])


@pytest.fixture(scope="module")
def applications() -> Any:
    import keras

    return keras.applications


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


@pytest.fixture(scope="module")
def imagenet_utils() -> Iterator[Any]:
    """Keras' decoder with our table in place of the one it would download."""
    from keras.src.applications import imagenet_utils

    imagenet_utils.CLASS_INDEX = {str(number): list(label) for number, label in enumerate(labels.imagenet())}
    yield imagenet_utils
    imagenet_utils.CLASS_INDEX = None


def scores(rows: int, dtype: str = "float32") -> np.ndarray:
    """Rows without ties."""
    return np.random.default_rng(rows).permuted(np.tile(np.arange(1000), (rows, 1)), axis=1).astype(dtype) / 1000


@pytest.mark.parametrize("rows", [0, 1, 7])
@pytest.mark.parametrize("top", [1, 3, 5, 1000, 5000])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_decoding_is_keras_decoding(imagenet_utils: Any, rows: int, top: int, dtype: str) -> None:
    preds = scores(rows, dtype)
    assert decode_predictions(preds, top) == imagenet_utils.decode_predictions(preds, top=top)


def test_five_names_are_given_unless_asked() -> None:
    (found,) = decode_predictions(scores(1))
    assert len(found) == 5
    assert [type(part) for part in found[0]] == [str, str, float]
    assert [score for _, _, score in found] == sorted((score for _, _, score in found), reverse=True)


def test_of_equal_scores_the_lower_class_comes_first() -> None:
    (found,) = decode_predictions(np.zeros((1, 1000)), top=2)
    assert [name for _, name, _ in found] == ["tench", "goldfish"]


@pytest.mark.parametrize("shape", [(1000,), (1, 999), (1, 2048), (1, 7, 7, 1000), (), (0,)])
def test_other_shapes_have_no_imagenet_names(shape: tuple[int, ...]) -> None:
    with pytest.raises(LabelsError, match=r"scores of shape \(.*\) came; \(batch, 1000\) was expected"):
        decode_predictions(np.zeros(shape))


@pytest.mark.parametrize("top", [0, -1])
def test_a_top_below_one_is_refused(top: int) -> None:
    with pytest.raises(ArgumentError, match=f"top is {top}; it can be 1 or more"):
        decode_predictions(scores(1), top)
