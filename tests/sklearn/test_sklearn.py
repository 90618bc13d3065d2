"""hati as scikit-learn's estimators: its own checks, with rows drawn as pictures, and its promises with photos."""

import copy
import os
import pickle
import subprocess
import sys
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from oracle import lively
from PIL import Image
from sklearn.base import clone
from sklearn.exceptions import DataConversionWarning, NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.utils.estimator_checks import parametrize_with_checks
from sklearn.utils.validation import check_is_fitted, validate_data
from threadpoolctl import threadpool_limits

import hati
from hati.errors import ArgumentError, GraphError, HatiError, ImageError, ImageNotFound, UnknownModel
from hati.keras.applications.mobilenet import MobileNet
from hati.labels import Label
from hati.model import Model, lazy_weights
from hati.preprocessing import Preprocessing
from hati.sklearn import ImageClassifier, ImageFeatures
from hati.weights import from_arrays

Array = np.ndarray
SIZE = 32
MIDDLE = "conv_pw_6_relu"  # a map of 2 × 2 × 128


@pytest.fixture(autouse=True, scope="module")
def one_thread_each() -> Iterator[None]:
    """Regressions by one thread: several would wait for each other on a machine that does something else as well."""
    with threadpool_limits(1):
        yield


def small(seed: int = 0) -> Model:
    """A network that takes a millisecond for a picture."""
    graph = MobileNet(input_shape=(SIZE, SIZE, 3), alpha=0.25, weights=None, classes=10, name=f"small{seed}").graph
    labels = [Label(f"n{number}", f"class {number}") for number in range(10)]
    weights = from_arrays(lively(graph, seed), graph)
    return Model(graph, weights, Preprocessing("tf", 1.0, "bicubic"), labels=labels, size=(SIZE, SIZE))


SMALL = small()


def drawn(rows: Array) -> Array:
    """Each row of a table as a picture of stripes, three numbers to the colour of each."""
    count = -(-rows.shape[1] // 3)
    colours = rows[:, np.arange(3 * count) % rows.shape[1]].reshape(len(rows), 1, count, 3)
    stripes = 127.5 * (1 + np.tanh(colours / 2))[:, :, np.arange(SIZE) * count // SIZE]
    return np.broadcast_to(stripes, (len(rows), SIZE, SIZE, 3))


class OfRows:
    """What scikit-learn's checks need of an estimator: it takes tables."""

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()  # type: ignore[misc]
        tags.input_tags.two_d_array, tags.input_tags.one_d_array, tags.input_tags.string = True, False, False
        return tags


class RowFeatures(OfRows, ImageFeatures):
    def fit(self, X: Any, y: object = None) -> Any:
        return super().fit(drawn(validate_data(self, X)), y)

    def transform(self, X: Any) -> Array:
        return super().transform(drawn(validate_data(self, X, reset=False)))


class RowClassifier(OfRows, ImageClassifier):
    def fit(self, X: Any, y: Any) -> Any:
        return super().fit(drawn(validate_data(self, X)), y)

    def predict_proba(self, X: Any) -> Array:
        check_is_fitted(self)
        return super().predict_proba(drawn(validate_data(self, X, reset=False)))


@parametrize_with_checks(  # type: ignore[untyped-decorator]
    [RowFeatures(SMALL), RowClassifier(SMALL, layer=MIDDLE), RowClassifier(SMALL, "imprint", layer=MIDDLE)]
)
def test_scikit_learn_finds_nothing_wrong(estimator: Any, check: Callable[[Any], None]) -> None:
    check(estimator)


NAMES = np.array(["sky", "brick"] * 6)


def coloured(count: int = 12) -> Array:
    """Noise, every other one bluish or reddish, as NAMES say."""
    pictures = np.random.default_rng(0).integers(0, 90, (count, 40, 48, 3), np.uint8)
    pictures[::2, :, :, 2] += 150
    pictures[1::2, :, :, 0] += 150
    return pictures


PICTURES = coloured()


@pytest.fixture(scope="module")
def paths(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    folder = tmp_path_factory.mktemp("pictures")
    found = [str(folder / f"{number}.png") for number in range(len(PICTURES))]
    for path, picture in zip(found, PICTURES, strict=True):
        Image.fromarray(picture).save(path)
    return found


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
    pandas = pytest.importorskip("pandas")
    table = pandas.DataFrame({"path": paths, "name": NAMES}, index=range(100, 112))
    features = ImageFeatures(SMALL).set_output(transform="pandas").fit_transform(table["path"])
    assert list(features.columns) == [f"imagefeatures{number}" for number in range(256)]
    assert list(features.index) == list(table.index)
    fitted = ImageClassifier(SMALL, layer=MIDDLE).fit(table["path"], table["name"])
    assert list(fitted.predict(table[["path"]])) == list(NAMES)


def test_grey_pictures_are_pictures() -> None:
    features, grey = ImageFeatures(SMALL), PICTURES[..., 0]
    np.testing.assert_array_equal(features.transform(grey), features.transform(np.stack([grey] * 3, -1)))


POOLED: dict[Any, Callable[[Array], Array]] = {
    "avg": lambda x: x.mean((1, 2)),
    "max": lambda x: x.max((1, 2)),
    None: lambda x: x.reshape(len(x), -1),
}


@pytest.mark.parametrize("pooling", POOLED)
@pytest.mark.parametrize("layer", [MIDDLE, "conv1_relu"])
def test_a_layer_is_pooled(pooling: Any, layer: str) -> None:
    part = SMALL.graph.cut(layer)
    cut = Model(part, lazy_weights(SMALL).of(part), SMALL.preprocessing, labels=None, size=SMALL.size)
    x = np.stack([SMALL.preprocessing(Image.fromarray(picture), SMALL.size) for picture in PICTURES[:3]])
    features = ImageFeatures(SMALL, layer, pooling)
    found = features.fit_transform(PICTURES[:3])
    np.testing.assert_allclose(found, POOLED[pooling](cut.predict(x)), rtol=1e-4, atol=1e-5)
    assert features.n_features_out_ == found.shape[1] == len(features.get_feature_names_out())


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


WRONG_SETTINGS: dict[str, tuple[Any, type[HatiError], str]] = {
    "pooling": (ImageFeatures(SMALL, pooling="mean"), ArgumentError, "pooling is 'mean'; it can be 'avg', 'max', None"),  # type: ignore[arg-type]
    "layer": (ImageFeatures(SMALL, "conv9"), GraphError, "no layer 'conv9'"),
    "a layer to learn from": (ImageClassifier(SMALL, layer="conv9"), GraphError, "no layer 'conv9'"),
    "name": (ImageFeatures("EfficientNetLight0"), UnknownModel, "EfficientNetLite0"),
    "model": (ImageFeatures(3), ArgumentError, "model is 3; it can be a name"),  # type: ignore[arg-type]
    "method": (ImageClassifier(SMALL, "finetune"), ArgumentError, "method is 'finetune'; it can be 'probe'"),  # type: ignore[arg-type]
    "views": (ImageClassifier(SMALL, views=9), ArgumentError, "views is 9; it can be 1 to 4"),
}


@pytest.mark.parametrize(("estimator", "kind", "message"), WRONG_SETTINGS.values(), ids=WRONG_SETTINGS)
def test_wrong_settings_are_refused_by_fit(estimator: Any, kind: type[HatiError], message: str) -> None:
    with pytest.raises(kind, match=message):
        estimator.fit(PICTURES, NAMES)


def test_features_need_no_fit_and_are_pickled_by_name() -> None:
    features = ImageFeatures()
    before = features.transform(PICTURES[:2])
    pickled = pickle.dumps(features.fit(PICTURES))
    assert len(pickled) < 500
    np.testing.assert_array_equal(pickle.loads(pickled).transform(PICTURES[:2]), before)
    np.testing.assert_allclose(before, hati.load().features(list(PICTURES[:2])), rtol=1e-3, atol=1e-4)


def test_another_model_is_another_answer(tmp_path: Path) -> None:
    """By its parameter, by its file's content, and by its weights."""
    file = tmp_path / "own.safetensors"
    small(1).save(file)
    features = ImageFeatures(str(file))
    found = [features.transform(PICTURES[:1])]
    small(2).save(file)
    found += [features.transform(PICTURES[:1])]
    given = small(3)
    found += [features.set_params(model=given).transform(PICTURES[:1])]
    given.set_weights(small(4).get_weights())
    found += [features.transform(PICTURES[:1])]
    expected = [small(seed).features(PICTURES[0]) for seed in (1, 2, 3, 4)]
    np.testing.assert_allclose(np.concatenate(found), expected, rtol=1e-4, atol=1e-5)


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


@pytest.mark.parametrize("method", ["probe", "imprint"])
def test_learning_keeps_scikit_learns_promises(method: Any, paths: list[str]) -> None:
    classifier = ImageClassifier(SMALL, method, views=2, layer=MIDDLE, random_state=1)
    with pytest.raises(NotFittedError):
        classifier.predict(paths)
    before, settings = dict(vars(classifier)), classifier.get_params()
    assert classifier.fit(paths, NAMES) is classifier
    assert classifier.get_params() == settings
    assert {name: vars(classifier)[name] for name in before} == before
    expected, state = classifier.predict_proba(paths), dict(vars(classifier))
    assert vars(classifier) == state
    others = {
        "fitted twice": classifier.fit(paths, NAMES).predict_proba(paths),
        "a clone": clone(classifier).fit(paths, NAMES).predict_proba(paths),
        "pickled": pickle.loads(pickle.dumps(classifier)).predict_proba(paths),
        "in another order": classifier.predict_proba(paths[::-1])[::-1],
        "one by one": np.concatenate([classifier.predict_proba([path]) for path in paths]),
        "not from files": classifier.predict_proba(PICTURES),
    }
    for name, found in others.items():
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6, err_msg=name)


def test_the_taught_model_answers_alike_and_can_be_saved(tmp_path: Path) -> None:
    fitted = ImageClassifier(SMALL, layer=MIDDLE, random_state=0).fit(PICTURES, NAMES)
    fitted.model_.save(tmp_path / "taught.safetensors")
    loaded = hati.load(tmp_path / "taught.safetensors")
    assert [answer[0].name for answer in loaded.classify(list(PICTURES), top=1)] == list(fitted.predict(PICTURES))
    scores = [{name: score for _, name, score in answer} for answer in loaded.classify(list(PICTURES), top=2)]
    expected = [dict(zip(fitted.classes_, row, strict=True)) for row in fitted.predict_proba(PICTURES)]
    assert [pytest.approx(one, rel=1e-3) for one in expected] == scores
    assert loaded.taught is not None
    told = loaded.taught.provenance
    assert (told.body, told.method, dict(told.photos)) == ("small0", "probe", {"brick": 6, "sky": 6})
    again = ImageClassifier(loaded, "imprint").fit(PICTURES, NAMES)
    assert again.score(PICTURES, NAMES) == 1


def test_features_are_a_step_of_a_pipeline(paths: list[str]) -> None:
    steps = make_pipeline(ImageFeatures(SMALL, MIDDLE), LogisticRegression())
    np.testing.assert_array_equal(cross_val_score(steps, paths, NAMES, cv=3), 1)


def test_a_grid_search_goes_over_layers_models_and_methods(paths: list[str]) -> None:
    pipeline = Pipeline([("features", ImageFeatures(SMALL)), ("head", LogisticRegression())])
    layers = GridSearchCV(pipeline, {"features__layer": [None, MIDDLE], "features__pooling": ["avg", "max"]}, cv=2)
    assert layers.fit(paths, NAMES).best_score_ == 1
    grid = {"model": [SMALL, small(1)], "method": ["probe", "imprint"], "layer": [MIDDLE]}
    search = GridSearchCV(ImageClassifier(), grid, cv=2).fit(PICTURES, NAMES)
    assert len(search.cv_results_["params"]) == 4
    assert search.best_score_ == 1
    assert list(search.predict(PICTURES)) == list(NAMES)


def test_processes_share_the_work(paths: list[str]) -> None:
    classifier = ImageClassifier(SMALL, "imprint", layer=MIDDLE)
    np.testing.assert_array_equal(cross_val_score(classifier, paths, NAMES, cv=2, n_jobs=2), 1)


def test_real_photos_of_files_are_told_apart(shared: Path) -> None:
    folders = {name: sorted((shared / "hymenoptera" / "val" / name).glob("*.jpg"))[:8] for name in ("ants", "bees")}
    photos, names = [*folders["ants"], *folders["bees"]], ["ants"] * 8 + ["bees"] * 8
    assert cross_val_score(ImageClassifier(method="imprint"), photos, names, cv=2).mean() > 0.8


def test_without_scikit_learn_it_says_what_to_install() -> None:
    check = "import sys; sys.modules['sklearn'] = None; import hati.sklearn"
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    found = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, env=environment)
    assert found.returncode == 1
    assert 'ImportError: hati.sklearn needs scikit-learn: pip install ".[train]" in' in found.stderr


def test_a_copy_of_a_model_is_a_model_of_its_own() -> None:
    original = small()
    copies = [copy.deepcopy(original), pickle.loads(pickle.dumps(original))]
    expected = original.features(PICTURES[0])
    original.set_weights(small(1).get_weights())
    for twin in copies:
        np.testing.assert_array_equal(twin.features(PICTURES[0]), expected)
        assert (twin.labels, twin.size, twin.preprocessing) == (original.labels, original.size, original.preprocessing)
