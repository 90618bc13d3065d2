"""The ladder: what is learnt, what is said of it, and what stands in the way."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing, suppress
from functools import partial
from html import unescape
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pytest
from sorted_photos import sort_photos, texture

import hati
from hati.errors import ArgumentError, WeightsError
from hati.transfer import ladder
from hati.transfer.training import Trained, train

COUNTS = {"dots": 10, "stripes": 10, "waves": 10}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return sort_photos(tmp_path_factory.mktemp("own") / "photos", COUNTS)


@pytest.fixture(scope="module")
def trained(folder: Path) -> Trained:
    return train(folder)


def test_textures_are_learnt_and_told_apart(trained: Trained) -> None:
    assert trained.evaluation is not None
    assert trained.evaluation.photos == 6
    assert trained.evaluation.accuracy == 1.0
    assert trained.photos == {"dots": 8, "stripes": 8, "waves": 8}
    for kind in COUNTS:
        assert trained.model.classify(texture(kind, 50), top=1)[0].name == kind


def test_what_was_trained_answers_as_its_model_does(trained: Trained, tmp_path: Path) -> None:
    photos = [texture("dots", 40), texture("waves", 40)]
    assert trained.classify(photos[0]) == trained.model.classify(photos[0])
    assert trained.classify(photos, top=1) == trained.model.classify(photos, top=1)
    assert list(trained.answers(photos)) == list(trained.model.answers(photos))
    np.testing.assert_array_equal(trained.features(photos), trained.model.features(photos))


def test_what_was_trained_is_shown_in_few_words_and_in_a_notebook_as_a_report(trained: Trained) -> None:
    assert repr(trained) == "<hati.Trained: 3 classes by imprint from 24 photos, validated 100.0%>"
    assert str(trained) == trained.text()
    shown = trained._repr_html_()
    assert unescape(shown.removeprefix("<pre>").removesuffix("</pre>")) == trained.text()
    for told in ("imprint", "probe", "100.0%", "taken"):
        assert told in shown


def test_who_makes_no_mistake_is_told_of_none(trained: Trained) -> None:
    assert trained.advice[0].startswith("More photos of dots (8), stripes (8), waves (8)")
    assert not any("Look at" in sentence for sentence in trained.advice)


def test_classes_that_are_taken_for_each_other_are_named(tmp_path: Path) -> None:
    own = sort_photos(tmp_path / "own", {"dots": 20, "waves": 20})
    for number in range(0, 20, 2):
        one, other = own / "dots" / f"{number}.png", own / "waves" / f"{number}.png"
        content = one.read_bytes()
        one.write_bytes(other.read_bytes())
        other.write_bytes(content)
    advice = train(own, method="imprint", validate=0.5).advice
    assert any("Look at dots and waves: " in sentence for sentence in advice)


def test_a_dearer_method_is_not_taken_where_a_cheaper_one_does_as_well(trained: Trained) -> None:
    assert trained.method == "imprint"
    assert trained.tried == {"imprint": 1.0, "probe": 1.0}
    assert any("flatters" in note for note in trained.notes)


def test_what_was_learnt_goes_into_one_file_with_its_provenance(trained: Trained, tmp_path: Path) -> None:
    trained.save(tmp_path / "own.safetensors")
    model = hati.load(tmp_path / "own.safetensors")
    assert model.taught is not None
    told = model.taught.provenance
    assert (told.body, told.method, told.multi_label) == ("EfficientNetLite0", "imprint", False)
    assert dict(told.photos) == trained.photos
    assert told.score is not None
    assert told.score.accuracy == 1.0
    assert dict(told.versions)["hati"] == hati.__version__
    photo = texture("waves", 60)
    assert model.classify(photo) == trained.model.classify(photo)
    np.testing.assert_array_equal(model.features(photo), hati.load().features(photo))
    scores = model.predict(np.zeros((2, 224, 224, 3)), verbose=0)
    assert [found.name for found in model.decode_predictions(scores, top=5)[1]] != []
    assert len(model.decode_predictions(scores, top=5)[1]) == 3


def test_a_light_file_has_the_head_alone_and_answers_the_same(trained: Trained, tmp_path: Path) -> None:
    trained.save(tmp_path / "whole.safetensors")
    trained.save(tmp_path / "light.safetensors", light=True)
    assert (tmp_path / "light.safetensors").stat().st_size < 0.01 * (tmp_path / "whole.safetensors").stat().st_size
    light, whole = (hati.load(tmp_path / f"{name}.safetensors") for name in ("light", "whole"))
    photo = texture("dots", 60)
    assert light.classify(photo) == whole.classify(photo)
    assert all(np.array_equal(a, b) for a, b in zip(light.get_weights(), whole.get_weights(), strict=True))


def test_a_light_file_refuses_another_body(
    trained: Trained, tmp_path: Path, empty_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained.save(tmp_path / "light.safetensors", light=True)
    monkeypatch.setattr("hati.loading.checksum", lambda *_: "0" * 64)
    with pytest.raises(WeightsError, match="taught on another EfficientNetLite0 than the one that is here"):
        hati.load(tmp_path / "light.safetensors")


def test_a_body_that_cannot_be_had_again_is_not_left_out(folder: Path, tmp_path: Path) -> None:
    own = train(folder, model=hati.load("MobileNet", None, alpha=0.25), method="imprint")
    with pytest.raises(ArgumentError, match="is not in the catalog; save the whole model instead"):
        own.save(tmp_path / "light.safetensors", light=True)
    with pytest.raises(ArgumentError, match="was not taught"):
        hati.load().save(tmp_path / "light.safetensors", light=True)


def test_one_seed_gives_one_model_to_the_bit(folder: Path) -> None:
    first, second = (train(folder, method="probe", seed=3).model.get_weights() for _ in range(2))
    assert all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))


def test_a_taught_model_can_be_the_body_of_another(trained: Trained, folder: Path, tmp_path: Path) -> None:
    trained.save(tmp_path / "own.safetensors")
    again = train(folder, model=tmp_path / "own.safetensors", method="imprint")
    assert again.model.taught is not None
    assert again.model.taught.provenance.body == "EfficientNetLite0"
    np.testing.assert_array_equal(again.model.get_weights()[-2], trained.model.get_weights()[-2])


def test_a_folder_of_its_own_validates_and_copies_in_it_are_found(folder: Path, tmp_path: Path) -> None:
    other = sort_photos(tmp_path / "val", {"dots": 3, "waves": 3}, start=20)
    (other / "dots" / "copy.png").write_bytes((folder / "dots" / "3.png").read_bytes())
    found = train(folder, validate=other)
    assert found.evaluation is not None
    assert found.evaluation.photos == 7
    assert found.photos == COUNTS
    [pair] = [pair for pair in found.duplicates if "copy" in pair.validation]
    assert Path(pair.train) == folder / "dots" / "3.png"
    assert "copy.png" in found.text()


def test_unreadable_photos_are_skipped_listed_and_counted(folder: Path, tmp_path: Path) -> None:
    own = sort_photos(tmp_path / "own", {"dots": 6, "waves": 6})
    (own / "dots" / "bad.png").write_bytes(b"\x89PNG nothing")
    found = train(own, method="imprint")
    assert len(found.unreadable) == 1
    assert sum(found.photos.values()) + (found.evaluation.photos if found.evaluation else 0) == 12
    assert "bad.png" in found.text()
    assert len(found.to_json()["unreadable"]) == 1


@pytest.mark.parametrize(
    ("bad", "message"),
    [(3, r"3 of 13 photos cannot be read, more than 20%; mend or remove them:\n.*bad0.png"), (1, None)],
    ids=["too many", "few"],
)
def test_more_than_a_fifth_that_cannot_be_read_stop_it(tmp_path: Path, bad: int, message: str | None) -> None:
    own = sort_photos(tmp_path / "own", {"dots": 5, "waves": 5})
    for number in range(bad):
        (own / "dots" / f"bad{number}.png").write_bytes(b"")
    if message is None:
        assert len(train(own, method="imprint", validate=0.0).unreadable) == bad
    else:
        with pytest.raises(ArgumentError, match=message):
            train(own, validate=0.0)


def test_a_class_of_which_no_photo_can_be_read_is_named(tmp_path: Path) -> None:
    own = sort_photos(tmp_path / "own", {"dots": 6, "waves": 1})
    (own / "waves" / "0.png").write_bytes(b"")
    with pytest.raises(ArgumentError, match="no photo of the class waves can be read"):
        train(own, validate=0.0)


def test_one_photo_of_each_class_is_imprinted_and_nothing_is_claimed(tmp_path: Path) -> None:
    found = train(sort_photos(tmp_path / "own", {"dots": 1, "waves": 1}))
    assert (found.method, found.evaluation) == ("imprint", None)
    assert any("nothing is known of how well it does" in note for note in found.notes)
    assert found.model.classify(texture("dots", 9))[0].name == "dots"


def test_uneven_classes_weigh_alike_and_it_is_said(tmp_path: Path) -> None:
    found = train(sort_photos(tmp_path / "own", {"dots": 12, "waves": 3}), method="probe")
    assert any("dots has 10 photos, waves 2; in training all classes weigh alike" in note for note in found.notes)


def test_photos_can_have_several_classes(tmp_path: Path) -> None:
    sort_photos(tmp_path, {"dots": 6, "waves": 6, "checks": 6})
    forms = {"dots": "round", "waves": "edged", "checks": "edged"}
    rows = [f"{kind}/{number}.png,{kind}|{form}" for kind, form in forms.items() for number in range(6)]
    table = tmp_path / "labels.csv"
    table.write_text("path,label\n" + "\n".join(rows))
    for method in ("imprint", "probe"):
        found = train(table, multi_label=True, method=method)
        model = found.model
        assert model.taught is not None
        assert model.taught.provenance.multi_label
        scores = {one.name: one.score for one in model.classify(texture("dots", 31), top=5)}
        assert min(scores["dots"], scores["round"]) > max(scores["waves"], scores["checks"], scores["edged"])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"method": "guess"}, "method is 'guess'; it can be auto, imprint, probe, finetune"),
        ({"validate": 1.0}, "validate is 1.0; a share can be 0 up to less than 1"),
        ({"validate": "missing"}, "missing: there is no such folder or file"),
        ({"views": 9}, "views is 9; it can be 1 to 4"),
        ({"seed": -1}, "seed is -1; it can be a whole number, 0 or more"),
        ({"model": "NoSuchNet"}, "NoSuchNet"),
        ({"multi_label": True}, "give a CSV of path,label"),
    ],
    ids=["method", "share", "folder", "views", "seed", "model", "several labels of a folder"],
)
def test_wrong_arguments_are_refused_before_any_work(folder: Path, options: dict[str, object], message: str) -> None:
    with pytest.raises(hati.HatiError, match=message):
        train(folder, **options)  # type: ignore[arg-type]


def test_without_scikit_learn_and_pytorch_auto_imprints_and_says_so(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ladder, "has", lambda library: False)
    found = train(folder)
    assert list(found.tried) == ["imprint"]
    assert any("pip install" in note for note in found.notes)
    for method in ("probe", "finetune"):
        with pytest.raises(ArgumentError, match="pip install"):
            train(folder, method=method)


def test_a_run_that_was_interrupted_goes_on_from_what_it_had(tmp_path: Path) -> None:
    """One of its photos is a pipe: the run comes no farther before something is written there."""
    own = sort_photos(tmp_path / "own", {"dots": 30, "waves": 30})
    pipe, table = tmp_path / "pipe.png", tmp_path / "own.csv"
    os.mkfifo(pipe)
    rows = [f"{path},{path.parent.name}" for path in sorted(own.rglob("*.png"))]
    table.write_text("\n".join(["path,label", *rows, f"{pipe},waves"]))
    environment = os.environ | {"HATI_CACHE": str(tmp_path / "cache")}
    command = [sys.executable, "-m", "hati", "train", str(table), "--out", str(tmp_path / "own.safetensors")]
    command += ["--method", "imprint", "--validate", "0"]
    heard = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)  # which a shell lets its background jobs ignore
    process = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True, preexec_fn=heard)
    with written_to(pipe, process):
        while kept(tmp_path / "cache") < 56:  # in batches of eight: all but the one that the pipe is in
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
    _, told = process.communicate()
    assert process.returncode == 1
    assert "the same command goes on from there" in told
    assert not (tmp_path / "own.safetensors").exists()
    assert kept(tmp_path / "cache") < 61
    pipe.unlink()
    texture("waves", 30).save(pipe)
    subprocess.run(command, env=environment, check=True, capture_output=True)
    assert hati.load(tmp_path / "own.safetensors").labels is not None
    assert kept(tmp_path / "cache") == 61


def written_to(pipe: Path, process: subprocess.Popen[str]) -> BinaryIO:
    """A pipe's end, as soon as a process reads the other one."""
    while True:
        try:
            return os.fdopen(os.open(pipe, os.O_WRONLY | os.O_NONBLOCK), "wb")
        except OSError:
            assert process.poll() is None, process.communicate()
            time.sleep(0.02)


def kept(cache: Path) -> int:
    """How many vectors lie in a cache."""
    found = list((cache / "features").glob("*.sqlite"))
    if not found:
        return 0
    with suppress(sqlite3.Error), closing(sqlite3.connect(found[0])) as table:
        return int(table.execute("SELECT count(*) FROM vectors").fetchone()[0])
    return 0
