"""Choosing a model: the front by its definition, figures that are kept, photos and labels of any kind."""

import json
import shutil
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hati import catalog
from hati.choosing import Accuracy, Bounds, Candidate, benchmark, choose
from hati.choosing.benchmark import MEGABYTES_TOGETHER, TOGETHER, Benchmark, groups
from hati.choosing.candidates import best, dominates, failing, front, nearest, worth_measuring
from hati.choosing.own_photos import ENOUGH, opened
from hati.errors import ArgumentError
from hati.tools.measuring import Spread, Z

DEFAULT = "EfficientNetLite0"  # the one model with 75 % in 20 MB; its weights are here
TINY = {"MobileNet_0.25_192", "MobileNet_0.25_160", "MobileNet_0.25_128"}  # those of 2 MB or less; random weights
EGYPTIAN_CAT, ESPRESSO = 285, 967


@pytest.fixture(autouse=True)
def quick(quiet: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Figures need not be good ones here."""
    monkeypatch.setattr(benchmark, "QUICK", 0.03)
    monkeypatch.setattr(benchmark, "THOROUGH", 0.05)


def model(name: str = "model", accuracy: float | None = 75, ms: float | None = 10, megabytes: float = 20) -> Candidate:
    latency = None if ms is None else Spread(ms / 1000, ms / 1000, ms / 1000)
    return Candidate(name, megabytes, accuracy, random_weights=True, latency=latency)


def on_photos(candidate: Candidate, percent: int) -> Candidate:
    return replace(candidate, random_weights=False, on_photos=Accuracy(percent, 100))


few = st.integers(1, 4)
candidates = st.builds(model, st.text(max_size=2), st.none() | few, few, few)
fields = st.lists(candidates | st.builds(on_photos, candidates, few), max_size=12)


@given(fields)
def test_no_member_of_the_front_is_dominated_and_every_other_one_is_by_a_member(field: list[Candidate]) -> None:
    members = front(field)
    assert not any(dominates(one, other) for one in members for other in members)
    assert all(one in members or any(dominates(member, one) for member in members) for one in field)
    assert members == sorted(members, key=lambda one: one.seconds)


@given(fields)
def test_the_best_is_within_the_bounds_and_no_more_accurate_one_of_its_scale_is(field: list[Candidate]) -> None:
    bounds = Bounds(top1=2, latency=0.003, megabytes=3)
    pick = best(field, bounds)
    able = [one for one in field if not bounds.missed_by(one)]
    assert (pick is None) == (not able)
    if pick:
        rivals = [one for one in able if bool(one.on_photos) == bool(pick.on_photos)]
        assert pick in able
        assert not any((one.accuracy or 0, -one.seconds) > (pick.accuracy or 0, -pick.seconds) for one in rivals)


def test_an_accuracy_on_photos_is_never_held_against_a_published_one() -> None:
    published, measured = model(accuracy=70), on_photos(model(accuracy=70, ms=9), 90)
    assert not dominates(measured, published)
    assert best([published, on_photos(published, 60)], Bounds()) == on_photos(published, 60)


FIELD = [model("fast", 60, 1, 5), model("right", 80, 100, 90), model("both", 75, 20, 21), model("far", 82, None, 300)]


@pytest.mark.parametrize(
    ("bounds", "missed"),
    [
        (Bounds(top1=90), ("top-1",)),
        (Bounds(top1=90, megabytes=30), ("top-1",)),
        (Bounds(top1=76, megabytes=30), ("top-1", "size")),
        (Bounds(megabytes=1, latency=1), ("size",)),
        (Bounds(top1=70, latency=0.002, megabytes=30), ("top-1", "latency", "size")),  # "far" may be fast
        (Bounds(top1=70, latency=0.002, megabytes=200), ("top-1", "latency", "size")),
    ],
)
def test_the_fewest_bounds_that_nothing_meets_are_told(bounds: Bounds, missed: tuple[str, ...]) -> None:
    assert best(FIELD, bounds) is None
    assert failing(FIELD, bounds) == missed


@pytest.mark.parametrize(
    ("bounds", "names"),
    [
        (Bounds(), ["fast", "right", "both", "far"]),
        (Bounds(top1=75), ["right", "both", "far"]),
        (Bounds(latency=1e-6), ["fast", "right", "both", "far"]),
        (Bounds(megabytes=30), ["fast", "both"]),
        (Bounds(top1=76, megabytes=30), ["both", "fast", "right"]),  # none can: the nearest
    ],
)
def test_only_what_may_meet_the_bounds_is_measured(bounds: Bounds, names: list[str]) -> None:
    assert [one.name for one in worth_measuring(FIELD, bounds, labelled=False)] == names


def test_a_published_accuracy_rules_nothing_out_where_labelled_photos_can_tell() -> None:
    here = replace(model("here", 50), random_weights=False)
    worth = [worth_measuring([here, model("best", 90)], Bounds(top1=80), labelled=given) for given in (True, False)]
    assert [[one.name for one in some] for some in worth] == [["here", "best"], ["best"]]


def test_the_nearest_come_first() -> None:
    assert [one.name for one in nearest(FIELD, Bounds(top1=76, megabytes=20))][:1] == ["both"]


@pytest.mark.parametrize(
    ("bounds", "said"),
    [
        ({"top1": 0.75}, r"top-1 is 0.75 %; a percentage from 1 to 100 was expected, such as 75"),
        ({"top1": 101}, "top-1 is 101 %"),
        ({"latency": 0}, "latency is 0; more than 0 was expected"),
        ({"megabytes": -1}, "size is -1; more than 0"),
        ({"megabytes": float("nan")}, "size is nan; more than 0"),
    ],
)
def test_a_bound_that_means_nothing_is_refused(bounds: dict[str, float], said: str) -> None:
    with pytest.raises(ArgumentError, match=said):
        choose(**bounds)  # type: ignore[arg-type]


@given(st.lists(st.floats(1, 600), max_size=20))
def test_groups_are_few_and_small_and_leave_nobody_out(sizes: list[float]) -> None:
    field = [model(str(number), ms=number + 1, megabytes=size) for number, size in enumerate(sizes)]
    together = list(groups(field))
    assert [one for group in together for one in group] == field
    assert all(0 < len(group) <= TOGETHER for group in together)
    assert all(len(group) == 1 or sum(one.megabytes for one in group) <= MEGABYTES_TOGETHER for group in together)


@given(st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_the_interval_ends_where_a_true_share_would_be_so_far_off(counts: tuple[int, int]) -> None:
    accuracy = Accuracy(*counts)
    share = accuracy.percent / 100
    for end in (bound / 100 for bound in accuracy.interval):
        assert abs(share - end) == pytest.approx(Z * (end * (1 - end) / counts[1]) ** 0.5, abs=1e-7)


@pytest.fixture
def folder_of_photos(cat: Path, tmp_path: Path) -> Path:
    """Two photos that the default model names rightly, and a page of text that is none; their labels."""
    folder = tmp_path / "folder_of_photos"
    folder.mkdir()
    shutil.copy(cat, folder / "cat.png")
    shutil.copy(cat.with_name("coffee.png"), folder / "coffee.png")
    (folder / "page.png").write_text("<html>")
    label(folder, f"cat.png,{EGYPTIAN_CAT}", f"coffee.png,{ESPRESSO}", "page.png,0")
    return folder


def label(folder: Path, *rows: str, header: str = "file,index") -> None:
    (folder / "labels.csv").write_text("\n".join([header, *rows]))


def test_the_sample_is_from_all_over_the_folder_and_can_be_read(cat: Path, tmp_path: Path) -> None:
    for number in range(40):
        shutil.copy(cat, tmp_path / f"{number:02}.png")
    (tmp_path / "00.png").write_text("")
    found = opened(tmp_path)
    assert (len(found.photos), len(found.sample), found.classes) == (40, ENOUGH, None)
    assert Path(found.sample[-1]).stem > "30"
    assert len(found.unreadable) == 1


def test_another_photo_or_label_is_another_fingerprint(folder_of_photos: Path) -> None:
    before = opened(folder_of_photos).fingerprint
    assert opened(folder_of_photos).fingerprint == before
    label(folder_of_photos, f"cat.png,{ESPRESSO}")
    relabelled = opened(folder_of_photos).fingerprint
    shutil.copy(folder_of_photos / "coffee.png", folder_of_photos / "cat.png")
    assert len({before, relabelled, opened(folder_of_photos).fingerprint}) == 3


@pytest.mark.parametrize(
    ("rows", "header", "said"),
    [
        ((), "file,index", "labels.csv: it names no photo"),
        (("cat.png,1",), "photo,index", "labels.csv, line 2: it has no file"),
        (("cat.png,1",), "file,class", "labels.csv, line 2: it has no index"),
        (("cat.png,1", "cat.png"), "file,index", "labels.csv, line 3: it has no index"),
        (("cat.png,tabby",), "file,index", "line 2: index is 'tabby'; the number of an ImageNet class was expected"),
        (("cat.png,1000",), "file,index", "index is '1000'"),
        (("cat.png,-1",), "file,index", "index is '-1'"),
        (("gone.png,1",), "file,index", "none of its 1 photos can be read; of one of them: .*gone.png"),
    ],
)
def test_labels_that_are_not_understood_are_told_with_their_line(
    folder_of_photos: Path, rows: tuple[str, ...], header: str, said: str
) -> None:
    label(folder_of_photos, *rows, header=header)
    with pytest.raises(ArgumentError, match=said):
        choose(photos=folder_of_photos)


def test_labels_that_are_no_text_are_refused(folder_of_photos: Path) -> None:
    (folder_of_photos / "labels.csv").write_bytes(b"file,index\n\xff\xfe,1\n")
    with pytest.raises(ArgumentError, match=r"labels.csv: it cannot be read .*a CSV file in UTF-8 was expected"):
        opened(folder_of_photos)


@pytest.mark.parametrize(("place", "said"), [("", "no photo in this folder"), ("gone", "there is no such folder")])
def test_a_folder_without_photos_is_refused(tmp_path: Path, place: str, said: str) -> None:
    with pytest.raises(ArgumentError, match=said):
        choose(photos=tmp_path / place)


def test_the_default_model_is_measured_on_labelled_photos(folder_of_photos: Path) -> None:
    choice = choose(top1=75, megabytes=20, photos=folder_of_photos)
    assert choice.pick is not None
    assert (choice.pick.name, choice.pick.on_photos) == (DEFAULT, Accuracy(right=2, photos=2, left_out=1))
    assert choice.reason.startswith(f"{DEFAULT} is the only model within the bounds: top-1 100.0 % on 2 photos, ")
    assert choice.notes[0].startswith("1 of 3 photos could not be read and were left out; one of them: ")


def test_what_was_measured_on_photos_counts_and_not_what_was_published(folder_of_photos: Path) -> None:
    label(folder_of_photos, f"cat.png,{ESPRESSO}", f"coffee.png,{ESPRESSO}")
    choice = choose(top1=75, megabytes=20, photos=folder_of_photos)
    assert choice.pick is None
    assert choice.nearest[0].name == DEFAULT
    assert (
        choice.reason == f"nothing meets top-1 ≥ 75 % and size ≤ 20 MB together; the nearest: {DEFAULT} (top-1 50.0 %)"
    )


def test_photos_without_labels_serve_to_take_times(folder_of_photos: Path) -> None:
    (folder_of_photos / "labels.csv").unlink()
    choice = choose(top1=75, megabytes=20, photos=folder_of_photos)
    assert choice.pick is not None
    assert choice.pick.on_photos is None
    assert choice.pick.seconds > 0


def test_models_without_weights_here_are_timed_with_random_ones(own_cache: Path) -> None:
    choice = choose(megabytes=2)
    measured = {one.name: one for one in choice.candidates if one.latency}
    assert measured.keys() == TINY
    assert all(one.random_weights and one.latency and one.latency.low <= one.seconds for one in measured.values())
    assert all(one.compared for one in choice.front)
    assert choice.pick is not None
    assert choice.pick.name == "MobileNet_0.25_192"
    assert choice.reason.startswith(
        "MobileNet_0.25_192 is the most accurate of 3 models within the bounds: top-1 47.7 %"
    )


def test_a_figure_is_taken_once_and_again_where_that_is_asked_for(own_cache: Path) -> None:
    first, second = choose(megabytes=2), choose(megabytes=2)
    assert second.candidates == first.candidates
    assert choose(megabytes=2, fresh=True).candidates != first.candidates


def test_another_latency_is_asked_of_the_same_figures() -> None:
    slow = max(choose(megabytes=2).front, key=lambda one: one.seconds)
    choice = choose(megabytes=2, latency=slow.seconds * 0.999)
    assert slow not in (choice.pick, *choice.nearest)
    refused = choose(megabytes=2, latency=1e-7)
    assert refused.pick is None
    assert refused.reason.startswith("nothing meets latency ≤ 0.0001 ms and size ≤ 2 MB together; the nearest: Mobile")


KILLED = """
import os
from hati.choosing import choose
from hati.tools.measurement_cache import MeasurementCache

keep = MeasurementCache.keep
MeasurementCache.keep = lambda *words: (keep(*words), os._exit(9))
choose(megabytes=2)
"""  # by itself, as soon as its first figure is kept


def figures(cache: Path) -> dict[str, Spread]:
    kept = cache.glob("measured/*/*.random.alone.json")
    return {path.name.removesuffix(".random.alone.json"): Spread(**json.loads(path.read_bytes())) for path in kept}


def test_a_run_that_was_killed_goes_on_where_it_was(empty_cache: Path) -> None:
    assert subprocess.run([sys.executable, "-c", KILLED]).returncode == 9
    kept = figures(empty_cache)
    assert len(kept) == 1
    assert {name: Benchmark().measure(model(name)).latency for name in kept} == kept
    assert {one.name for one in choose(megabytes=2).candidates if one.latency} == TINY


@pytest.mark.parametrize("damage", ["", "{", "[]", "{}", '{"median": null, "low": 1, "high": 1, "taken": "today"}'])
def test_a_damaged_figure_is_taken_again(empty_cache: Path, folder_of_photos: Path, damage: str) -> None:
    choose(top1=75, megabytes=20, photos=folder_of_photos)
    notes = [*empty_cache.glob(f"measured/*/{DEFAULT}.*.json")]
    assert len(notes) == 3, "an accuracy, and latencies alone and compared"
    for note in notes:
        note.write_text(damage)
    choice = choose(top1=75, megabytes=20, photos=folder_of_photos)
    assert choice.pick is not None
    assert choice.pick.seconds > 0
    assert choice.pick.on_photos == Accuracy(right=2, photos=2, left_out=1)


OLD = Spread(0.001, 0.001, 0.001, taken="2000-01-01T00:00:00+00:00")


@pytest.mark.parametrize("compared", [True, False])
def test_of_two_latencies_that_were_kept_the_later_one_serves(empty_cache: Path, compared: bool) -> None:
    early, late = (replace(OLD, taken=f"{datetime.now(UTC).date()}T{hour}+00:00") for hour in ("00:00:00", "00:00:01"))
    kept = Benchmark()._cache
    kept.keep_time("MobileNet_0.25_128.random.compared", late if compared else early)
    kept.keep_time("MobileNet_0.25_128.random.alone", early if compared else late)
    found = Benchmark().measure(model("MobileNet_0.25_128", ms=None))
    assert (found.latency, found.compared) == (late, compared)


def test_an_accuracy_is_kept_where_a_latency_is_taken_again(empty_cache: Path, folder_of_photos: Path) -> None:
    own = opened(folder_of_photos)
    candidate = replace(model(DEFAULT), random_weights=False, latency=None)
    kept = Benchmark(own)._cache
    kept.keep(f"{DEFAULT}.accuracy", {"right": 1, "photos": 2, "left_out": 1})
    kept.keep_time(f"{DEFAULT}.own.alone", OLD)
    found = Benchmark(own).measure(candidate)
    assert found.on_photos == Accuracy(1, 2, 1)
    assert found.latency != OLD
    assert Benchmark(own, fresh=True).measure(candidate).on_photos == Accuracy(2, 2, 1)


def test_a_disk_that_takes_nothing_costs_no_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("HATI_CACHE", str(tmp_path / "file"))
    assert choose(top1=75, megabytes=20).pick is not None


def test_weights_that_are_damaged_are_told_of_and_random_ones_serve(empty_cache: Path) -> None:
    file = catalog.find("MobileNet_0.25_128").top_file
    (empty_cache / "weights").mkdir(parents=True)
    (empty_cache / "weights" / file.name).write_text("no weights")
    choice = choose(megabytes=2)
    (damaged,) = (one for one in choice.candidates if one.fault)
    assert (damaged.name, damaged.random_weights) == ("MobileNet_0.25_128", True)
    assert damaged.seconds > 0
    assert choice.notes[0].startswith("MobileNet_0.25_128: random weights served, for its own could not: ")


def test_a_model_of_unknown_accuracy_meets_no_bound_on_it(monkeypatch: pytest.MonkeyPatch) -> None:
    unknown = replace(catalog.find("MobileNet_0.25_192"), top1=None)
    monkeypatch.setitem(catalog.entries(), unknown.name, unknown)
    choice, strict = choose(megabytes=2), choose(top1=41, megabytes=2)
    assert choice.notes == (f"{unknown.name}: no accuracy is published",)
    for found in (choice, strict):
        assert found.pick is not None
        assert found.pick.name == "MobileNet_0.25_160"
    assert unknown.name not in {one.name for one in strict.candidates if one.latency}
