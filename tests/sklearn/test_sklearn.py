"""hati as scikit-learn's estimators: its own checks, with rows drawn as pictures, and its promises with photos."""

import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.utils.estimator_checks import parametrize_with_checks
from sklearn.utils.validation import check_is_fitted, validate_data
from small_model import MIDDLE, NAMES, PICTURES, SIZE, SMALL, Array, small

import hati
from hati.errors import ArgumentError, GraphError, HatiError, UnknownModel
from hati.model import Model, lazy_weights
from hati.sklearn import ImageClassifier, ImageFeatures


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


WRONG_SETTINGS: dict[str, tuple[Any, type[HatiError], str]] = {
    "pooling": (ImageFeatures(SMALL, pooling="mean"), ArgumentError, "pooling is 'mean'; it can be 'avg', 'max', None"),  # type: ignore[arg-type]
    "layer": (ImageFeatures(SMALL, "conv9"), GraphError, "no layer 'conv9'"),
    "a layer to learn from": (ImageClassifier(SMALL, layer="conv9"), GraphError, "no layer 'conv9'"),
    "name": (ImageFeatures("EfficientNetLight0"), UnknownModel, "EfficientNetLite0"),
    "model": (ImageFeatures(3), ArgumentError, "a int came for a model; it can be a name"),  # type: ignore[arg-type]
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


def test_large_photos_are_decoded_as_models_decode_them(tmp_path: Path) -> None:
    """At a part of their size, unless every pixel is asked for; the cache keeps both apart."""
    large = tmp_path / "large.jpg"
    Image.fromarray(PICTURES[0]).resize((800, 640), Image.Resampling.NEAREST).save(large, quality=90)
    decoded = {}
    for every_pixel in (False, True, False):
        found = decoded[every_pixel] = ImageFeatures(SMALL, every_pixel=every_pixel).transform([large])
        np.testing.assert_allclose(found, SMALL.features([large], every_pixel=every_pixel), rtol=1e-4, atol=1e-5)
    assert not np.array_equal(decoded[True], decoded[False])


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
