"""What one verb gives, every other takes: a model, its name, its file, or what a training gave."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sorted_photos import sort_photos, texture

import hati
from hati.errors import ArgumentError
from hati.keras.applications.mobilenet import MobileNet
from hati.model import Model
from hati.sklearn import ImageClassifier, ImageFeatures
from hati.transfer.training import Trained

NAME = "EfficientNetLite0"


@pytest.fixture(autouse=True, scope="module")
def quick() -> Iterator[None]:
    """Less time for every latency: none is reported."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("hati.int8.comparison.SECONDS", 0.1)
        yield


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return sort_photos(tmp_path_factory.mktemp("own") / "photos", {"dots": 12, "waves": 12})


@pytest.fixture(scope="module")
def trained(folder: Path) -> Trained:
    """Of a small network, whose weights are random: what it sees is enough to tell textures apart."""
    body = MobileNet(input_shape=(64, 64, 3), alpha=0.25, weights=None)
    return hati.train(folder, model=body, method="imprint", verbose=0)


VERBS: dict[str, Callable[[Any, Path, Path], Any]] = {
    "evaluate": lambda model, photos, _: hati.evaluate(model, photos, verbose=0).accuracy,
    "train": lambda model, photos, _: hati.train(photos, model=model, method="imprint", verbose=0).tried,
    "teach": lambda model, *_: hati.teach(model, "checks", texture("checks", 1)).get_weights()[-1].tolist(),
    "export": lambda model, photos, out: hati.export(model, out / "own.onnx", check=photos, verbose=0).written,
    "optimise": lambda model, photos, _: hati.optimise(model, photos, agreement=0, verbose=0).agreement,
    "ImageFeatures": lambda model, *_: ImageFeatures(model).transform([texture("dots", 1)]).tolist(),
    "ImageClassifier": lambda model, photos, _: (
        ImageClassifier(model, "imprint")
        .fit([texture("dots", 1), texture("waves", 1)], [0, 1])
        .predict_proba([texture("dots", 2)])
        .tolist()
    ),
}


@pytest.mark.parametrize("verb", VERBS.values(), ids=VERBS)
def test_what_was_trained_is_taken_as_its_model_and_its_file_are(
    verb: Callable[[Any, Path, Path], Any], trained: Trained, folder: Path, tmp_path: Path
) -> None:
    trained.save(tmp_path / "own.safetensors")
    given = [trained, trained.model, tmp_path / "own.safetensors", str(tmp_path / "own.safetensors")]
    first, *others = (verb(model, folder, tmp_path) for model in given)
    assert others == [first] * 3


@pytest.mark.parametrize("verb", ["train", "export", "optimise", "ImageFeatures", "ImageClassifier"])
def test_a_name_is_its_model(verb: str, folder: Path, tmp_path: Path) -> None:
    by_name, by_model = (VERBS[verb](model, folder, tmp_path) for model in (NAME, hati.load(NAME)))
    np.testing.assert_equal(by_name, by_model)


@pytest.mark.parametrize("verb", VERBS.values(), ids=VERBS)
@pytest.mark.parametrize("given", [None, 3, [NAME]], ids=["None", "a number", "a list"])
def test_what_is_no_model_is_refused_in_words(verb: Callable[[Any, Path, Path], Any], given: Any, folder: Path) -> None:
    with pytest.raises(ArgumentError, match=f"a {type(given).__name__} came for a model; it can be a name"):
        verb(given, folder, folder.parent)


def test_a_training_is_a_step_on_the_way_of_another(trained: Trained, folder: Path) -> None:
    again = hati.train(folder, model=trained, method="imprint", verbose=0).model
    assert isinstance(again, Model)
    assert again.taught is not None
    assert trained.model.taught is not None
    assert again.taught.provenance.body == trained.model.taught.provenance.body
