"""What an evaluation tells of scores, against scikit-learn; what `evaluate` makes of labelled photos."""

import json
import shutil
import sys
from dataclasses import replace
from html import unescape
from pathlib import Path

import numpy as np
import pytest
import tiny_body
from hypothesis import given, settings, strategies
from sklearn import metrics

import hati
from hati.errors import ArgumentError, ImageError, ImageNotFound
from hati.evaluating import Evaluation, evaluate, measured
from hati.evaluating.scores import average_precision, likely_mean_precision
from hati.labels import Label
from hati.model import Model
from hati.network.graph import Graph
from hati.network.layers import Dense
from hati.network.taught import Provenance
from hati.photos.sets import PhotoSet
from hati.tools.measuring import likely_share
from hati.transfer.heads import joined
from hati.weights import from_arrays

Array = np.ndarray


def a_set(targets: Array, *, multi_label: bool = False) -> PhotoSet:
    classes = tuple(f"class {number}" for number in range(targets.shape[1]))
    return PhotoSet(tuple(f"{row}.jpg" for row in range(len(targets))), classes, targets.astype(bool), multi_label)


def drawn(
    seed: int, photos: int = 60, classes: int = 4, *, several: bool = False, clear: float = 1.0
) -> tuple[PhotoSet, Array]:
    """Photos, and scores that know something of them."""
    generator = np.random.default_rng(seed)
    truth = generator.integers(0, classes, photos)
    targets = np.eye(classes, dtype=np.bool_)[truth]
    if several:
        targets |= generator.random((photos, classes)) < 0.3
    logits = generator.normal(size=(photos, classes)) + clear * targets
    scores = 1 / (1 + np.exp(-logits))
    return a_set(targets, multi_label=several), scores if several else scores / scores.sum(1, keepdims=True)


numbers = strategies.integers(0, 2**32)


@settings(max_examples=30)
@given(seed=numbers, photos=strategies.integers(1, 40), classes=strategies.integers(1, 6))
def test_the_figures_are_scikit_learns(seed: int, photos: int, classes: int) -> None:
    photo_set, scores = drawn(seed, photos, classes)
    truth, said = photo_set.numbers, scores.argmax(1)
    found = measured(photo_set, scores, (), "m")
    assert found.accuracy == pytest.approx(metrics.accuracy_score(truth, said))
    assert found.interval == likely_share(int((truth == said).sum()), photos)
    shown = np.union1d(truth, said)
    assert found.classes == tuple(f"class {number}" for number in shown)
    expected = metrics.precision_recall_fscore_support(truth, said, labels=shown, zero_division=0)
    own = [(one.precision, one.recall, one.f1, one.photos) for one in found.by_class]
    np.testing.assert_allclose(own, np.transpose(expected))
    assert found.confusion is not None
    whole = metrics.confusion_matrix(truth, said, labels=range(classes + 1))  # of one class alone it would warn
    np.testing.assert_array_equal(found.confusion, whole[np.ix_(shown, shown)])


@given(
    rows=strategies.lists(
        strategies.tuples(strategies.booleans(), strategies.integers(0, 4), strategies.integers(0, 3)), min_size=1
    )
)
def test_average_precision_is_scikit_learns_with_ties_and_photos_that_count_more_than_once(
    rows: list[tuple[bool, int, int]],
) -> None:
    truth, scores, times = map(np.array, zip(*rows, strict=True))
    [own] = average_precision(truth, scores, times[None])
    if (times * truth).any():
        assert own == pytest.approx(metrics.average_precision_score(truth, scores, sample_weight=times))
    else:
        assert np.isnan(own)


@settings(max_examples=30)
@given(seed=numbers, photos=strategies.integers(5, 40))
def test_photos_of_several_classes_are_judged_as_scikit_learn_does(seed: int, photos: int) -> None:
    photo_set, scores = drawn(seed, photos, several=True)
    found = measured(photo_set, scores, (), "m")
    present = photo_set.targets.any(0)
    expected = metrics.average_precision_score(photo_set.targets[:, present], scores[:, present], average="macro")
    assert found.accuracy == pytest.approx(expected)
    assert found.confusion is None
    shown = present | (scores >= 0.5).any(0)
    rows = metrics.precision_recall_fscore_support(
        photo_set.targets[:, shown], scores[:, shown] >= 0.5, zero_division=0
    )
    own = [(one.precision, one.recall, one.f1, one.photos) for one in found.by_class]
    np.testing.assert_allclose(own, np.transpose(rows))


def test_the_mean_average_precision_of_many_photos_lies_closer() -> None:
    def reach(photos: int) -> float:
        found = measured(*drawn(1, photos, several=True), (), "m")
        assert found.interval is not None
        low, high = found.interval
        assert low < found.accuracy < high
        return high - low

    assert reach(800) < 0.5 * reach(80)


@pytest.mark.parametrize(("photos", "classes"), [(19, 3), (5000, 1000)], ids=["too few to tell", "too many to wait"])
def test_an_interval_is_not_always_told(photos: int, classes: int) -> None:
    assert likely_mean_precision(np.ones((photos, classes), bool), np.zeros((photos, classes))) is None


@pytest.mark.parametrize("several", [False, True], ids=["one class", "several"])
def test_ten_mistakes_are_told_the_most_confident_first(several: bool) -> None:
    photo_set, scores = drawn(0, 200, several=several)
    found = measured(photo_set, scores, (), "m")
    assert len(found.wrong) == 10
    distances = []
    for one in found.wrong:
        row, column = int(one.photo.removesuffix(".jpg")), photo_set.classes.index(one.said)
        there = bool(photo_set.targets[row, column])
        assert (
            one.truth.split(", ") == [photo_set.classes[n] for n in np.flatnonzero(photo_set.targets[row])] or several
        )
        assert there != (one.score >= 0.5) if several else not there
        assert one.score == scores[row, column]
        distances.append(abs(one.score - there))
    assert distances == sorted(distances, reverse=True)
    wrong = (scores >= 0.5) != photo_set.targets if several else _said(scores) & ~photo_set.targets
    assert distances[0] == np.abs(scores - photo_set.targets)[wrong].max()


def _said(scores: Array) -> Array:
    return np.asarray(scores == scores.max(1, keepdims=True))


def test_no_mistakes_are_told_where_there_are_none() -> None:
    photo_set, _ = drawn(0)
    assert measured(photo_set, photo_set.targets.astype(float), (), "m").wrong == ()


@pytest.mark.parametrize(
    ("scores", "fault"),
    [
        (np.zeros((60, 3)), r"shape \(60, 3\) came, of \(60, 4\)"),
        (np.full((60, 4), np.nan), "60 photos are no numbers"),
    ],
    ids=["another shape", "no numbers"],
)
def test_scores_that_tell_nothing_are_refused(scores: Array, fault: str) -> None:
    with pytest.raises(ArgumentError, match=fault):
        measured(drawn(0)[0], scores, (), "m")


UNREADABLE = [ImageNotFound("gone.jpg: there is no such file"), ImageError("cut.jpg: the picture is damaged")]


def test_no_photo_left_is_an_error_that_tells_of_one() -> None:
    nothing = a_set(np.zeros((0, 2)))
    with pytest.raises(ArgumentError, match=r"none of the 2 can be read; of one of them: gone\.jpg"):
        measured(nothing, np.zeros((0, 2)), UNREADABLE, "m")


@pytest.mark.parametrize(
    ("several", "classes", "words"),
    [
        (False, 3, ["m: accuracy", "on 60 photos of 3 classes", "Taken for", "class 1 ", "Most confidently wrong"]),
        (False, 30, ["The 20 of ", "classes that do worst"]),
        (True, 3, ["m: mean average precision", "Average precision", "0.5 and more", "Farthest from the truth"]),
    ],
    ids=["few classes", "many", "several for a photo"],
)
def test_a_person_reads_a_report(several: bool, classes: int, words: list[str]) -> None:
    text = measured(*drawn(0, 60, classes, several=several), UNREADABLE, "m").text()
    for word in [*words, "2 photos could not be read", "gone.jpg: there is no such file"]:
        assert word in text
    assert len(text.splitlines()) < 50


def test_a_report_names_what_a_class_is_taken_for() -> None:
    truth, said = [0] * 6 + [1], [0, 1, 1, 1, 2, 2, 1]
    eye = np.eye(3, dtype=np.bool_)
    text = measured(a_set(eye[truth]), eye[said].astype(float), (), "m").text()
    assert "class 1 3×, class 2 2×" in text
    assert "7 photos of 2 classes" in text


@pytest.mark.parametrize("several", [False, True], ids=["one class", "several"])
def test_a_program_reads_json(several: bool) -> None:
    found = measured(*drawn(0, several=several), UNREADABLE, "m")
    told = json.loads(json.dumps(found.to_json(), allow_nan=False))
    assert told["mean_average_precision" if several else "accuracy"] == found.accuracy
    assert [one["name"] for one in told["by_class"]] == list(found.classes)
    assert told["confusion"] == (None if found.confusion is None else found.confusion.tolist())
    assert told["unreadable"][1] == "cut.jpg: the picture is damaged"
    assert len(told["wrong"]) == 10


MAGIC = {".png": b"\x89PNG", ".svg": b"<?xml", ".pdf": b"%PDF"}


@pytest.mark.parametrize("ending", MAGIC)
@pytest.mark.parametrize(
    ("several", "classes", "words"),
    [
        (False, 3, ["Accuracy", "class 2", "truth", "said"]),
        (False, 60, ["60 classes", "Most often mistaken"]),
        (True, 3, ["Mean average precision", "class 2", "average precision"]),
        (True, 60, ["of the 40 classes that do worst"]),
    ],
    ids=["few classes", "many", "several for a photo", "several of many"],
)
def test_a_picture_is_drawn(tmp_path: Path, ending: str, several: bool, classes: int, words: list[str]) -> None:
    pytest.importorskip("matplotlib", reason="pictures are drawn with matplotlib, the extra plots")
    path = tmp_path / f"classes{ending}"
    measured(*drawn(0, 600, classes, several=several), (), "m").draw(path)
    content = path.read_bytes()
    assert content.startswith(MAGIC[ending])
    if ending == ".svg":
        assert [word for word in words if word not in content.decode()] == []
    assert [one.name for one in tmp_path.iterdir()] == [path.name]


def test_what_was_said_beside_the_photos_classes_is_one_column(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="pictures are drawn with matplotlib, the extra plots")
    truth, said = np.zeros(30, int), np.arange(30)
    eye = np.eye(30, dtype=np.bool_)
    measured(a_set(eye[truth]), eye[said].astype(float), (), "m").draw(tmp_path / "one.svg")
    drawing = (tmp_path / "one.svg").read_text()
    assert "another class" in drawing
    assert ">29<" in drawing
    assert "class 7" not in drawing


def test_a_class_is_drawn_as_it_is_written(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="pictures are drawn with matplotlib, the extra plots")
    names = ("$5_{ to $10", "a_b", "5 % & <more>")
    found = replace(a_set(np.eye(3, dtype=np.bool_)), classes=names)
    measured(found, np.eye(3), (), "m").draw(tmp_path / "one.svg")
    drawing = unescape((tmp_path / "one.svg").read_text())
    assert [name for name in names if name not in drawing] == []


@pytest.mark.parametrize(
    ("path", "fault"),
    [("classes.gif", r"written as \.png, \.svg or \.pdf"), ("gone/classes.png", "there is no folder gone")],
)
def test_a_picture_that_cannot_be_drawn_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str, fault: str
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ArgumentError, match=fault):
        measured(*drawn(0), (), "m").draw(path)


def test_without_matplotlib_the_way_to_it_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)  # Python's own way to say that it is not installed
    with pytest.raises(ArgumentError, match=r'pip install "\.\[plots\]"'):
        measured(*drawn(0), (), "m").draw(tmp_path / "classes.png")


def small(*labels: Label) -> Model:
    """A network with random weights, and these classes."""
    body = tiny_body.body_of(tiny_body.few_layers())
    graph = Graph(Dense(len(labels), "softmax")(body.graph.output, name="own"), "small")
    kernel = np.random.default_rng(0).normal(size=(body.width, len(labels))).astype(np.float32)
    arrays = {**body.weights.arrays(), "own/kernel": kernel, "own/bias": np.zeros(len(labels), np.float32)}
    return Model(graph, from_arrays(arrays, graph), body.preprocessing, labels=labels, size=body.size)


CRANES = (
    Label("n02012849", "crane"),
    Label("n03126707", "crane"),
    Label("n02123159", "tiger_cat"),
    Label("Straße", "Straße"),
)


def in_folders(place: Path, cat: Path, *names: str) -> Path:
    for name in names:
        (place / name).mkdir(parents=True)
        shutil.copy(cat, place / name / "photo.png")
    return place


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("tiger_cat", "tiger_cat"),
        ("Tiger Cat", "tiger_cat"),
        ("n02123159", "tiger_cat"),
        ("N02123159", "tiger_cat"),
        ("n03126707", "crane (n03126707)"),
        ("STRASSE", "Straße"),
    ],
)
def test_a_class_is_found_by_its_name_or_its_synset(tmp_path: Path, cat: Path, name: str, meant: str) -> None:
    found = evaluate(small(*CRANES), in_folders(tmp_path / "own", cat, name))
    assert [one.name for one in found.by_class if one.photos] == [meant]


def test_a_name_as_it_is_written_comes_before_one_in_another_case(tmp_path: Path, cat: Path) -> None:
    found = evaluate(small(Label("Rose", "Rose"), Label("rose", "rose")), in_folders(tmp_path / "own", cat, "rose"))
    assert {one.name: one.photos for one in found.by_class}["rose"] == 1


def test_two_folders_can_be_one_class(tmp_path: Path, cat: Path) -> None:
    found = evaluate(small(*CRANES), in_folders(tmp_path / "own", cat, "tiger_cat", "n02123159"))
    assert [(one.name, one.photos) for one in found.by_class if one.photos] == [("tiger_cat", 2)]


@pytest.mark.parametrize(
    ("names", "fault"),
    [
        (("crane",), "own: crane can mean n02012849 and n03126707; name the class by one of these"),
        (
            ("tigercat", "zzz", "n02123159"),
            r"own: small does not know tigercat \(did you mean tiger_cat\?\), zzz; it knows crane, crane, tiger_cat",
        ),
        (("train", "val"), "parts of a set and no classes; give one of them"),
    ],
    ids=["a name of two classes", "unknown names", "parts of a set"],
)
def test_classes_that_the_model_does_not_have_are_one_error(
    tmp_path: Path, cat: Path, names: tuple[str, ...], fault: str
) -> None:
    with pytest.raises(ArgumentError, match=fault):
        evaluate(small(*CRANES), in_folders(tmp_path / "own", cat, *names))


def test_photos_that_cannot_be_read_are_told_of_and_the_others_judged(tmp_path: Path, cat: Path) -> None:
    folder = in_folders(tmp_path / "own", cat, "tiger_cat")
    (folder / "tiger_cat" / "cut.jpg").write_bytes(b"\xff\xd8\xff")
    found = evaluate(small(*CRANES), folder)
    assert found.photos == 1
    [fault] = found.unreadable
    assert "cut.jpg: " in str(fault)
    (folder / "tiger_cat" / "photo.png").unlink()
    with pytest.raises(ArgumentError, match=r"small cannot be judged .* none of the 1 can be read; .*cut\.jpg"):
        evaluate(small(*CRANES), folder)


def test_a_model_without_a_classifier_is_refused(tmp_path: Path) -> None:
    body = tiny_body.body_of(tiny_body.few_layers())
    model = Model(body.graph, body.weights, body.preprocessing, labels=None, size=body.size)
    with pytest.raises(ArgumentError, match="few has no classifier to judge"):
        evaluate(model, tmp_path)


def taught(folder: Path, *, multi_label: bool) -> Model:
    school = tiny_body.school(folder, multi_label=multi_label)
    provenance = Provenance("few", school.body.checksum, "imprint", (), (), multi_label, None, ())
    return joined(school.body, school.head, school.train.classes, provenance)


@pytest.mark.parametrize("multi_label", [False, True], ids=["one class", "several"])
def test_how_a_model_was_taught_says_how_it_is_judged(tmp_path: Path, multi_label: bool) -> None:
    model = taught(tmp_path / "photos", multi_label=multi_label)
    photo_set = tiny_body.photos(tmp_path / "photos" / "validation", 4, multi_label)
    rows = [
        f"{Path(str(photo)).name},{'|'.join(np.array(photo_set.classes)[own])}"
        for photo, own in zip(photo_set.photos, photo_set.targets, strict=True)
    ]
    table = tmp_path / "photos" / "validation" / "labels.csv"
    table.write_text("\n".join(["path,label", *rows]))
    found = evaluate(model, table)
    assert found.multi_label == multi_label
    assert found.accuracy > 0.5
    scores = np.stack([y for _, y in model.scores(photo_set.photos) if isinstance(y, np.ndarray)])
    assert found.to_json() == measured(photo_set, scores, (), model.name).to_json()


def test_a_saved_model_is_judged_by_its_path(tmp_path: Path, cat: Path) -> None:
    model = small(*CRANES)
    model.save(tmp_path / "own.safetensors")
    folder = in_folders(tmp_path / "own", cat, "tiger_cat")
    assert evaluate(tmp_path / "own.safetensors", folder).to_json() == evaluate(model, folder).to_json()


def test_the_default_model_knows_bees(shared: Path, tmp_path: Path) -> None:
    folder = tmp_path / "bee"
    folder.mkdir()
    photos = sorted((shared / "hymenoptera" / "val" / "bees").glob("*.jpg"))[:24]
    for photo in photos:
        (folder / photo.name).symlink_to(photo)
    found = hati.evaluate("EfficientNetLite0", tmp_path)
    assert isinstance(found, Evaluation)
    named = [one[0].name == "bee" for one in hati.load().classify(photos, top=1)]
    assert found.accuracy == np.mean(named) > 0.6
