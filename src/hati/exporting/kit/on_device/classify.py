#!/usr/bin/env python3
"""Name what is in photos, on a small device, and teach it new classes.

    python classify.py photo.jpg holiday/            the three likeliest names for each photo
    python classify.py --teach wasps a.jpg b.jpg     one class more, from one photo of it or a few
    python classify.py --forget wasps                and one class less
    python classify.py --check                       whether this device computes what the kit's maker computed

A photo becomes an upright RGB picture, its middle the pixels that the network takes, and those become scores, or
features and, by teaching.py, scores of classes that were taught here. What is particular to this network stands in
kit.json, labels.txt and head.npz beside this file.

Needs Python 3.9, NumPy, Pillow and one runtime: see requirements.txt. Written by hati.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import sys
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from math import ceil
from pathlib import Path
from typing import Any, Callable

try:
    import numpy as np
    from PIL import Image, ImageOps, UnidentifiedImageError
except ImportError as missing:
    sys.exit(f"classify.py: {missing.name} is not here; pip install -r requirements.txt brings it")

from teaching import Fault, Lessons, Origin, unit

Array = np.ndarray
Network = Callable[[Array], Array]  # pixels (height, width, 3) uint8 -> scores or features (numbers,) float32

# ---------------------------------------------------------------------------------------------- a photo to pixels

MOST_PIXELS = 89_478_485  # more would not fit into a small device's memory
SUFFIXES = {
    ".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".gif", ".bmp", ".dib", ".tif", ".tiff",
    ".jp2", ".j2k", ".avif", ".ppm", ".pgm", ".pbm", ".tga",
}  # fmt: skip
REDUCTIONS = {8: 3, 4: 3, 2: 4}  # a JPEG by so much, where it stays so many times longer than needed


@dataclass(frozen=True)
class Preprocessing:
    """How a photo becomes the numbers that the network was trained on."""

    size: tuple[int, int]  # height and width in pixels
    crop: float  # the part of the shorter side that is looked at
    interpolation: str  # as Pillow names it
    scale: float  # a number is (pixel / scale - mean) / deviation, channel by channel
    mean: list[float]
    deviation: list[float]

    def pixels(self, path: Path) -> Array:
        """The middle of a photo -> (height, width, 3) uint8. Raises Fault for what is no photo."""
        height, width = self.size
        photo = read(path, needed=ceil(max(self.size) / self.crop))
        scale = self.crop * min(photo.width / width, photo.height / height)
        left = max(0.0, (photo.width - scale * width) / 2)
        top = max(0.0, (photo.height - scale * height) / 2)
        box = (left, top, photo.width - left, photo.height - top)
        return np.asarray(photo.resize((width, height), Image.Resampling[self.interpolation.upper()], box))

    def numbers(self, pixels: Array, kind: Any) -> Array:
        """Pixels as the network takes them: bytes as they are, or less 128, or floats."""
        if kind == np.uint8:
            return pixels
        if kind == np.int8:
            return (pixels.astype(np.int16) - 128).astype(np.int8)
        x = pixels.astype(np.float32) / np.float32(self.scale)
        return (x - np.array(self.mean, np.float32)) / np.array(self.deviation, np.float32)


def read(path: Path, needed: int) -> Image.Image:
    """A photo as upright RGB; `needed` are the pixels of its shorter side that are worth decoding."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow's remarks on odd files; what fails is raised
            with Image.open(path) as photo:
                check_header(photo, path)
                reduce(photo, needed)
                photo.load()  # before its EXIF is asked for, so that damaged pixels are told as such
                return rgb(upright(photo))
    except Fault:
        raise
    except FileNotFoundError:
        raise Fault(f"{path}: there is no such file") from None
    except IsADirectoryError:
        raise Fault(f"{path}: there is no photo in this folder") from None
    except UnidentifiedImageError:
        raise Fault(f"{path}: this is no picture of a format known here, or its beginning is damaged") from None
    except Exception as error:  # each of Pillow's formats has its own, and none promises which
        raise Fault(f"{path}: the picture cannot be read ({reason(error)})") from None


def reason(error: Exception) -> str:
    """What an error says, on one line."""
    return getattr(error, "strerror", None) or " ".join(str(error).split())[:200] or type(error).__name__


def check_header(photo: Image.Image, path: Path) -> None:
    """Refuse a picture before any pixel of it is decoded."""
    if photo.format == "EPS":
        raise Fault(f"{path}: this is PostScript, a program to be run; save what it draws as PNG")
    if photo.width * photo.height > MOST_PIXELS:
        raise Fault(f"{path}: {photo.width} × {photo.height} pixels are more than fit here; make it smaller first")


def reduce(photo: Image.Image, needed: int) -> None:
    """Let a JPEG be decoded at a half, a quarter or an eighth of its size, where that is a whole number of pixels."""
    for by, times in REDUCTIONS.items():
        whole = photo.width % by == photo.height % by == 0
        if photo.format in ("JPEG", "MPO") and whole and min(photo.size) >= by * times * needed:
            photo.draft(None, (photo.width // by, photo.height // by))
            return


def upright(photo: Image.Image) -> Image.Image:
    """As the camera was held, by EXIF's word on it."""
    try:
        return ImageOps.exif_transpose(photo)
    except Exception:  # the pixels are sound, and damaged EXIF is no reason to refuse them
        return photo


def rgb(photo: Image.Image) -> Image.Image:
    """Three channels from 0 to 255; transparency lies on white."""
    if photo.mode.startswith("I") or photo.mode == "F":
        photo = eight_bits(np.asarray(photo, np.float32))
    if photo.has_transparency_data:
        photo = photo.convert("RGBA")
        white = Image.new("RGB", photo.size, "white")
        white.paste(photo, mask=photo)
        return white
    return photo.convert("RGB")


def eight_bits(x: Array) -> Image.Image:
    """Deep grey pixels to 0–255: floats up to 1 and integers above 255 are scaled by what their type can hold."""
    x = np.nan_to_num(x, posinf=0, neginf=0).clip(0)
    highest = float(x.max())
    full = 1 if highest <= 1 else 255 if highest <= 255 else 65535 if highest <= 65535 else highest
    return Image.fromarray(np.rint(x * (255 / full)).astype(np.uint8))


def find(places: Iterable[str]) -> Iterator[Path]:
    """Every photo that the places name: files, and folders to their bottom."""
    for place in map(Path, places):
        inside = sorted(path for path in place.rglob("*") if path.suffix.lower() in SUFFIXES and path.is_file())
        yield from inside or [place]


# ------------------------------------------------------------------------------------------- pixels to scores


def opened(path: Path, preprocessing: Preprocessing, threads: int) -> Network:
    """A network's file, ready to run. Raises Fault where its runtime is missing or does not take it."""
    try:
        with quiet():
            return (onnx if path.suffix == ".onnx" else tflite)(path, preprocessing, threads)
    except Fault:
        raise
    except Exception as error:  # each runtime has its own
        raise Fault(f"{path}: it cannot be run ({reason(error)}); copy the kit again, or renew its runtime") from None


def tflite(path: Path, preprocessing: Preprocessing, threads: int) -> Network:
    interpreter = runtime("ai_edge_litert.interpreter", "tflite_runtime.interpreter").Interpreter(
        model_content=path.read_bytes(), num_threads=threads
    )
    interpreter.allocate_tensors()
    [taken], [given] = interpreter.get_input_details(), interpreter.get_output_details()

    def run(pixels: Array) -> Array:
        interpreter.set_tensor(taken["index"], preprocessing.numbers(pixels, taken["dtype"])[np.newaxis])
        interpreter.invoke()
        y: Array = interpreter.get_tensor(given["index"])[0]
        step, zero = given["quantization"] if y.dtype != np.float32 else (1.0, 0)
        return (y.astype(np.float32) - np.float32(zero)) * np.float32(step)

    return run


def onnx(path: Path, preprocessing: Preprocessing, threads: int) -> Network:
    onnxruntime = runtime("onnxruntime")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(path.read_bytes(), options, providers=["CPUExecutionProvider"])
    [taken] = session.get_inputs()
    kind = np.uint8 if taken.type == "tensor(uint8)" else np.float32

    def run(pixels: Array) -> Array:
        [y] = session.run(None, {taken.name: preprocessing.numbers(pixels, kind)[np.newaxis]})
        return np.asarray(y[0], np.float32)

    return run


def runtime(*modules: str) -> Any:
    """The first of these modules that is installed."""
    packages = [module.partition(".")[0] for module in modules]
    for module, package in zip(modules, packages):
        if importlib.util.find_spec(package):
            return importlib.import_module(module)
    raise Fault(f"no {' or '.join(packages)} is here; pip install -r requirements.txt brings it")


@contextmanager
def quiet() -> Iterator[None]:
    """LiteRT tells on standard error, past Python, what it does; what fails it raises as well."""
    before = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(before, 2)
        os.close(before)
        os.close(nowhere)


# ------------------------------------------------------------------------------------------------- the kit


class Kit:
    """A folder as hati filled it: a network and all that belongs to it."""

    def __init__(self, folder: Path, threads: int):
        self.folder, self.threads = folder, threads
        self.told = json.loads(self.text("kit.json"))
        self.labels = self.text("labels.txt").split("\n")[:-1]
        self.preprocessing = Preprocessing(**self.told["preprocessing"])

    def text(self, name: str) -> str:
        try:
            return (self.folder / name).read_bytes().decode("utf-8")  # as it is: "\n" alone ends a line
        except (OSError, ValueError) as error:
            raise Fault(f"{self.folder / name}: it cannot be read ({reason(error)}); copy the kit again") from None

    @cached_property
    def network(self) -> Network:
        return opened(self.folder / self.told["model"], self.preprocessing, self.threads)

    @cached_property
    def features(self) -> Network:
        return opened(self.folder / self.told["features"], self.preprocessing, self.threads)

    @cached_property
    def origin(self) -> Origin:
        told = self.told["head"]
        return Origin.read(self.folder / "head.npz", self.labels, **told) if told else Origin(self.labels)

    @property
    def lessons(self) -> Lessons:
        return Lessons.read(self.folder / "taught.npz", self.told["checksum"], self.told["numbers"])

    @contextmanager
    def changing(self) -> Iterator[Lessons]:
        """What was taught, while no other process changes it."""
        with open(self.folder / "kit.json") as file:
            if os.name == "posix":
                import fcntl

                fcntl.flock(file, fcntl.LOCK_EX)
            yield self.lessons


# ------------------------------------------------------------------------------------------------- commands


def classify(kit: Kit, places: list[str], top: int, original: bool, as_json: bool) -> int:
    taught = None if original else kit.origin.with_lessons(kit.lessons)
    network = kit.features if taught else kit.network
    names, scores = (taught[0], taught[1].scores) if taught else (kit.labels, np.asarray)

    def show(path: Path) -> None:
        y = scores(network(kit.preprocessing.pixels(path)))
        best = [(names[number], float(y[number])) for number in np.argsort(-y, kind="stable")[:top]]
        if as_json:
            named = [{"name": name, "score": score} for name, score in best]
            print(json.dumps({"photo": str(path), "model": kit.told["name"], "predictions": named}), flush=True)
        else:
            print(path, *(f"  {score:.4f}  {name}" for name, score in best), "", sep="\n", flush=True)

    return each(places, show)


def teach(kit: Kit, name: str, places: list[str]) -> int:
    name, network, vectors = kit.origin.checked(name, kit.lessons), kit.features, []
    failed = each(places, lambda path: vectors.append(network(kit.preprocessing.pixels(path))))
    if not vectors:
        raise Fault(f"no photo of {name} could be read; nothing was learnt")
    with kit.changing() as lessons:
        lessons = lessons.with_photos(kit.origin.checked(name, lessons), vectors)
        lessons.write(kit.folder / "taught.npz")
    tell(kit, lessons)
    return failed


def forget(kit: Kit, name: str) -> int:
    with kit.changing() as lessons:
        if name not in lessons.counts():
            raise Fault(f"{name!r} was not taught here; taught here: {', '.join(lessons.counts()) or 'nothing'}")
        lessons = lessons.without(name)
        lessons.write(kit.folder / "taught.npz")
    tell(kit, lessons)
    return 0


def tell(kit: Kit, lessons: Lessons) -> None:
    taught = ", ".join(f"{name} ({count} photo{'s' * (count > 1)})" for name, count in lessons.counts().items())
    print(f"taught here: {taught or 'nothing'}")
    if len(lessons.counts()) == 1 and not kit.told["head"]:
        print("teach a second class: until then photos get the names that the network came with")


def check(kit: Kit) -> int:
    """Whether the golden pictures get the scores and the features that they got where the kit was made."""
    golden, network, features = json.loads(kit.text("golden.json")), kit.network, kit.features

    def compare(path: Path) -> None:
        expected, pixels = golden["pictures"][path.name], kit.preprocessing.pixels(path)
        y, x = network(pixels), features(pixels)
        off, cosine = np.abs(y - expected["scores"]), float(unit(x) @ unit(np.array(expected["features"])))
        worst = int(off.argmax())
        found = f"{kit.labels[worst]} scores {y[worst]:.4f}, {expected['scores'][worst]:.4f} was expected"
        if not (off[worst] <= golden["tolerance"] and cosine >= golden["cosine"]):
            raise Fault(
                f"{path.name} differs: {found} ± {golden['tolerance']:g}; its features' cosine is {cosine:.4f}, "
                f"{golden['cosine']:g} or more was expected"
            )
        print(f"{path.name} is as expected: at the most {off[worst]:.4f} off, its features' cosine {cosine:.4f}")

    return each([str(kit.folder / "golden" / name) for name in golden["pictures"]], compare)


def each(places: Iterable[str], work: Callable[[Path], None]) -> int:
    """Work on every photo, and go on after a bad one. Returns the exit status."""
    return 0 if all([succeeds(work, path) for path in find(places)]) else 1  # noqa: C419 - a bad one stops none


def succeeds(work: Callable[[Path], None], path: Path) -> bool:
    try:
        work(path)
    except Fault as fault:
        print(f"classify.py: {fault}", file=sys.stderr, flush=True)
        return False
    return True


def main() -> int:
    usage = argparse.ArgumentParser(description="Name what is in photos, and learn new classes from a few of them.")
    usage.add_argument("photos", nargs="*", metavar="PHOTO", help="a file, or a folder, searched to its bottom")
    usage.add_argument("--top", type=positive, default=3, help="how many names for each photo (3)")
    usage.add_argument("--json", action="store_true", help="a line of JSON for each photo")
    usage.add_argument("--threads", type=positive, default=min(4, os.cpu_count() or 1), help="cores that compute")
    usage.add_argument("--original", action="store_true", help="as the kit came, without what was taught here")
    usage.add_argument("--teach", metavar="NAME", help="the photos are of this class: learn it, or more of it")
    usage.add_argument("--forget", metavar="NAME", help="forget the photos that this class was taught here with")
    usage.add_argument("--check", action="store_true", help="compare this device with where the kit was made")
    given = usage.parse_args()
    orders = [given.teach is not None, given.forget is not None, given.check]
    if sum(orders) > 1:
        usage.error("one of --teach, --forget and --check at a time")
    if bool(given.photos) == (given.forget is not None or given.check):
        usage.error("give photos" if not given.photos else "--forget and --check take no photos")
    try:
        kit = Kit(Path(__file__).resolve().parent, given.threads)
        if given.teach is not None:
            return teach(kit, given.teach, given.photos)
        if given.forget is not None:
            return forget(kit, given.forget)
        return check(kit) if given.check else classify(kit, given.photos, given.top, given.original, given.json)
    except BrokenPipeError:  # whoever reads has enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 0
    except Fault as fault:
        print(f"classify.py: {fault}", file=sys.stderr)
        return 2


def positive(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 1 on")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
