"""Whether int8 replaces float: what is measured, when it is refused, and who may use the outcome."""

import json
import os
import warnings
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from oracle import lively
from PIL import Image

import hati
from hati.errors import ArgumentError, PrecisionWarning
from hati.int8.calibration_photos import FEWEST
from hati.int8.comparison import safe_bits
from hati.int8.outcomes import FASTER, in_int8, outcome
from hati.keras.applications.mobilenet import MobileNet
from hati.labels import Label
from hati.model import Model
from hati.optimising import Optimised, optimise
from hati.preprocessing import Preprocessing
from hati.weights import from_file

LABELS = tuple(Label(f"n{number:08}", f"class {number}") for number in range(1000))


@pytest.fixture(autouse=True, scope="module")
def quick() -> Iterator[None]:
    """Less time for every latency, and no search that ends early because of one: none is reported."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("hati.int8.comparison.SECONDS", 0.1)
        patch.setattr("hati.optimising.HOPELESS", 0.0)
        yield


@pytest.fixture(scope="module")
def crops(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Real photos: forty places in those that scikit-image ships, and a file that is none."""
    from skimage import data

    folder = tmp_path_factory.mktemp("crops")
    generator = np.random.default_rng(0)
    for name in ("astronaut.png", "chelsea.png", "coffee.png", "rocket.jpg"):
        with Image.open(Path(data.__file__).with_name(name)) as photo:
            for number in range(10):
                left, top = (int(generator.integers(0, size - 200)) for size in photo.size)
                photo.convert("RGB").crop((left, top, left + 200, top + 200)).save(folder / f"{name}{number}.png")
    (folder / "damaged.jpg").write_bytes(b"\xff\xd8\xff no photo")
    return folder


def own(file: Path, seed: int = 0, classes: int = 10) -> Model:
    """A small network with weights in a file."""
    graph = MobileNet(input_shape=(64, 64, 3), alpha=0.25, weights=None, classes=classes, name="small").graph
    np.savez(file, **lively(graph, seed))  # type: ignore[arg-type]
    return Model(
        graph, from_file(file, graph), Preprocessing("tf", 1.0, "bicubic"), labels=LABELS[:classes], size=(64, 64)
    )


@pytest.fixture(scope="module")
def found(crops: Path) -> Optimised:
    """The default model on the crops, with a floor that it reaches."""
    return optimise(hati.load(), crops, agreement=0.5)


def test_an_outcome_tells_what_was_measured(found: Optimised) -> None:
    assert (found.calibrated_on, found.held_out, len(found.unreadable)) == (13, 27, 1)
    assert found.agreement >= 0.7
    assert found.interval[0] < found.agreement <= found.interval[1]
    assert 0 < found.shift < 1
    assert 3.5 < found.float_bytes / found.int8_bytes <= 4
    assert found.replaces_float == (found.agreement >= 0.5 and found.speedup >= FASTER)
    assert found.reason in repr(found)
    assert f"{found.int8_bytes / 1e6:.2f} MB" in repr(found)
    assert len(repr(found)) < 300
    assert any("40 photos are few" in note for note in found.notes)
    assert f"{found.agreement:.1%}" in found.reason


def test_json_brings_an_outcome_back(found: Optimised) -> None:
    assert Optimised.from_json(json.loads(json.dumps(found.to_json()))) == found


@pytest.mark.parametrize("change", [{"model": None, "floor": 1, "x": 2}, {"quantisation": {}}, {"float_latency": 3}])
def test_a_damaged_outcome_is_refused(found: Optimised, change: dict[str, object]) -> None:
    with pytest.raises(ArgumentError, match="again"):
        Optimised.from_json(found.to_json() | change)


@pytest.mark.parametrize("content", [b"", b"{}", b"[" * 100_000, b"\xff"])
def test_a_damaged_file_is_as_good_as_none(empty_cache: Path, tmp_path: Path, crops: Path, content: bytes) -> None:
    model = own(tmp_path / "weights.npz")
    optimise(model, crops, agreement=0)
    [file] = (empty_cache / "optimised").iterdir()
    assert outcome(model) is not None
    file.write_bytes(content)
    assert outcome(model) is None


def test_what_was_found_is_used_by_the_same_weights_and_by_no_others(
    empty_cache: Path, tmp_path: Path, crops: Path
) -> None:
    model = own(tmp_path / "weights.npz")
    made = optimise(model, crops, agreement=0)
    assert made.stored
    again = own(tmp_path / "weights.npz", seed=1)  # the same place, other content
    os.utime(tmp_path / "weights.npz", ns=(1, 1))
    kept = outcome(model)
    assert kept == made
    assert kept.quantisation.to_json() == made.quantisation.to_json()  # by which the compiled graph is found again
    assert outcome(again) is None
    assert outcome(own(tmp_path / "others.npz")) is None


def accepted(found: Optimised) -> Optimised:
    return replace(found, replaces_float=True)


def stored(cache: Path, found: Optimised) -> None:
    [file] = (cache / "optimised").glob("*.json")
    file.write_text(json.dumps(found.to_json()))


def test_int8_runs_where_it_replaces_float(empty_cache: Path, tmp_path: Path, crops: Path) -> None:
    model = own(tmp_path / "weights.npz")
    stored(empty_cache, accepted(optimise(model, crops, agreement=0)))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        int8 = in_int8(model)
    x = np.random.default_rng(0).uniform(-1, 1, (4, 64, 64, 3)).astype(np.float32)
    difference = np.abs(int8.predict(x) - model.predict(x))
    assert 0 < difference.max() < 0.3
    features = int8.features(sorted(crops.glob("*.png"))[:2]), model.features(sorted(crops.glob("*.png"))[:2])
    assert np.corrcoef(features[0].ravel(), features[1].ravel())[0, 1] > 0.9


def test_float_runs_with_a_warning_where_int8_was_refused(empty_cache: Path, tmp_path: Path, crops: Path) -> None:
    model = own(tmp_path / "weights.npz")
    made = optimise(model, crops, agreement=0)
    stored(empty_cache, replace(made, replaces_float=False, reason="it is slow."))
    with pytest.warns(PrecisionWarning, match="small runs in float: it is slow"):
        assert in_int8(model) is model


def test_nothing_measured_is_an_error_that_says_what_to_do(empty_cache: Path, tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match="run `hati optimise small --calibrate FOLDER` first"):
        in_int8(own(tmp_path / "weights.npz"))


def test_weights_without_a_file_are_measured_and_not_kept(empty_cache: Path, tmp_path: Path, crops: Path) -> None:
    model = own(tmp_path / "weights.npz")
    model.set_weights(model.get_weights())
    made = optimise(model, crops, agreement=0)
    assert not made.stored
    assert any("come from no file" in note for note in made.notes)
    assert not (empty_cache / "optimised").exists()


def undecided(model: Model, photos: list[Path]) -> Model:
    """The same network with classes that look away from what its photos have in common: small changes choose."""
    arrays = dict(zip(model.graph.weights(), model.get_weights(), strict=True))
    common = model.features(photos).mean(0, dtype=np.float64)
    kernel = arrays["conv_preds/kernel"].astype(np.float64)
    kernel -= common[:, None] * (common @ kernel / (common @ common))
    arrays |= {"conv_preds/kernel": kernel.astype(np.float32), "conv_preds/bias": 0 * arrays["conv_preds/bias"]}
    model.set_weights(list(arrays.values()))
    return model


def test_a_floor_out_of_reach_is_refused_in_words(empty_cache: Path, tmp_path: Path, crops: Path) -> None:
    model = undecided(own(tmp_path / "weights.npz", classes=1000), sorted(crops.glob("*.png")))
    made = optimise(model, crops, agreement=1.0)
    assert made.agreement < 1
    assert not made.replaces_float
    assert "; 100.0% were asked for" in made.reason


def test_int8_that_is_not_faster_is_refused_in_words(
    empty_cache: Path, tmp_path: Path, crops: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("hati.optimising", "hati.int8.outcomes"):
        monkeypatch.setattr(f"{module}.FASTER", 1000.0)
    made = optimise(own(tmp_path / "weights.npz"), crops, agreement=0)
    assert not made.replaces_float
    assert "times as long here, which is no gain" in made.reason


def test_layers_that_hurt_stay_in_float_until_the_floor_is_reached(empty_cache: Path, shared: Path) -> None:
    photos = sorted((shared / "imagenet_ccby").glob("*.jpg"))[:150]
    model = hati.load("MobileNet_0.25_224", shared / "mobilenet_2_5_224_tf.h5")
    plain, better = optimise(model, photos, agreement=0.5), optimise(model, photos, agreement=0.94)
    assert plain.in_float == ()
    assert plain.agreement < 0.94 <= better.agreement
    hurts = [hurt for _, hurt in better.in_float]
    assert hurts == sorted(hurts, reverse=True)


def test_the_default_model_reaches_the_floor(empty_cache: Path, shared: Path) -> None:
    made = optimise(hati.load(), sorted((shared / "imagenet_ccby").glob("*.jpg"))[:120], agreement=0.95)
    assert made.agreement >= 0.95
    assert made.notes == ()


@pytest.mark.parametrize("count", [0, 1, FEWEST - 1])
def test_few_photos_say_nothing(crops: Path, count: int) -> None:
    photos = [*sorted(crops.glob("*.png"))[:count], crops / "damaged.jpg"]
    with pytest.raises(ArgumentError, match=rf"{count} photos came .*; 1 more cannot be read; at least 20 are needed"):
        optimise(hati.load(), photos)


@pytest.mark.parametrize("floor", [-0.1, 1.1, float("nan")])
def test_a_floor_that_means_nothing_is_refused(crops: Path, floor: float) -> None:
    with pytest.raises(ArgumentError, match="agreement is"):
        optimise(hati.load(), crops, agreement=floor)


def test_a_body_has_no_names_to_agree_on(crops: Path) -> None:
    body = MobileNet(include_top=False, alpha=0.25, weights=None, input_shape=(64, 64, 3))
    with pytest.raises(ArgumentError, match="only scores can be compared"):
        optimise(body, crops)


def test_weights_have_seven_bits_or_eight() -> None:
    assert safe_bits() in (7, 8)
