"""Any photo to upright RGB: from a path, bytes, a URL, an array or a PIL image."""

import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from ..errors import ImageError, ImageNotFound, ImageTooLarge
from ..tools import quiet

Photo = str | os.PathLike[str] | bytes | bytearray | IO[bytes] | np.ndarray | Image.Image

MOST_PIXELS = 89_478_485  # where Pillow itself begins to warn; an RGB picture of that size takes 360 MB
MOST_BYTES = 256 * 1024 * 1024  # of a photo, wherever it comes from
REDUCTIONS = {8: 3, 4: 3, 2: 4}  # a JPEG by so much, where it stays so many times longer than needed; measured


def read(photo: Photo, name: str | None = None, *, needed: int | None = None) -> Image.Image:
    """A photo as an upright RGB PIL image.

    Where so many pixels of its shorter side are `needed` and a JPEG has many more, it is decoded at a half, a quarter
    or an eighth of its size, from fewer terms of each block's cosine transform.

    Turned by its EXIF orientation; transparency is laid on white; 16-bit and float pictures are brought to 0–255; of an
    animation, the first picture. Arrays are (height, width), or with 1, 3 or 4 channels, 0–255.

    Raises ImageNotFound, ImageTooLarge (more than 89 megapixels, told by the header), or ImageError for a file that is
    no photo or is damaged; each names the photo, or `name` where that is given.
    """
    name = name or describe(photo)
    if isinstance(photo, np.ndarray):
        return _from_array(photo, name)
    if isinstance(photo, Image.Image):
        with decoding(name):
            return _upright_rgb(photo, ours=False)
    data = _bytes(photo)
    if not data:
        raise ImageError(f"{name}: the file is empty")
    with decoding(name):
        opened = Image.open(io.BytesIO(data))
        _check_header(opened, name)
        if needed is not None:
            _reduce(opened, needed)
        return _upright_rgb(opened, ours=True)


def describe(photo: Photo) -> str:
    """A photo's name for a message."""
    if isinstance(photo, str | os.PathLike):
        return os.fspath(photo)
    if isinstance(photo, np.ndarray):
        return f"array of shape {photo.shape}"
    given = getattr(photo, "name", None)
    return given if isinstance(given, str) else f"{type(photo).__name__} given as a photo"


def is_url(place: str) -> bool:
    return place.startswith(("http://", "https://"))


def read_file(path: str | os.PathLike[str]) -> bytes:
    """A file's bytes. Raises ImageNotFound, or ImageError where the system does not let it be read."""
    name = os.fspath(path)
    try:
        file = open(path, "rb")  # noqa: SIM115 - only what opening raises is meant here
    except FileNotFoundError:
        raise ImageNotFound(f"{name}: there is no such file") from None
    except IsADirectoryError:
        raise ImageNotFound(f"{name}: there is no photo in this folder") from None
    except (OSError, ValueError) as error:
        raise _unreadable(name, error) from None
    with file:
        return _content(file)


@contextmanager
def decoding(name: str) -> Iterator[None]:
    """Pillow's many errors as one of ours, and its warnings as none: a picture comes out, or an error says why not."""
    try:
        with quiet.warnings():
            yield
    except ImageError:
        raise
    except UnidentifiedImageError:
        raise ImageError(f"{name}: this is no picture of a format known here, or its beginning is damaged") from None
    except Image.DecompressionBombError as error:
        raise ImageTooLarge(f"{name}: {error}") from None
    except MemoryError:
        raise ImageTooLarge(f"{name}: the picture needs more memory than there is") from None
    except Exception as error:  # each of Pillow's formats has its own, and none promises which
        reason = " ".join(str(error).split())
        raise ImageError(f"{name}: the picture is damaged ({reason or type(error).__name__})") from error


def _check_header(photo: Image.Image, name: str) -> None:
    """Refuse a picture before any pixel of it is decoded."""
    if photo.format == "EPS":
        raise ImageError(f"{name}: this is PostScript, a program to be run; save what it draws as PNG")
    if photo.width * photo.height > MOST_PIXELS:
        raise ImageTooLarge(
            f"{name}: {photo.width} × {photo.height} pixels, more than the {MOST_PIXELS:,} that hati opens; "
            "make it smaller first, or pass it as an array"
        )


def _reduce(photo: Image.Image, needed: int) -> None:
    """Let a JPEG be decoded at a part of its size, where that is a whole number of pixels."""
    if photo.format not in ("JPEG", "MPO"):
        return
    for by, times in REDUCTIONS.items():
        if photo.width % by == photo.height % by == 0 and min(photo.size) >= by * times * needed:
            photo.draft(None, (photo.width // by, photo.height // by))
            return


def _bytes(photo: str | os.PathLike[str] | bytes | bytearray | IO[bytes]) -> bytes:
    if isinstance(photo, bytes | bytearray):
        return bytes(photo)
    if isinstance(photo, str) and is_url(photo):
        from ..tools.download import read_url

        return read_url(photo, MOST_BYTES)
    if isinstance(photo, str | os.PathLike):
        return read_file(photo)
    if hasattr(photo, "read"):
        return _content(photo)
    raise ImageError(f"a {type(photo).__name__} is no photo; give a path, bytes, a URL, an array or a PIL image")


def _content(file: IO[bytes]) -> bytes:
    try:
        data = file.read(MOST_BYTES + 1)
    except (OSError, ValueError) as error:
        raise _unreadable(describe(file), error) from None
    if not isinstance(data, bytes):
        raise ImageError(f'{describe(file)}: it gives {type(data).__name__}; open it with mode "rb", to give bytes')
    if len(data) > MOST_BYTES:
        raise ImageError(f"{describe(file)}: longer than the {MOST_BYTES >> 20} MB that a photo may have")
    return data


def _unreadable(name: str, error: OSError | ValueError) -> ImageError:
    reason = error.strerror if isinstance(error, OSError) else None
    return ImageError(f"{name}: the file cannot be read ({reason or error})")


def _upright_rgb(photo: Image.Image, *, ours: bool) -> Image.Image:
    """Upright RGB; the picture itself where it is so already, if it is ours and not the caller's."""
    photo.load()
    upright = _rgb(_turned(photo, ours=ours))
    upright.info.clear()  # it tells of the file: whoever reads this picture again would turn it again
    return upright


def _turned(photo: Image.Image, *, ours: bool) -> Image.Image:
    """As EXIF says that the camera was held; a copy, where the picture is the caller's."""
    try:
        if not ours:
            return ImageOps.exif_transpose(photo)
        ImageOps.exif_transpose(photo, in_place=True)
    except MemoryError:
        raise
    except Exception:  # the pixels are sound, and damaged EXIF is no reason to refuse them
        return photo if ours else photo.copy()
    return photo


def _rgb(photo: Image.Image) -> Image.Image:
    if photo.mode.startswith("I") or photo.mode == "F":
        photo = _eight_bits(np.asarray(photo, np.float32))
    if photo.has_transparency_data:
        photo = photo.convert("RGBA")
        white = Image.new("RGB", photo.size, "white")
        white.paste(photo, mask=photo)
        return white
    return photo if photo.mode == "RGB" else photo.convert("RGB")


def _eight_bits(x: np.ndarray) -> Image.Image:
    """Deep grey pixels to 0–255: floats up to 1 and integers above 255 are scaled by what their type can hold."""
    x = np.nan_to_num(x, posinf=0, neginf=0).clip(0)
    highest = float(x.max())
    full = 1 if highest <= 1 else 255 if highest <= 255 else 65535 if highest <= 65535 else highest
    return Image.fromarray(np.rint(x * (255 / full)).astype(np.uint8))


def _from_array(x: np.ndarray[Any, Any], name: str) -> Image.Image:
    if x.ndim == 3 and x.shape[2] == 1:
        x = x[:, :, 0]
    if not (x.size and (x.ndim == 2 or (x.ndim == 3 and x.shape[2] in (3, 4)))):
        raise ImageError(f"{name}: a photo is (height, width), or has 1, 3 or 4 channels behind them")
    if x.dtype.kind not in "uif":
        raise ImageError(f"{name}: its values are of type {x.dtype}; numbers from 0 to 255 were expected")
    lowest, highest = float(x.min()), float(x.max())
    if not (lowest >= 0 and highest <= 255):
        raise ImageError(f"{name}: its values go from {lowest:g} to {highest:g}; pixels from 0 to 255 were expected")
    if x.dtype.kind == "f" and 0 < highest <= 1:
        raise ImageError(
            f"{name}: its values go from {lowest:g} to {highest:g}; multiply by 255 to get pixels from 0 to 255"
        )
    return _rgb(Image.fromarray(np.round(x).astype(np.uint8)))
