"""The kit's own program beside hati: the same pixels, the same classes, and lessons that nothing loses."""

import ast
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import classify
import numpy as np
import pytest
import teaching
from classify import Preprocessing
from clouds import vectors
from PIL import ExifTags, Image
from sorted_photos import texture
from teaching import Fault, Lessons, Origin

from hati import photos
from hati.errors import ImageError
from hati.network.taught import Provenance
from hati.photos import finding
from hati.preprocessing import INTERPOLATIONS, NORMALISATIONS
from hati.preprocessing import Preprocessing as Ours
from hati.transfer import imprinting
from hati.transfer import teaching as ours
from hati.transfer.heads import Head
from hati.transfer.probing import probe

Array = np.ndarray

HOME = Path(classify.__file__).parent
OLDEST = (3, 9)  # Python that the program is for
MODULES = {"numpy", "PIL", "teaching"}  # beside those that come with Python


def told(size: tuple[int, int], crop: float, interpolation: str) -> Preprocessing:
    return Preprocessing(size, crop, interpolation, 1.0, [0.0] * 3, [1.0] * 3)


@pytest.mark.parametrize("path", sorted(HOME.glob("*.py")), ids=lambda path: path.name)
def test_it_is_python_for_old_devices_and_imports_little(path: Path) -> None:
    tree = ast.parse(path.read_text(), feature_version=OLDEST)
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    imported |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    roots = {name.partition(".")[0] for name in imported}
    assert roots - sys.stdlib_module_names <= MODULES


class Kept(NamedTuple):
    """A photo as it lies on a disk."""

    name: str
    photo: Image.Image
    exif: int = 1


def odd() -> list[Kept]:
    wide = Image.fromarray(np.random.default_rng(0).integers(0, 256, (90, 140, 3), np.uint8))
    clear = wide.copy()
    clear.putalpha(Image.linear_gradient("L").resize(wide.size))
    deep = Image.fromarray((np.arange(90 * 140, dtype=np.uint16) * 5).reshape(90, 140))
    large = wide.resize((2240, 1792), Image.Resampling.BICUBIC)
    return [
        Kept("wide.png", wide),
        Kept("tall.jpg", wide.transpose(Image.Transpose.ROTATE_90)),
        *(Kept(f"turned{turn}.jpg", wide, turn) for turn in range(2, 9)),
        Kept("clear.png", clear),
        Kept("palette.gif", wide.quantize(16)),
        Kept("ink.jpg", wide.convert("CMYK")),
        Kept("deep.png", deep),
        Kept("grey.png", wide.convert("L")),
        Kept("large.jpg", large),
    ]


@pytest.mark.parametrize(
    ("size", "crop", "interpolation"),
    [((224, 224), 0.875, "bicubic"), ((96, 128), 1.0, "bilinear"), ((64, 64), 0.5, "nearest")],
    ids=str,
)
def test_a_photo_becomes_the_same_pixels(
    size: tuple[int, int], crop: float, interpolation: str, tmp_path: Path
) -> None:
    expected = Ours("tf", crop, interpolation)
    for kept in odd():
        path, exif = tmp_path / kept.name, Image.Exif()
        exif[ExifTags.Base.Orientation] = kept.exif
        kept.photo.save(path, exif=exif) if kept.exif > 1 else kept.photo.save(path)
        photo = photos.read(path, needed=expected.needed(size))
        pixels = told(size, crop, interpolation).pixels(path)
        np.testing.assert_array_equal(pixels, expected.resize(photo, size), err_msg=kept.name)


def test_every_interpolation_and_ending_of_hatis_is_known() -> None:
    assert {name.upper() for name in INTERPOLATIONS} <= set(Image.Resampling.__members__)
    assert classify.SUFFIXES == finding.SUFFIXES


@pytest.mark.parametrize("name", NORMALISATIONS)
def test_pixels_become_the_same_numbers(name: str) -> None:
    given = NORMALISATIONS[name]
    pixels = np.random.default_rng(0).integers(0, 256, (8, 8, 3), np.uint8)
    mean, deviation = list(given.mean), list(given.deviation or (1.0,) * 3)
    found = Preprocessing((8, 8), 1.0, "bicubic", given.scale or 1.0, mean, deviation).numbers(pixels, np.float32)
    turned = pixels[..., ::-1] if given.bgr else pixels  # an exported file takes RGB, whatever the network does
    np.testing.assert_array_equal(
        found[..., ::-1] if given.bgr else found, given(turned)[..., :: -1 if given.bgr else 1]
    )


def test_odd_photos_are_read_or_refused_as_hati_does(shared: Path) -> None:
    for path in sorted(path for path in (shared / "odd").rglob("*") if path.is_file()):
        with suppress(ImageError):
            expected = np.asarray(photos.read(path, needed=64))
            np.testing.assert_array_equal(np.asarray(classify.read(path, needed=64)), expected, err_msg=str(path))
            continue
        with pytest.raises(Fault) as refused:
            classify.read(path, needed=64)
        assert str(refused.value).startswith(f"{path}: ")
        assert "\n" not in str(refused.value)


# ------------------------------------------------------------------------------------------------- the arithmetic


def head_of(method: str, several: bool) -> Head:
    x, targets = vectors()
    if method == "imprint":
        return imprinting.imprint(x, targets, multi_label=several)
    return probe(x[:, np.newaxis], targets, multi_label=several).head


def origin_of(head: Head, method: str) -> Origin:
    arrays = (head.standardisation.mean, head.standardisation.variance, head.kernel, head.bias, head.means)
    names = [f"class {number}" for number in range(len(head.bias))]
    return Origin(names, teaching.Head(*arrays, head.multi_label), method, dict.fromkeys(names, 12))


def lessons(**shown: Array) -> Lessons:
    found = Lessons(np.array([], str), np.empty((0, 40), np.float32), "a network")
    for name, x in shown.items():
        found = found.with_photos(name, list(x))
    return found


@pytest.mark.parametrize("count", [1, 5])
@pytest.mark.parametrize("several", [False, True], ids=["one class", "several classes"])
@pytest.mark.parametrize("method", ["imprint", "probe"])
def test_a_new_class_gets_the_weights_that_hati_gives_it(method: str, several: bool, count: int) -> None:
    head = head_of(method, several)
    shown, _ = vectors(1, count, seed=5)
    names = tuple((f"class {number}", 12) for number in range(3))
    expected = ours._with_class(head, head.standardisation(shown), method)
    assert ours._checked("new", Provenance("few", "", method, (), names, several, None, ())) == "new"
    taught = origin_of(head, method).with_lessons(lessons(new=shown))
    assert taught is not None
    assert taught[0] == [*dict(names), "new"]
    np.testing.assert_allclose(taught[1].kernel, expected.kernel, atol=1e-5)
    x, _ = vectors(seed=9)
    for one in x:
        z = head.standardisation(one[np.newaxis])
        np.testing.assert_allclose(taught[1].scores(one), expected.scores(z)[0], atol=1e-5)


def test_more_photos_of_an_imprinted_class_move_its_mean_as_in_hati() -> None:
    head, (shown, _) = head_of("imprint", False), vectors(1, 4, seed=5)
    expected = ours._more_of(head, 1, head.standardisation(shown), 12)
    taught = origin_of(head, "imprint").with_lessons(lessons(**{"class 1": shown}))
    assert taught is not None
    assert taught[0] == ["class 0", "class 1", "class 2"]
    np.testing.assert_allclose(taught[1].kernel, expected.kernel, atol=1e-6)
    np.testing.assert_allclose(taught[1].means, expected.means, atol=1e-6)


@pytest.mark.parametrize("of_each", [1, 2, 12])
def test_classes_of_their_own_are_imprinted_as_hati_does(of_each: int) -> None:
    x, targets = vectors(of_each=of_each)
    expected = imprinting.imprint(x, targets)
    shown = {f"class {number}": x[targets[:, number]] for number in range(3)}
    taught = Origin(["tench", "goldfish"]).with_lessons(lessons(**shown))
    assert taught is not None
    assert taught[0] == list(shown)
    for one in x:
        z = expected.standardisation(one[np.newaxis])
        np.testing.assert_allclose(taught[1].scores(one), expected.scores(z)[0], atol=1e-5)


def test_one_class_alone_is_no_classifier() -> None:
    shown, _ = vectors(1, 4)
    assert Origin(["tench", "goldfish"]).with_lessons(lessons(one=shown)) is None
    assert origin_of(head_of("imprint", False), "imprint").with_lessons(lessons()) is None


def test_a_class_that_is_forgotten_leaves_nothing() -> None:
    x, targets = vectors()
    shown = {f"class {number}": x[targets[:, number]] for number in range(3)}
    left = lessons(**shown).without("class 1")
    assert left.counts() == {"class 0": 12, "class 2": 12}
    two = lessons(**{name: shown[name] for name in ("class 0", "class 2")})
    np.testing.assert_array_equal(left.vectors, two.vectors)


@pytest.mark.parametrize(
    ("name", "method", "message"),
    [
        (" ", "imprint", "a class is called ''"),
        ("a\nb", "imprint", "give it a name of letters"),
        ("CLASS 0", "imprint", "'class 0' is known; write it so"),
        ("NEW", "imprint", "'new' is known; write it so"),
        ("class 0", "probe", "class 0 is known, from probe; more photos of it count only where hati trains again"),
    ],
    ids=["no name", "a line's end", "a twin", "a twin of what was taught here", "more of a regression"],
)
def test_a_name_that_cannot_be_taught_is_refused(name: str, method: str, message: str) -> None:
    shown, _ = vectors(1, 1)
    with pytest.raises(Fault, match=message):
        origin_of(head_of(method, False), method).checked(name, lessons(new=shown))


# --------------------------------------------------------------------------------------------------- what is kept


def test_lessons_go_through_their_file(tmp_path: Path) -> None:
    given = lessons(ants=vectors(1, 3)[0], ভ্রমর=vectors(1, 2)[0])
    given.write(tmp_path / "taught.npz")
    again = Lessons.read(tmp_path / "taught.npz", "a network", 40)
    assert again.counts() == {"ants": 3, "ভ্রমর": 2}
    np.testing.assert_array_equal(again.vectors, given.vectors)
    assert [path.name for path in tmp_path.iterdir()] == ["taught.npz"]


@pytest.mark.parametrize("network", ["a network", "another"])
def test_a_file_that_is_damaged_or_anothers_is_left_as_it_is(network: str, tmp_path: Path) -> None:
    path = tmp_path / "taught.npz"
    lessons(ants=vectors(1, 3)[0]).write(path)
    if network == "a network":
        path.write_bytes(path.read_bytes()[:200])
    before = path.read_bytes()
    with pytest.raises(Fault, match=r"taught\.npz: .*; move it away, and teach again"):
        Lessons.read(path, network, 40)
    assert path.read_bytes() == before


WRITING = """
import sys
import numpy as np
from teaching import Lessons
path = __import__("pathlib").Path(sys.argv[1])
for count in range(1, 10_000):
    Lessons(np.array(["ants"] * count), np.full((count, 4000), count, np.float32), "a network").write(path)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
@pytest.mark.parametrize("delay", [0.0, 0.01, 0.05])
def test_a_kill_while_writing_loses_nothing(delay: float, tmp_path: Path) -> None:
    path = tmp_path / "taught.npz"
    with subprocess.Popen([sys.executable, "-c", WRITING, str(path)], cwd=HOME) as writer:
        while not path.exists():
            time.sleep(0.01)
        time.sleep(delay)
        writer.send_signal(signal.SIGKILL)
    found = Lessons.read(path, "a network", 4000)
    assert set(found.vectors.ravel()) == {len(found.names)}, "a file is of one moment"


def test_a_folder_that_takes_no_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(Fault, match=r"taught\.npz: it cannot be written \(.*\); nothing new was learnt"):
        lessons().write(tmp_path / "missing" / "taught.npz")


def test_a_texture_is_found_in_its_folder(tmp_path: Path) -> None:
    for name in ("b/2.png", "a/1.PNG", "a/notes.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        texture("dots", 1).save(tmp_path / name, "PNG")
    assert [path.name for path in classify.find([str(tmp_path), "x.jpg"])] == ["1.PNG", "2.png", "x.jpg"]
