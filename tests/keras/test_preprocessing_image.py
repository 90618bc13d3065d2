"""`load_img` and its siblings beside Keras' own: the same pixels, the same bytes, the same refusals."""

import inspect
import io
import warnings
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from hati.errors import ArgumentError, ImageError, ImageNotFound
from hati.keras.preprocessing import image

Options = dict[str, Any]
Outcome = tuple[str, tuple[int, int], bytes] | None
NAMES = ("load_img", "img_to_array", "array_to_img", "save_img")
SIZES: dict[str, Options] = {
    "as it is": {},
    "nearest": {"target_size": (40, 50)},
    "bilinear, middle": {"target_size": (224, 224), "interpolation": "bilinear", "keep_aspect_ratio": True},
    "bicubic": {"target_size": (33, 70, 3), "interpolation": "bicubic"},
    "hamming, middle": {"target_size": [70, 33], "interpolation": "hamming", "keep_aspect_ratio": True},
    "box": {"target_size": (1, 1), "interpolation": "box"},
    "lanczos": {"target_size": (200, 300), "interpolation": "lanczos"},
}
MODES = ("rgb", "rgba", "grayscale")


@pytest.fixture(scope="module")
def keras_utils() -> Any:
    import keras

    return keras.utils


def theirs(load_img: Callable[..., Image.Image], path: Path, options: Options) -> Outcome:
    """What Keras gives, decoded to its end; None where it fails."""
    try:
        return content(load_img(path, **options))
    except Exception:
        return None


def ours(path: Path, options: Options) -> Outcome:
    try:
        return content(image.load_img(path, **options))
    except ImageError as error:
        named = str(error).startswith(f"{path}: ")
        return None if named else ("an error without its file", (0, 0), b"")


def content(photo: Image.Image) -> Outcome:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return photo.mode, photo.size, photo.tobytes()


def different(load_img: Callable[..., Image.Image], paths: Iterable[Path], options: Options) -> list[str]:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module=r"PIL\.")
        return [path.name for path in paths if theirs(load_img, path, options) != ours(path, options)]


def pictures_in(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.suffix in (".png", ".jpg", ".gif", ".tif"))


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("mode", MODES)
def test_odd_files_load_as_in_keras(shared: Path, keras_utils: Any, mode: str, size: str) -> None:
    paths = [path for path in sorted((shared / "odd" / "derived").iterdir()) if "12000" not in path.name]
    assert len(paths) > 70
    assert different(keras_utils.load_img, paths, {"color_mode": mode, **SIZES[size]}) == []


@pytest.mark.parametrize(
    ("mode", "size"), [("rgb", "as it is"), ("rgba", "nearest"), ("grayscale", "bilinear, middle")]
)
def test_turned_photos_load_as_in_keras(shared: Path, keras_utils: Any, mode: str, size: str) -> None:
    paths = sorted((shared / "odd" / "exif_orientation").iterdir())
    assert len(paths) == 18
    assert different(keras_utils.load_img, paths, {"color_mode": mode, **SIZES[size]}) == []


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("mode", MODES)
def test_sample_pictures_load_as_in_keras(cat: Path, keras_utils: Any, mode: str, size: str) -> None:
    paths = [path for path in pictures_in(cat.parent) if path.stat().st_size < 300_000]
    assert len(paths) > 10
    assert different(keras_utils.load_img, paths, {"color_mode": mode, **SIZES[size]}) == []


def test_a_picture_of_144_megapixels_loads_as_in_keras(shared: Path, keras_utils: Any) -> None:
    path = shared / "odd" / "derived" / "bomb_12000x12000_1bit.png"
    options = {"color_mode": "grayscale", "target_size": (30, 30)}
    assert ours(path, options) is not None
    assert different(keras_utils.load_img, [path], options) == []


@pytest.mark.parametrize("function", NAMES)
def test_options_have_keras_names_order_and_defaults(keras_utils: Any, function: str) -> None:
    def options(of: Callable[..., Any]) -> list[tuple[str, Any]]:
        parameters = inspect.signature(of).parameters.values()
        return [(p.name, p.default) for p in parameters if p.kind is not inspect.Parameter.VAR_KEYWORD]

    assert options(getattr(image, function)) == options(getattr(keras_utils, function))


@pytest.mark.parametrize(
    "given", [str, lambda path: str(path).encode(), Path, lambda path: io.BytesIO(path.read_bytes())]
)
def test_a_photo_is_a_path_in_any_form_or_bytes_in_memory(cat: Path, given: Callable[[Path], Any]) -> None:
    assert content(image.load_img(given(cat))) == content(Image.open(cat))


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        ({"color_mode": "cmyk"}, r"color_mode is 'cmyk'; it can be 'rgb'"),
        ({"interpolation": "cubic"}, r"interpolation is 'cubic'; it can be nearest"),
        ({"target_size": (0, 5)}, r"target_size is \(0, 5\)"),
        ({"target_size": (5, -1)}, r"target_size is \(5, -1\)"),
        ({"target_size": (5.5, 5)}, r"target_size is \(5.5, 5\)"),
        ({"target_size": (5,)}, r"target_size is \(5,\)"),
        ({"target_size": 224}, r"target_size is 224; it can be \(height, width\)"),
        ({"target_size": "ab"}, r"target_size is 'ab'"),
    ],
)
def test_a_wrong_option_is_named(cat: Path, options: Options, fault: str) -> None:
    with pytest.raises(ArgumentError, match=fault):
        image.load_img(cat, **options)


@pytest.mark.parametrize("path", [7, None, [b"a"], np.zeros((3, 3, 3))], ids=str)
def test_what_is_no_path_is_refused(path: Any) -> None:
    with pytest.raises(ArgumentError, match=r"a path or an io.BytesIO was expected"):
        image.load_img(path)


def test_a_missing_file_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(ImageNotFound, match=r"nothing.jpg: there is no such file"):
        image.load_img(tmp_path / "nothing.jpg")


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "1", "I", "F", "I;16", "CMYK", "LA"])
@pytest.mark.parametrize("dtype", [None, "uint8", "int32", "float16", "float64"])
@pytest.mark.parametrize("data_format", [None, "channels_last", "channels_first"])
def test_pictures_become_keras_arrays(keras_utils: Any, mode: str, dtype: str | None, data_format: str | None) -> None:
    photo = Image.effect_noise((7, 5), 90).convert("RGB" if mode in ("CMYK", "RGBA") else "L").convert(mode)
    x, y = (module.img_to_array(photo, data_format, dtype) for module in (image, keras_utils))
    assert (x.dtype, x.shape, x.tobytes()) == (y.dtype, y.shape, y.tobytes())


@pytest.mark.parametrize("shape", [(6, 4), (6, 4, 1), (6, 4, 3), (6, 4, 5)])
def test_arrays_become_keras_arrays(keras_utils: Any, shape: tuple[int, ...]) -> None:
    given = np.arange(np.prod(shape)).reshape(shape)
    for data_format in ("channels_last", "channels_first"):
        np.testing.assert_array_equal(
            image.img_to_array(given, data_format), keras_utils.img_to_array(given, data_format), strict=True
        )


def arrays(channels: int) -> dict[str, np.ndarray]:
    random = np.random.default_rng(0)
    return {
        "pixels": random.integers(0, 256, (5, 6, channels), dtype=np.uint8),
        "fractions": random.random((5, 6, channels)),
        "deep": random.integers(0, 70_000, (5, 6, channels)),
        "below and above zero": random.normal(0, 3, (5, 6, channels)).astype(np.float16),
        "one value": np.full((5, 6, channels), 9.0),
        "black": np.zeros((5, 6, channels)),
    }


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("scale", [True, False])
@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
@pytest.mark.parametrize("dtype", [None, "float16", "float64"])
def test_arrays_become_keras_pictures(
    keras_utils: Any, channels: int, scale: bool, data_format: str, dtype: str | None
) -> None:
    for name, x in arrays(channels).items():
        if not scale and name == "below and above zero":
            continue  # a negative float as uint8 is whatever the machine makes of it
        if dtype == "float16" and name == "deep":
            continue  # infinities
        x = np.moveaxis(x, -1, 0) if data_format == "channels_first" else x
        mine, other = (module.array_to_img(x, data_format, scale, dtype) for module in (image, keras_utils))
        assert content(mine) == content(other), name


@pytest.mark.parametrize("suffix", ["png", "jpg", "jpeg", "bmp", "JPG"])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("scale", [True, False])
def test_files_are_keras_files(tmp_path: Path, keras_utils: Any, suffix: str, channels: int, scale: bool) -> None:
    x = np.random.default_rng(1).integers(0, 256, (9, 8, channels))
    paths = tmp_path / f"ours.{suffix}", tmp_path / f"theirs.{suffix}"
    for path, module in zip(paths, (image, keras_utils), strict=True):
        module.save_img(path, x, scale=scale)
    assert paths[0].read_bytes() == paths[1].read_bytes()


@pytest.mark.parametrize("module", ["ours", "theirs"])
def test_transparency_is_left_out_of_a_jpeg_with_a_warning(tmp_path: Path, keras_utils: Any, module: str) -> None:
    save = image.save_img if module == "ours" else keras_utils.save_img
    with pytest.warns(UserWarning, match="JPEG"):
        save(tmp_path / "a.jpg", arrays(4)["pixels"])
    with Image.open(tmp_path / "a.jpg") as photo:
        assert photo.mode == "RGB"


@pytest.mark.parametrize("file_format", ["png", "jpg", "PNG"])
def test_a_file_object_takes_the_format_that_is_named(keras_utils: Any, file_format: str) -> None:
    x, files = arrays(3)["pixels"], (io.BytesIO(), io.BytesIO())
    for file, module in zip(files, (image, keras_utils), strict=True):
        module.save_img(file, x, file_format=file_format)
    assert files[0].getvalue() == files[1].getvalue() != b""


def test_options_of_the_format_reach_pillow(tmp_path: Path) -> None:
    for quality in (5, 95):
        image.save_img(tmp_path / f"{quality}.jpg", arrays(3)["pixels"], quality=quality)
    assert (tmp_path / "5.jpg").stat().st_size < (tmp_path / "95.jpg").stat().st_size


@pytest.mark.parametrize(
    ("call", "fault"),
    [
        (lambda: image.img_to_array(np.zeros(3)), r"an image of shape \(3,\) came"),
        (lambda: image.img_to_array(np.zeros((1, 2, 3, 4))), r"an image of shape \(1, 2, 3, 4\) came"),
        (lambda: image.img_to_array(np.zeros((2, 3)), data_format="hwc"), r"data_format is 'hwc'"),
        (lambda: image.img_to_array(np.zeros((2, 3)), dtype="floaty"), r"no array of floaty"),
        (lambda: image.img_to_array("cat.jpg"), r"a str came that is no array of float32"),
        (lambda: image.array_to_img(np.zeros((2, 3))), r"an array of shape \(2, 3\) came"),
        (lambda: image.array_to_img(np.zeros((0, 0, 3))), r"an array of shape \(0, 0, 3\) came"),
        (lambda: image.array_to_img(np.zeros((2, 3, 2))), r"2 channels came; a picture has 1, 3 or 4"),
        (lambda: image.array_to_img(np.zeros((2, 3, 3)), data_format="x"), r"data_format is 'x'"),
        (lambda: image.array_to_img(np.eye(3)[:, :, None], dtype="uint8"), r"'uint8'; scale=True needs a float"),
        (lambda: image.save_img("a.unknown", np.zeros((2, 3, 3))), r"file_format is 'unknown'"),
        (lambda: image.save_img("unknown", np.zeros((2, 3, 3))), r"unknown: unknown file extension"),
        (lambda: image.save_img(io.BytesIO(), np.zeros((2, 3, 3))), r"give a file_format"),
    ],
)
def test_what_makes_no_picture_is_named(
    call: Callable[[], Any], fault: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ArgumentError, match=fault):
        call()
