from pathlib import Path

import numpy as np
import pytest
from side_by_side.asking import PeerError
from transfer import beside_keras, curve, goals, measuring, report
from transfer.measuring import Figures, Job, Results
from transfer.plan import FULL, METHODS, QUICK, Effort, Photos
from transfer.running import Run
from transfer.seeing import drawn

from hati.errors import ArgumentError

EPOCHS = [[5.0, 0.6], [6.0, 0.9], [7.0, 0.8], [8.0, 0.9]]


@pytest.mark.parametrize(
    ("accuracy", "seconds"),
    [
        pytest.param(0.5, 5.0, id="at once"),
        pytest.param(0.9, 6.0, id="the first of two"),
        pytest.param(0.95, None, id="never"),
    ],
)
def test_when_a_training_first_reached_an_accuracy(accuracy: float, seconds: float | None) -> None:
    assert beside_keras.first_reached(EPOCHS, accuracy) == seconds


def test_the_best_epoch_is_the_first_of_the_best() -> None:
    assert beside_keras.best_epoch(EPOCHS) == (6.0, 0.9)


@pytest.mark.parametrize("draw", range(3))
def test_a_longer_draw_begins_with_the_shorter_one(draw: int) -> None:
    numbers = np.repeat([0, 1, 2], 7)
    few, many = drawn(numbers, 2, draw), drawn(numbers, 5, draw)
    assert np.bincount(numbers[few]).tolist() == [2, 2, 2]
    assert np.bincount(numbers[many]).tolist() == [5, 5, 5]
    assert set(few) < set(many)
    assert len(set(many)) == 15


def test_draws_differ() -> None:
    numbers = np.repeat([0, 1], 30)
    assert not np.array_equal(drawn(numbers, 10, 0), drawn(numbers, 10, 1))


@pytest.mark.parametrize("effort", [FULL, QUICK])
def test_every_point_of_the_curve_has_as_many_draws(effort: Effort, tmp_path: Path) -> None:
    points = [job.name.split("/")[1:3] for job in curve.jobs(Run(Photos(tmp_path), tmp_path, effort))]
    expected = [[method, str(count)] for method in METHODS for count in effort.counts]
    assert sorted(points) == sorted(effort.draws * expected)


def test_a_run_goes_on_where_it_was_killed(tmp_path: Path) -> None:
    path, done = tmp_path / "results.json", []

    def job(name: str, failing: bool = False) -> Job:
        def measure() -> Figures:
            done.append(name)
            if failing:
                raise PeerError("it was ill")
            return {"seconds": 1.0}

        return Job(name, measure)

    measuring.carry_out([job("a/1"), job("a/2", failing=True)], Results(path))
    again = measuring.read(path)
    assert again.failures() == {"a/2": "it was ill"}
    assert again.column("a", "seconds") == [1.0]
    measuring.carry_out([job("a/1"), job("a/2"), job("a/3")], again)
    assert done == ["a/1", "a/2", "a/2", "a/3"]
    assert measuring.read(path).column("a", "seconds") == [1.0, 1.0, 1.0]
    again.forget(["a/2", "b/1"])
    measuring.carry_out([job("a/1"), job("a/2")], again)
    assert done[4:] == ["a/2"], "what is forgotten is measured again"


@pytest.mark.parametrize("content", ["", "[]", '{"about": {}}', '{"about": {}, "figures": 3}'])
def test_a_file_of_another_kind_is_told_of(content: str, tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    path.write_text(content)
    with pytest.raises(ArgumentError, match=r"holds no results of benchmarks/run_transfer .*; remove it"):
        measuring.read(path)


GOAL = goals.Goal("sentence", "commands/set/probe", 0.9, 30)


@pytest.mark.parametrize(
    ("accuracies", "seconds", "word"),
    [
        pytest.param((0.9, 0.9), (29, 30), "yes", id="both reached"),
        pytest.param((0.88, 0.92), (1, 1), "yes", id="the mean counts"),
        pytest.param((0.88, 0.90), (1, 1), "no", id="too inaccurate"),
        pytest.param((1.0, 1.0), (1, 31), "no", id="the slowest run counts"),
        pytest.param((), (), "not measured", id="nothing"),
    ],
)
def test_a_miss_is_told_as_a_miss(accuracies: tuple[float, ...], seconds: tuple[float, ...], word: str) -> None:
    pairs = enumerate(zip(accuracies, seconds, strict=True))
    found = Results(figures={f"{GOAL.group}/{i}": {"accuracy": a, "seconds": s} for i, (a, s) in pairs})
    assert goals.of_goal(GOAL, found).word == word


def beside(**own: tuple[float, float]) -> Results:
    """Seconds and accuracies of hati's methods beside one run of Keras', which took 9 s in all."""
    figures = {f"keras/flowers/hati, {name}/0": {"seconds": s, "accuracy": a} for name, (s, a) in own.items()}
    keras = {"seconds": 9.0, "accuracy": 0.9, "epochs": EPOCHS}
    return Results(figures=figures | {"keras/flowers/Keras on PyTorch/0": keras})


@pytest.mark.parametrize(
    ("own", "measured", "reached"),
    [
        pytest.param({"probe": (0.6, 0.9)}, "probe: 15.0× to its end, 10.0× to as accurate", True, id="as accurate"),
        pytest.param({"probe": (0.7, 0.9)}, "probe: 12.9× to its end, 8.6× to as accurate", False, id="too slow"),
        pytest.param({"probe": (0.9, 0.95)}, "probe: 10.0× to its end, 10.0× to as", True, id="Keras never gets there"),
        pytest.param({"probe": (0.1, 0.5)}, "none of 1 ways has 0.9000", False, id="quick but wrong"),
        pytest.param({"imprint": (0.1, 0.8), "probe": (0.5, 0.9)}, "probe: 18.0×", True, id="the quickest is wrong"),
        pytest.param({"imprint": (0.3, 0.9), "probe": (0.5, 0.95)}, "imprint: 30.0×", True, id="the quickest will do"),
        pytest.param({}, "–", None, id="nothing of hati's"),
    ],
)
def test_keras_is_measured_to_the_same_accuracy(
    own: dict[str, tuple[float, float]], measured: str, reached: bool | None
) -> None:
    verdict = goals.of_keras("flowers", beside(**own))
    assert verdict.measured.startswith(measured)
    assert verdict.reached is reached


@pytest.mark.parametrize("right", range(0, 154, 17))
def test_as_many_photos_are_as_accurate_however_the_share_is_rounded(right: int) -> None:
    ours, theirs = right / 153, float(np.float32(right) / np.float32(153))
    assert beside_keras.as_accurate(ours, theirs)
    assert beside_keras.as_accurate(theirs, ours)
    assert not beside_keras.as_accurate((right - 1) / 153, theirs)
    assert beside_keras.first_reached([[1.0, theirs]], ours) == 1.0


def test_the_tables_tell_what_was_measured_and_what_failed() -> None:
    found = beside(probe=(0.7, 0.95), auto=(0.8, 0.9))
    found.figures |= {
        "curve/probe/5/0": {"accuracy": 0.7, "seconds": 1.0},
        "curve/probe/5/1": {"accuracy": 0.8, "seconds": 1.0},
        "teach/imprint/1/0": {"accuracy": 0.6, "recall": 0.5},
        "commands/flowers/auto/0": {"failed": "it was ill"},
    }
    told = report.text(found)
    for part in (
        "0.750  0.725 – 0.775   2",
        "imprint, from 1 photo",
        "never",
        "7.5×, in 1 of 1 runs",
        "to its best epoch",
    ):
        assert part in told
    assert "* commands/flowers/auto/0 failed: it was ill" in told
    assert "`hati train`, a new process" not in told, "nothing of it was measured"
