"""The functions of `keras.preprocessing.image` that a lesson uses, equal to Keras bit for bit.

They keep Keras' habits: no turning by EXIF, nearest-neighbour resizing, transparency dropped. `Model.classify` reads
photos better; see `hati.photos`.
"""

import io
import operator
import os
import warnings
from pathlib import Path
from typing import IO, Any, Literal

import numpy as np
from PIL import Image

from ...errors import ArgumentError
from ...photos import decoding, read_file
from ...preprocessing import INTERPOLATIONS, check_data_format

ColorMode = Literal["rgb", "rgba", "grayscale"]


def load_img(
    path: str | bytes | os.PathLike[str] | io.BytesIO,
    color_mode: ColorMode = "rgb",
    target_size: tuple[int, int] | None = None,
    interpolation: str = "nearest",
    keep_aspect_ratio: bool = False,
) -> Image.Image:
    """A photo as a PIL image, resized to `target_size` (height, width) in pixels where it is given.

    With `keep_aspect_ratio` the middle of the photo that has the target's proportions is taken first.

    Raises ImageError for a file that is no photo or is damaged, ArgumentError for an option that Keras refuses.
    """
    if color_mode not in ("rgb", "rgba", "grayscale"):
        raise ArgumentError(f"color_mode is {color_mode!r}; it can be 'rgb', 'rgba' or 'grayscale'")
    if interpolation not in INTERPOLATIONS:
        raise ArgumentError(f"interpolation is {interpolation!r}; it can be {', '.join(INTERPOLATIONS)}")
    size = _size(target_size)
    if isinstance(path, io.BytesIO):
        file, name = path, "the bytes given"
    elif isinstance(path, str | bytes | os.PathLike):
        name = os.fsdecode(path)
        file = io.BytesIO(read_file(name))
    else:
        raise ArgumentError(f"path is a {type(path).__name__}; a path or an io.BytesIO was expected")
    with decoding(name):
        photo = _converted(Image.open(file), color_mode)
        photo = _resized(photo, size, interpolation, keep_aspect_ratio) if size else photo
        photo.load()
        return photo


def _size(target_size: Any) -> tuple[int, int] | None:
    """(height, width); a third number is passed over, so that a model's input shape will do."""
    if target_size is None:
        return None
    try:
        height, width = map(operator.index, target_size[:2])
    except (TypeError, ValueError):
        height = width = 0
    if height < 1 or width < 1:
        raise ArgumentError(f"target_size is {target_size!r}; it can be (height, width) in pixels")
    return height, width


def _converted(photo: Image.Image, color_mode: ColorMode) -> Image.Image:
    if color_mode == "grayscale":
        return photo if photo.mode in ("L", "I;16", "I") else photo.convert("L")
    mode = color_mode.upper()
    return photo if photo.mode == mode else photo.convert(mode)


def _resized(photo: Image.Image, size: tuple[int, int], interpolation: str, keep_aspect_ratio: bool) -> Image.Image:
    height, width = size
    if photo.size == (width, height):
        return photo
    box = _middle(photo, size) if keep_aspect_ratio else None
    return photo.resize((width, height), INTERPOLATIONS[interpolation], box)


def _middle(photo: Image.Image, size: tuple[int, int]) -> tuple[int, int, int, int]:
    """The largest part of whole pixels, as Keras rounds them, that has the proportions of `size`."""
    height, width = size
    crop_height = min(photo.height, photo.width * height // width)
    crop_width = min(photo.width, photo.height * width // height)
    top, left = (photo.height - crop_height) // 2, (photo.width - crop_width) // 2
    return left, top, left + crop_width, top + crop_height


def img_to_array(img: Any, data_format: str | None = None, dtype: str | None = None) -> np.ndarray:
    """A PIL image -> (height, width, channels), float32 unless `dtype` says otherwise; values are the pixels'."""
    channels_first = check_data_format(data_format) == "channels_first"
    x = _numbers(img, dtype)
    if x.ndim == 2:
        x = x[:, :, np.newaxis]
    if x.ndim != 3:
        raise ArgumentError(
            f"an image of shape {x.shape} came; (height, width) or (height, width, channels) was expected"
        )
    return x.transpose(2, 0, 1) if channels_first else x


def array_to_img(x: Any, data_format: str | None = None, scale: bool = True, dtype: str | None = None) -> Image.Image:
    """(height, width, 1, 3 or 4 channels) -> PIL image; `scale` stretches the values over 0–255."""
    channels_first = check_data_format(data_format) == "channels_first"
    x = _numbers(x, dtype)
    if x.ndim != 3 or not x.size:
        raise ArgumentError(f"an array of shape {x.shape} came; one picture, (height, width, channels), was expected")
    if channels_first:
        x = x.transpose(1, 2, 0)
    if scale:
        x = _stretched(x)
    match x.shape[2]:
        case 3 | 4:
            return Image.fromarray(x.astype("uint8"))
        case 1 if np.max(x) > 255:
            return Image.fromarray(x[:, :, 0].astype("int32"))
        case 1:
            return Image.fromarray(x[:, :, 0].astype("uint8"))
    raise ArgumentError(f"an array with {x.shape[2]} channels came; a picture has 1, 3 or 4")


def _numbers(x: Any, dtype: str | None) -> np.ndarray:
    try:
        return np.asarray(x, dtype or "float32")
    except (TypeError, ValueError) as error:
        raise ArgumentError(f"a {type(x).__name__} came that is no array of {dtype or 'float32'} ({error})") from None


def _stretched(x: np.ndarray) -> np.ndarray:
    if x.dtype.kind != "f":
        raise ArgumentError(f"dtype is {str(x.dtype)!r}; scale=True needs a float type")
    x = x - np.min(x)
    highest = np.max(x)
    if highest != 0:
        x /= highest
    x *= 255
    return x


def save_img(
    path: str | os.PathLike[str] | IO[bytes],
    x: Any,
    data_format: str | None = None,
    file_format: str | None = None,
    scale: bool = True,
    **options: Any,
) -> None:
    """Write an array as a picture; the format is the file name's unless `file_format` says; `options` are Pillow's."""
    if file_format is None and isinstance(path, str | Path):
        file_format = Path(path).suffix[1:].lower()
    if file_format and file_format.lower() == "jpg":
        file_format = "jpeg"
    photo = array_to_img(x, data_format, scale)
    if photo.mode == "RGBA" and file_format == "jpeg":
        warnings.warn("JPEG has no transparency: the alpha channel is left out", stacklevel=2)
        photo = photo.convert("RGB")
    try:
        photo.save(path, format=file_format, **options)
    except KeyError:
        raise ArgumentError(f"file_format is {file_format!r}; Pillow writes no such format") from None
    except ValueError as error:
        raise ArgumentError(f"{path}: {error}; give a file_format that Pillow writes, and its options") from None
