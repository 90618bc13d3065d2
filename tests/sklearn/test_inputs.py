"""What scikit-learn hands over: photos in its containers, labels of its kinds, and what is neither."""

from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from sklearn.exceptions import DataConversionWarning
from small_model import MIDDLE, NAMES, PICTURES, SMALL, Array

from hati.errors import ArgumentError, ImageError, ImageNotFound
from hati.sklearn import ImageClassifier, ImageFeatures


def objects(things: list[Any]) -> Array:
    found = np.empty(len(things), object)
    found[:] = things
    return found


CONTAINERS: dict[str, Callable[[list[str]], Any]] = {
    "one array": lambda paths: PICTURES,
    "one array of floats": lambda paths: PICTURES.astype(np.float64),
    "a list of arrays": lambda paths: list(PICTURES),
    "a tuple of PIL images": lambda paths: tuple(map(Image.fromarray, PICTURES)),
    "an array of PIL images": lambda paths: objects(list(map(Image.fromarray, PICTURES))),
    "a list of paths as text": lambda paths: paths,
    "an array of paths as text": np.array,
    "an array of paths": lambda paths: objects(list(map(Path, paths))),
    "a column of a table": lambda paths: objects(paths)[:, np.newaxis],
    "a list of bytes": lambda paths: [Path(path).read_bytes() for path in paths],
    "open files": lambda paths: [BytesIO(Path(path).read_bytes()) for path in paths],
    "all of these": lambda paths: [*PICTURES[:4], *paths[4:8], *map(Path, paths[8:])],
}


@pytest.mark.parametrize("container", CONTAINERS.values(), ids=CONTAINERS)
def test_photos_come_in_any_container(container: Callable[[list[str]], Any], paths: list[str]) -> None:
    found = ImageFeatures(SMALL).transform(container(paths))
    assert (found.shape, found.dtype.name) == ((12, 256), "float32")
    np.testing.assert_allclose(found, SMALL.features(list(PICTURES)), rtol=1e-4, atol=1e-5)


def test_a_table_of_pandas_is_a_container(paths: list[str]) -> None:
    pandas = pytest.importorskip("pandas", reason="pandas, one of the containers, is not installed")
    table = pandas.DataFrame({"path": paths, "name": NAMES}, index=range(100, 112))
    features = ImageFeatures(SMALL).set_output(transform="pandas").fit_transform(table["path"])
    assert list(features.columns) == [f"imagefeatures{number}" for number in range(256)]
    assert list(features.index) == list(table.index)
    fitted = ImageClassifier(SMALL, layer=MIDDLE).fit(table["path"], table["name"])
    assert list(fitted.predict(table[["path"]])) == list(NAMES)


def test_grey_pictures_are_pictures() -> None:
    features, grey = ImageFeatures(SMALL), PICTURES[..., 0]
    np.testing.assert_array_equal(features.transform(grey), features.transform(np.stack([grey] * 3, -1)))


WRONG_PHOTOS: dict[str, tuple[Any, str]] = {
    "a path": ("cat.jpg", "X is one photo, 'cat.jpg'; give a list"),
    "one PIL image": (Image.new("RGB", (8, 8)), "X is one photo"),
    "one picture": (np.zeros((8, 8, 3)), r"X is one picture of shape \(8, 8, 3\); give a list"),
    "a table of numbers": (np.zeros((5, 192)), r"X is a table of numbers of shape \(5, 192\).*X.reshape"),
    "a row of numbers": (np.zeros(5), r"X is an array of shape \(5,\)"),
    "a table of text": (np.array([["a.jpg", "b.jpg"]]), r"X is an array of shape \(1, 2\)"),
    "a dict": ({"a.jpg": 0}, "X is a dict"),
    "nothing": ([], "X has 0 photos"),
    "no rows": (np.zeros((0, 8, 8, 3)), "X has 0 photos"),
    "a gap": (["a.jpg", np.nan], r"X\[1\] is nan, which is no photo"),
    "lists of numbers": ([[1.0, 2.0], [3.0, 4.0]], r"X\[0\] is \[1.0, 2.0\], which is no photo"),
}


@pytest.mark.parametrize(("photos", "message"), WRONG_PHOTOS.values(), ids=WRONG_PHOTOS)
def test_what_holds_no_photos_is_refused(photos: Any, message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        ImageFeatures(SMALL).fit(photos)
    with pytest.raises(ArgumentError, match=message):
        ImageFeatures(SMALL).transform(photos)
    with pytest.raises(ArgumentError, match=message):
        ImageClassifier(SMALL).fit(photos, [0, 1])


def test_a_bad_photo_is_named(paths: list[str], tmp_path: Path) -> None:
    (tmp_path / "bad.jpg").write_bytes(b"\xff\xd8\xff no photo")
    missing = [paths[0], str(tmp_path / "missing.jpg"), paths[1], str(tmp_path / "bad.jpg")]
    with pytest.raises(ImageNotFound, match=r"X\[1\]: .*missing.jpg: there is no such file \(1 more"):
        ImageFeatures(SMALL).transform(missing)
    with pytest.raises(ImageError, match=r"X\[2\]: .*bad.jpg: this is no picture"):
        ImageClassifier(SMALL).fit(missing[::2] + missing[3:], [0, 1, 0])


LABELS = {
    "text": NAMES,
    "a list of text": list(NAMES),
    "objects": NAMES.astype(object),
    "whole numbers": np.array([7, -2] * 6),
    "whole floats": np.array([0.0, 2.0] * 6),
    "truths": np.array([True, False] * 6),
    "three classes": np.array(["sky", "brick", "sky", "brick"] + ["blue", "brick"] * 4),
}


@pytest.mark.parametrize("labels", LABELS.values(), ids=LABELS)
@pytest.mark.parametrize("method", ["probe", "imprint"])
def test_labels_come_back_as_they_were(labels: Any, method: Any) -> None:
    fitted = ImageClassifier(SMALL, method, layer=MIDDLE).fit(PICTURES, labels)
    np.testing.assert_array_equal(fitted.classes_, np.unique(labels))
    predicted, scores = fitted.predict(PICTURES), fitted.predict_proba(PICTURES)
    assert predicted.dtype == np.asarray(labels).dtype
    np.testing.assert_array_equal(predicted, fitted.classes_[scores.argmax(1)])
    np.testing.assert_allclose(scores.sum(1), 1, rtol=1e-5)
    if len(fitted.classes_) == 2:
        assert fitted.score(PICTURES, labels) == 1


@pytest.mark.parametrize("method", ["probe", "imprint"])
def test_a_photo_can_have_several_classes(method: Any) -> None:
    marks = np.stack([NAMES == "sky", NAMES == "brick", np.ones(12), np.zeros(12)], 1).astype(int)
    fitted = ImageClassifier(SMALL, method, layer=MIDDLE).fit(PICTURES, marks)
    assert list(fitted.classes_) == [0, 1, 2, 3]
    assert fitted.predict_proba(PICTURES).shape == (12, 4)
    predicted = fitted.predict(PICTURES)
    assert predicted.dtype.kind == "i"
    np.testing.assert_array_equal(predicted[:, [0, 1, 3]], marks[:, [0, 1, 3]])


WRONG_LABELS: dict[str, tuple[Any, str]] = {
    "none": (None, "requires y to be passed, but the target y is None"),
    "too few": (NAMES[:5], "inconsistent numbers of samples"),
    "a gap": ([np.nan] + [1.0] * 11, "NaN"),
    "a gap in text": (np.array([None, *NAMES[1:]], object), "Unknown label type"),
    "measures": (np.linspace(0, 1, 12), "Unknown label type: continuous"),
    "text and numbers": (np.array([0, *NAMES[1:]], object), "Unknown label type"),
    "one class": (["cat"] * 12, "y has one class, 'cat'; two are needed"),
    "several classes that are not marked by 0 and 1": (np.arange(24).reshape(12, 2), "1d array"),
}


@pytest.mark.parametrize(("labels", "message"), WRONG_LABELS.values(), ids=WRONG_LABELS)
def test_wrong_labels_are_refused(labels: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ImageClassifier(SMALL).fit(PICTURES, labels)


def test_a_column_of_labels_is_taken_with_a_warning() -> None:
    with pytest.warns(DataConversionWarning, match="column-vector y"):
        fitted = ImageClassifier(SMALL, "imprint", layer=MIDDLE).fit(PICTURES, NAMES[:, np.newaxis])
    assert fitted.predict(PICTURES).shape == (12,)
