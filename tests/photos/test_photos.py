"""Photos in every form: files, bytes, arrays, PIL images, URLs and folders, all to upright RGB."""

import io
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from hati import photos
from hati.errors import ImageError, ImageNotFound, ImageTooLarge

Array = np.ndarray
WHITE = 255


def picture(height: int = 24, width: int = 30) -> Array:
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)


def encoded(photo: Image.Image, file_format: str, **options: Any) -> bytes:
    file = io.BytesIO()
    photo.save(file, file_format, **options)
    return file.getvalue()


def read(photo: photos.Photo) -> Array:
    found = photos.read(photo)
    assert found.mode == "RGB"
    return np.asarray(found)


@pytest.fixture(scope="module")
def pixels(cat: Path) -> Array:
    with Image.open(cat) as photo:
        return np.asarray(photo)


@pytest.mark.parametrize(
    "given",
    [str, Path, Path.read_bytes, lambda path: bytearray(path.read_bytes()), lambda path: io.BytesIO(path.read_bytes())],
    ids=["str", "Path", "bytes", "bytearray", "BytesIO"],
)
def test_a_file_is_read_in_any_form(cat: Path, pixels: Array, given: Callable[[Path], photos.Photo]) -> None:
    np.testing.assert_array_equal(read(given(cat)), pixels)


def test_an_open_file_and_an_open_picture_are_read(cat: Path, pixels: Array) -> None:
    with cat.open("rb") as file:
        np.testing.assert_array_equal(read(file), pixels)
    with Image.open(cat) as photo:
        np.testing.assert_array_equal(read(photo), pixels)


@pytest.mark.parametrize(
    "mode", ["1", "L", "LA", "P", "PA", "RGB", "RGBA", "RGBX", "CMYK", "YCbCr", "HSV", "I", "I;16", "F"]
)
def test_a_pil_image_of_any_mode_becomes_rgb(mode: str) -> None:
    half = Image.fromarray(np.repeat([0, 255], 20).astype(np.uint8).reshape(2, 20))
    between = "RGB" if mode in ("CMYK", "YCbCr", "HSV", "RGBX") else "L"
    found = read(half.convert(between).convert(mode))
    assert found.min() <= 1
    assert found.max() >= 254


@pytest.mark.parametrize("suffix", ["", ".jpg", ".unheard-of"])
def test_the_content_counts_and_not_the_name(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"photo{suffix}"
    path.write_bytes(encoded(Image.fromarray(picture()), "PNG"))
    np.testing.assert_array_equal(read(path), picture())


HALF_RED = np.full((4, 4, 4), (255, 0, 0, 128), np.uint8)
PINK = (255, 127, 127)


def see_through_palette(transparency: int | bytes) -> bytes:
    """A palette of red and blue, the red of it transparent."""
    photo = Image.new("P", (4, 4), 0)
    photo.putpalette([255, 0, 0, 0, 0, 255])
    return encoded(photo, "PNG", transparency=transparency)


@pytest.mark.parametrize(
    ("photo", "colour"),
    [
        (HALF_RED, PINK),
        (Image.fromarray(HALF_RED), PINK),
        (encoded(Image.fromarray(HALF_RED), "PNG"), PINK),
        (encoded(Image.fromarray(HALF_RED), "WEBP", lossless=True), PINK),
        (encoded(Image.fromarray(HALF_RED), "TIFF"), PINK),
        (Image.new("RGBA", (4, 4), (0, 0, 0, 0)), (255, 255, 255)),
        (Image.new("LA", (4, 4), (0, 128)), (127, 127, 127)),
        (see_through_palette(0), (255, 255, 255)),
        (see_through_palette(b"\x80\xff"), PINK),
        (encoded(Image.new("L", (4, 4), 9), "PNG", transparency=9), (255, 255, 255)),
        (encoded(Image.new("RGB", (4, 4), (1, 2, 3)), "PNG", transparency=(1, 2, 3)), (255, 255, 255)),
        (encoded(Image.new("P", (4, 4), 0), "GIF", transparency=0), (255, 255, 255)),
    ],
    ids=["array", "PIL", "png", "webp", "tiff", "clear", "L+A", "P trns", "P trns bytes", "L trns", "RGB trns", "gif"],
)
def test_transparency_lies_on_white(photo: photos.Photo, colour: tuple[int, int, int]) -> None:
    np.testing.assert_array_equal(read(photo), np.full((4, 4, 3), colour))


RAMP = np.arange(256, dtype=np.uint8).reshape(16, 16)


@pytest.mark.parametrize(
    "deep",
    [
        RAMP * np.uint16(257),
        RAMP * np.int32(257),
        RAMP * np.int32(1_000_000),
        RAMP / np.float32(255),
        RAMP * np.float32(1),
    ],
    ids=["16 bits", "32 bits, 16 used", "32 bits", "0 to 1", "0 to 255"],
)
@pytest.mark.parametrize("stored", [False, True])
def test_deep_pictures_keep_their_contrast(deep: Array, stored: bool) -> None:
    photo = Image.fromarray(deep)
    found = read(encoded(photo, "TIFF") if stored else photo)
    np.testing.assert_array_equal(found, np.stack([RAMP] * 3, axis=-1))


def test_pixels_that_are_no_numbers_are_black() -> None:
    deep = RAMP.astype(np.float32)
    deep[0, :4] = np.nan, np.inf, -np.inf, -3e38
    found = read(Image.fromarray(deep))[..., 0]
    assert (found[0, :4] == 0).all()
    np.testing.assert_array_equal(found.ravel()[4:], RAMP.ravel()[4:])


@pytest.mark.parametrize("file_format", ["JPEG", "TIFF"])
def test_ink_becomes_light(file_format: str, pixels: Array) -> None:
    ink = Image.fromarray(pixels).convert("CMYK")
    found = read(encoded(ink, file_format))
    assert abs(found.astype(int) - pixels).mean() < 5


@pytest.mark.parametrize("shape", [(5, 7), (5, 7, 1), (5, 7, 3), (5, 7, 4), (1, 1, 3)])
@pytest.mark.parametrize("dtype", ["uint8", "int64", "uint16", "float16", "float32", "float64"])
def test_an_array_is_its_pixels(shape: tuple[int, ...], dtype: str) -> None:
    x = np.random.default_rng(1).integers(0, 256, shape).astype(dtype)
    if shape[2:] == (4,):
        x[..., 3] = 255
    expected = x[..., :3] if shape[2:] in ((3,), (4,)) else np.stack([x.reshape(5, 7)] * 3, axis=-1)
    np.testing.assert_array_equal(read(x), expected)


@pytest.mark.parametrize(
    ("x", "fault"),
    [
        (np.zeros((3, 5, 7)), r"a photo is \(height, width\), or has 1, 3 or 4 channels behind them"),
        (np.zeros((5, 7, 2)), r"array of shape \(5, 7, 2\): a photo is"),
        (np.zeros((1, 5, 7, 3)), r"array of shape \(1, 5, 7, 3\): a photo is"),
        (np.zeros(5), r"array of shape \(5,\): a photo is"),
        (np.zeros((0, 7, 3)), r"array of shape \(0, 7, 3\): a photo is"),
        (np.zeros((5, 7, 3), bool), r"values are of type bool; numbers from 0 to 255 were expected"),
        (np.full((5, 7), "x"), r"values are of type <U1"),
        (np.full((5, 7), -1), r"values go from -1 to -1; pixels from 0 to 255 were expected"),
        (np.full((5, 7), 256), r"values go from 256 to 256; pixels from 0 to 255"),
        (np.full((5, 7), np.nan), r"values go from nan to nan"),
        (np.linspace(0, 1, 35).reshape(5, 7), r"values go from 0 to 1; multiply by 255 to get pixels"),
        (np.linspace(-1, 1, 35).reshape(5, 7), r"values go from -1 to 1; pixels from 0 to 255 were expected"),
    ],
)
def test_an_array_of_something_else_is_refused(x: Array, fault: str) -> None:
    with pytest.raises(ImageError, match=rf"^array of shape .*{fault.removeprefix('array of shape ')}"):
        photos.read(x)


def test_black_is_a_picture_in_any_type() -> None:
    assert read(np.zeros((5, 7, 3), np.float32)).max() == 0


@pytest.mark.parametrize(
    ("photo", "fault"),
    [
        (b"", r"^bytes given as a photo: the file is empty"),
        (b"no picture", r"^bytes given as a photo: this is no picture of a format known here"),
        (io.BytesIO(b"GIF89a"), r"^BytesIO given as a photo: this is no picture"),
        (io.StringIO("text"), r'^StringIO given as a photo: it gives str; open it with mode "rb"'),
        (7, r"^a int is no photo; give a path, bytes, a URL, an array or a PIL image"),
        ("a\0b.jpg", r"the file cannot be read \(embedded null byte\)"),
        (encoded(Image.new("RGB", (9, 9)), "EPS"), r"this is PostScript, a program to be run"),
    ],
)
def test_what_is_no_photo_is_named(photo: Any, fault: str) -> None:
    with pytest.raises(ImageError, match=fault):
        photos.read(photo)


def test_a_closed_file_is_named(cat: Path) -> None:
    with cat.open("rb") as file:
        pass
    with pytest.raises(ImageError, match=rf"^{cat}: the file cannot be read \(read of closed file\)"):
        photos.read(file)


@pytest.mark.parametrize(("name", "fault"), [("none.jpg", "there is no such file"), (".", "no photo in this folder")])
def test_a_missing_photo_is_not_found(tmp_path: Path, name: str, fault: str) -> None:
    with pytest.raises(ImageNotFound, match=fault) as caught:
        photos.read(tmp_path / name)
    assert isinstance(caught.value, FileNotFoundError)
    assert str(caught.value).startswith(str(tmp_path / name))


def test_an_error_takes_the_name_that_is_given() -> None:
    with pytest.raises(ImageError, match=r"^upload 7: the file is empty"):
        photos.read(b"", name="upload 7")


def test_too_many_pixels_are_refused_by_the_header(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(photos, "MOST_PIXELS", 24 * 30 - 1)
    broken = encoded(Image.fromarray(picture()), "PNG")[:-600]  # decoding it would say that it is damaged
    with pytest.raises(ImageTooLarge, match=r"30 × 24 pixels, more than the 719 that hati opens"):
        photos.read(broken)
    np.testing.assert_array_equal(read(picture()), picture())


class Server(BaseHTTPRequestHandler):
    """/photo, /page, /cut, /long and anything else not found."""

    def do_GET(self) -> None:
        body = {"/photo": encoded(Image.fromarray(picture()), "PNG"), "/page": b"<html>", "/long": bytes(1500)}
        promised = body | {"/cut": bytes(900)}
        if self.path not in promised:
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(promised[self.path])))
        self.end_headers()
        self.wfile.write(body.get(self.path, b"half"))

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Server) as listening:
        threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.01}).start()
        yield f"http://127.0.0.1:{listening.server_port}"
        listening.shutdown()


def test_a_url_is_read(server: str) -> None:
    np.testing.assert_array_equal(read(f"{server}/photo"), picture())


@pytest.mark.parametrize(
    ("path", "fault"),
    [
        ("/missing", "the server answered 404 Not Found"),
        ("/page", "this is no picture of a format known here"),
        ("/long", "longer than 0 MB; save it and pass the file"),
        ("/cut", "the server cut the connection"),
    ],
)
def test_a_url_without_a_photo_is_named(server: str, path: str, fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(photos, "MOST_BYTES", 1400 if path == "/long" else photos.MOST_BYTES)
    with pytest.raises(ImageError, match=f"^{server}{path}: {fault}"):
        photos.read(f"{server}{path}")


def test_a_server_that_is_not_there_is_named() -> None:
    with pytest.raises(ImageError, match=r"^http://127.0.0.1:9/x.jpg: the server cannot be reached"):
        photos.read("http://127.0.0.1:9/x.jpg")
