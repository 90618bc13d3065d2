import resource
import shutil
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from oracle import lively
from PIL import Image

import hati
from hati.engines.onnx.running import OnnxRuntime
from hati.errors import ArgumentError, GraphError, ImageError, InputError, InputWarning, LabelsError, WeightsError
from hati.keras.applications.mobilenet import MobileNet
from hati.model import Model
from hati.photos import Photo


@pytest.fixture(scope="module")
def model() -> Model:
    return hati.load()


@pytest.fixture(scope="module")
def tiny() -> Model:
    return untrained()


def untrained(seed: int = 0) -> Model:
    """A small network whose scores differ from picture to picture."""
    model = MobileNet(input_shape=(32, 32, 3), alpha=0.25, weights=None, classes=7)
    model.set_weights(list(lively(model.graph, seed).values()))
    return model


def pictures(count: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).uniform(-1, 1, (count, 32, 32, 3)).astype(np.float32)


def test_a_real_cat_is_named(model: Model, cat: Path) -> None:
    best, *others = model.classify(str(cat), top=5)
    assert best.name in ("Egyptian_cat", "tabby", "tiger_cat")
    assert (best.synset[0], len(others)) == ("n", 4)
    scores = [prediction.score for prediction in (best, *others)]
    assert scores == sorted(scores, reverse=True)
    assert 0 < sum(scores) <= 1


def test_every_kind_of_photo_gives_the_same_answer(model: Model, cat: Path) -> None:
    opened = Image.open(cat).convert("RGB")
    with cat.open("rb") as file:
        kinds: list[Photo] = [str(cat), cat, cat.read_bytes(), opened, np.asarray(opened), file]
        answers = [model.classify(kind) for kind in kinds]
        assert all(answer == answers[0] for answer in answers)
    together = model.classify(kinds[:5])
    assert len(together) == 5
    assert [found.name for answer in together for found in answer] == [found.name for found in answers[0]] * 5


def test_a_bad_photo_stops_classify_but_not_answers(model: Model, cat: Path, tmp_path: Path) -> None:
    bad = tmp_path / "bad.jpg"
    bad.write_text("no picture")
    with pytest.raises(ImageError, match=r"bad\.jpg"):
        model.classify([cat, bad])
    good, failed, last = model.answers([cat, bad, cat])
    assert good.predictions == last.predictions
    assert (failed.photo, failed.predictions) == (str(bad), [])
    assert isinstance(failed.error, ImageError)


def test_many_photos_are_answered_in_their_order(model: Model, cat: Path, tmp_path: Path) -> None:
    turned = [np.rot90(np.asarray(Image.open(cat)), turns).copy() for turns in range(4)]
    bad = tmp_path / "bad.jpg"
    bad.write_bytes(b"no photo")
    photos: list[Photo] = [*turned, bad] * 7
    answers = list(model.answers(photos, top=1))
    one_by_one = [model.classify(photo, top=1)[0] for photo in turned]
    for number, answer in enumerate(answers):
        if number % 5 == 4:
            assert isinstance(answer.error, ImageError)
        else:
            [found] = answer.predictions
            assert found.name == one_by_one[number % 5].name
            assert found.score == pytest.approx(one_by_one[number % 5].score, abs=1e-5)
    features = model.features([photo for photo in photos if photo is not bad])
    np.testing.assert_allclose(features[8:12], features[:4], atol=1e-4)


def test_no_photos_give_no_answers(model: Model) -> None:
    assert model.classify([]) == []
    assert model.features([]).shape == (0, 1280)


@pytest.mark.parametrize(
    ("name", "options", "length"),
    [
        ("EfficientNetLite0", {}, 1280),
        ("ResNet50", {}, 2048),
        ("VGG16", {}, 4096),
        ("MobileNet", {}, 1024),
        ("ResNet50", {"include_top": False}, 2048),
        ("VGG16", {"include_top": False, "pooling": "max"}, 512),
    ],
)
def test_features_are_what_the_classifier_would_get(name: str, options: dict[str, Any], length: int, cat: Path) -> None:
    model = hati.load(name, weights=None, **options)
    assert model.features(cat).shape == (length,)
    assert model.features([cat, cat]).shape == (2, length)


def test_features_of_any_layer_can_be_had(model: Model, cat: Path) -> None:
    assert model.features(cat, layer="block2a_project_bn").shape == (24,)
    with pytest.raises(GraphError, match="no layer 'nothing'"):
        model.features(cat, layer="nothing")


def test_features_and_classifier_weights_make_the_scores(model: Model, cat: Path) -> None:
    kernel, bias = model.get_weights()[-2:]
    logits = model.features(cat) @ kernel + bias
    names = [hati.labels.imagenet()[place].name for place in np.argsort(-logits)[:3]]
    assert names == [found.name for found in model.classify(cat)]


def test_a_network_without_classifier_names_nothing(cat: Path) -> None:
    body = hati.load(include_top=False)
    with pytest.raises(LabelsError, match="has no classifier"):
        body.classify(cat)


def test_a_network_that_takes_no_rgb_names_no_photos(cat: Path) -> None:
    grey = MobileNet(input_shape=(32, 32, 1), alpha=0.25, weights=None)
    with pytest.raises(InputError, match="takes pictures with 1 channels"):
        grey.classify(cat)


def test_weights_that_were_given_or_taken_are_copies() -> None:
    model = untrained()
    given = model.get_weights()
    model.set_weights(given)
    for array in (given[0], model.get_weights()[0]):
        array[:] = 0
    assert model.get_weights()[0].any()


def test_classes_of_your_own_are_numbered_until_they_are_named(tiny: Model) -> None:
    found = tiny.classify(np.zeros((10, 10, 3), np.uint8), top=7)
    assert {prediction.name for prediction in found} == {f"class_{number}" for number in range(7)}


@pytest.mark.parametrize("batch_size", [1, 3, 10, 32, None])
def test_any_batch_size_gives_the_same_scores(tiny: Model, batch_size: int | None) -> None:
    x = pictures(10)
    np.testing.assert_allclose(tiny.predict(x, batch_size=batch_size), tiny.predict(x), atol=1e-6)
    assert tiny.predict(x[:0], batch_size=batch_size).shape == (0, 7)


@pytest.mark.parametrize("dtype", [np.float64, np.float16, ">f4"])
def test_any_float_is_taken_and_float32_given(tiny: Model, dtype: str) -> None:
    x = pictures(2)
    y = tiny.predict(x.astype(dtype))
    assert y.dtype == np.float32
    np.testing.assert_allclose(y, tiny.predict(x), atol=1e-3)


def test_arrays_that_do_not_lie_in_one_piece_are_taken(tiny: Model) -> None:
    x = pictures(6)
    np.testing.assert_array_equal(tiny.predict(x[::2]), tiny.predict(x[::2].copy()))
    np.testing.assert_array_equal(tiny.predict(x[:, ::-1]), tiny.predict(x[:, ::-1].copy()))


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (pictures(1)[0], r"\(32, 32, 3\) came; \(batch, 32, 32, 3\) was expected: .*np.expand_dims"),
        (pictures(1).transpose(0, 3, 1, 2), r"\(1, 3, 32, 32\) came.*x.transpose\(0, 2, 3, 1\)"),
        (np.zeros((1, 64, 64, 3)), r"\(1, 64, 64, 3\) came.*resize"),
        (np.zeros((1, 32, 32, 4)), r"\(1, 32, 32, 4\) came"),
        (np.full((1, 32, 32, 3), np.nan), "NaN or infinity"),
        (np.array(["a photo"]), "numbers of shape"),
    ],
)
def test_arrays_that_a_model_cannot_take_are_refused(tiny: Model, x: np.ndarray, message: str) -> None:
    with pytest.raises(InputError, match=message):
        tiny.predict(x)


def test_pictures_that_vanish_on_their_way_are_refused() -> None:
    body = hati.load("InceptionV3", weights=None, include_top=False)
    assert body.predict(np.zeros((1, 75, 80, 3))).shape == (1, 1, 1, 2048)
    with pytest.raises(InputError, match=r"\(30, 30, 3\) are too small for inception_v3: conv2d_\d+: a window of 3"):
        body.predict(np.zeros((1, 30, 30, 3)))


def test_pixels_that_were_never_preprocessed_are_warned_of(tiny: Model) -> None:
    with pytest.warns(InputWarning, match="never been preprocessed"):
        tiny.predict(np.full((1, 32, 32, 3), 200, np.uint8))


def test_numbers_below_one_are_refused(tiny: Model) -> None:
    with pytest.raises(ArgumentError, match="batch_size is 0; it can be 1 or more"):
        tiny.predict(pictures(1), batch_size=0)
    with pytest.raises(ArgumentError, match="top is 0; it can be 1 or more"):
        tiny.classify(np.zeros((4, 4, 3)), top=0)


def test_weights_come_and_go_in_keras_order(tiny: Model) -> None:
    other = untrained(seed=1)
    x = pictures(2)
    assert not np.array_equal(other.predict(x), tiny.predict(x))
    other.set_weights(tiny.get_weights())
    np.testing.assert_array_equal(other.predict(x), tiny.predict(x))


def test_random_weights_stay_the_same_for_one_model() -> None:
    model = MobileNet(input_shape=(32, 32, 3), alpha=0.25, weights=None)
    before = model.get_weights()
    model.predict(pictures(1))
    assert all(np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True))


@pytest.mark.parametrize("fault", ["count", "shape"])
def test_weights_that_do_not_fit_leave_the_old_ones(tiny: Model, fault: str) -> None:
    before = tiny.predict(pictures(1))
    arrays = tiny.get_weights()
    arrays = arrays[:-1] if fault == "count" else [*arrays[:-1], np.zeros(8, np.float32)]
    with pytest.raises((ArgumentError, WeightsError)):
        tiny.set_weights(arrays)
    np.testing.assert_array_equal(tiny.predict(pictures(1)), before)


def test_a_file_of_weights_can_be_taken_later(shared: Path) -> None:
    file = shared / "mobilenet_2_5_224_tf.h5"
    model = MobileNet(alpha=0.25, weights=None)
    model.load_weights(file)
    best, *_ = model.classify(shared / "elephant-224.png")
    assert best.name == "tusker"
    with pytest.raises(WeightsError, match="needs"):
        MobileNet(alpha=0.5, weights=None).load_weights(file)


@pytest.mark.parametrize("name", ["mine.h5", "mine.weights.h5", "mine.onnx", "mine"])
def test_a_whole_model_has_its_own_ending(tiny: Model, tmp_path: Path, name: str) -> None:
    with pytest.raises(ArgumentError, match=r"is written into a file whose name ends in \.safetensors"):
        tiny.save(tmp_path / name)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["w.weights.h5", "w.safetensors"])
def test_weights_that_were_saved_are_taken_again(tiny: Model, tmp_path: Path, name: str) -> None:
    tiny.save_weights(tmp_path / name)
    other = untrained(seed=1)
    other.load_weights(tmp_path / name)
    np.testing.assert_array_equal(other.predict(pictures(2)), tiny.predict(pictures(2)))


def test_threads_share_a_model(tiny: Model) -> None:
    fresh = untrained()
    batches = [pictures(2, seed) for seed in range(8)]
    expected = [tiny.predict(x) for x in batches]
    together = threading.Barrier(8)

    def predict(x: np.ndarray) -> list[np.ndarray]:
        together.wait()
        return [fresh.predict(x) for _ in range(20)]

    with ThreadPoolExecutor(8) as pool:
        for found, right in zip(pool.map(predict, batches), expected, strict=True):
            assert all(np.array_equal(y, right) for y in found)


def test_memory_stays_flat_over_many_calls(tiny: Model) -> None:
    x = pictures(4)
    for _ in range(200):
        tiny.predict(x)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for _ in range(2000):
        tiny.predict(x)
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    assert grown < 20, f"{grown:.0f} MB more after 2000 calls"


def test_a_model_says_what_it_is(model: Model) -> None:
    assert repr(model) == "<hati.Model efficientnet_lite0: (None, 224, 224, 3) -> (None, 1000), 4,694,024 parameters>"
    lines: list[str] = []
    model.summary(print_fn=lines.append)
    assert "Total params: 4,694,024" in lines[0]


def test_weights_stay_when_their_file_goes(tmp_path: Path) -> None:
    """They are in memory, or mapped, from when they were loaded; looking at them does not let go of them."""
    model = MobileNet(input_shape=(32, 32, 3), alpha=0.25, weights=None)
    model.save_weights(tmp_path / "mine.safetensors")
    expected = model.predict(np.zeros((1, 32, 32, 3)), verbose=0)
    model.load_weights(tmp_path / "mine.safetensors")
    (tmp_path / "mine.safetensors").unlink()
    assert len(model.get_weights()) == len(model.graph.weights())
    np.testing.assert_allclose(model.predict(np.zeros((1, 32, 32, 3)), verbose=0), expected, atol=1e-6)


@pytest.fixture(scope="module")
def holiday(cat: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two photos, one of them further below."""
    folder = tmp_path_factory.mktemp("holiday")
    (folder / "beach").mkdir()
    shutil.copy(cat, folder / "cat.png")
    Image.fromarray(np.full((40, 50, 3), 200, np.uint8)).save(folder / "beach" / "sand.png")
    return folder


@pytest.mark.parametrize("given", [str, Path], ids=["str", "Path"])
def test_a_folder_is_its_photos(model: Model, holiday: Path, given: Callable[[Path], str | Path]) -> None:
    photos = [holiday / "beach" / "sand.png", holiday / "cat.png"]
    named: object = model.classify(given(holiday))
    assert named == model.classify(photos)
    assert [answer.photo for answer in model.answers(given(holiday))] == [str(photo) for photo in photos]
    np.testing.assert_array_equal(model.features(given(holiday)), model.features(photos))
    assert [photo for photo, _ in model.scores(given(holiday))] == [str(photo) for photo in photos]


def test_a_string_is_one_photo_everywhere(model: Model, cat: Path) -> None:
    (answer,) = model.answers(str(cat))
    assert answer.predictions == model.classify(str(cat))
    ((_, scores),) = model.scores(str(cat))
    assert isinstance(scores, np.ndarray)


def test_a_folder_without_photos_says_so(model: Model, tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="there is no photo in this folder"):
        model.classify(tmp_path)


def test_large_photos_are_decoded_alike_for_names_and_for_features(model: Model, cat: Path, tmp_path: Path) -> None:
    """At a part of their size, unless every pixel is asked for."""
    large = tmp_path / "large.jpg"
    with Image.open(cat) as photo:
        photo.convert("RGB").resize((3200, 2400)).save(large, quality=90)
    kernel, bias = model.get_weights()[-2:]
    for every_pixel in (False, True):
        logits = model.features(large, every_pixel=every_pixel) @ kernel + bias
        powers = np.exp(logits - logits.max())
        [best] = model.classify(large, top=1, every_pixel=every_pixel)
        assert best.score == pytest.approx(float(powers.max() / powers.sum()), rel=1e-4)
    assert np.abs(model.features(large) - model.features(large, every_pixel=True)).max() > 1e-4


def test_a_model_says_what_computes(model: Model) -> None:
    assert (model.device, model.precision) == ("cpu", "float32")
    in_half = model.running_on(OnnxRuntime(half=True))
    assert in_half.precision == "float16"


def test_an_error_that_is_kept_holds_no_picture(model: Model, cat: Path, tmp_path: Path) -> None:
    cut = tmp_path / "cut.jpg"
    with Image.open(cat) as photo:
        photo.convert("RGB").resize((1200, 900)).save(cut)
    cut.write_bytes(cut.read_bytes()[:20_000])
    [answer] = model.answers(cut)
    assert answer.error is not None
    assert (answer.error.__traceback__, answer.error.__cause__, answer.error.__context__) == (None, None, None)
    assert "cut.jpg: the picture is damaged" in str(answer.error)


@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf])
def test_scores_that_are_no_numbers_are_an_error_everywhere(cat: Path, number: float) -> None:
    damaged = untrained()
    kernel = damaged.get_weights()
    kernel[-2][..., 0] = number
    damaged.set_weights(kernel)
    x = np.zeros((1, *damaged.size, 3), np.float32)
    for ask in (
        lambda: damaged.predict(x),
        lambda: damaged.classify(cat),
        lambda: list(damaged.answers([cat] * 12)),
        lambda: list(damaged.scores(cat)),
    ):
        with pytest.raises(WeightsError, match="gives NaN or infinity: its weights are damaged"):
            ask()
