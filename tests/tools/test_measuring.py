import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import cycle, groupby

import pytest

from hati.tools.measuring import Spread, Z, likely_share, side_by_side


@pytest.mark.parametrize(
    ("seconds", "spread"),
    [
        ([2.0], Spread(2, 2, 2)),
        ([1.0, 3.0], Spread(2, 1.5, 2.5)),
        ([5.0, 1.0, 3.0, 2.0, 4.0], Spread(3, 2, 4)),
    ],
)
def test_a_spread_is_the_median_between_its_quartiles(seconds: list[float], spread: Spread) -> None:
    assert Spread.of(seconds) == spread


STEADY = Spread(0.01, 0.0099, 0.0101, waited=0.04, taken="2026-03-01T12:00:00+00:00")


@pytest.mark.parametrize(
    ("spread", "noisy"),
    [
        (STEADY, False),
        (replace(STEADY, waited=0.11), False),  # the most that was seen with the cores to itself
        (replace(STEADY, low=0.009, high=0.0121), False),
        (replace(STEADY, waited=0.24), True),  # the least that was seen beside one other busy process
        (replace(STEADY, low=0.008, high=0.014), True),
    ],
)
def test_a_figure_is_noisy_where_others_had_the_core_or_calls_differ_much(spread: Spread, noisy: bool) -> None:
    assert spread.noisy == noisy
    assert ("noisy" in repr(spread)) == noisy


@pytest.mark.parametrize(
    ("spread", "days", "serves"),
    [
        (STEADY, 0, True),
        (STEADY, 29, True),
        (STEADY, 30, False),
        (replace(STEADY, waited=0.5), 0, False),
        (replace(STEADY, taken=None), 0, False),
    ],
)
def test_a_figure_serves_while_it_is_young_and_not_noisy(spread: Spread, days: int, serves: bool) -> None:
    assert spread.serves(datetime(2026, 3, 1, 12, tzinfo=UTC) + timedelta(days)) == serves


@pytest.mark.parametrize(
    ("asked", "age"),
    [
        ("2026-03-01T11:59:00+00:00", ""),  # it was taken after that
        ("2026-03-01T12:00:00+00:00", ""),
        ("2026-03-01T12:01:59+00:00", "1 min"),
        ("2026-03-01T13:59:00+00:00", "119 min"),
        ("2026-03-01T14:00:00+00:00", "2 h"),
        ("2026-03-03T11:00:00+00:00", "47 h"),
        ("2026-03-20T13:00:00+00:00", "19 days"),
    ],
)
def test_an_age_is_told_in_words(asked: str, age: str) -> None:
    assert STEADY.age(asked) == age
    assert replace(STEADY, taken=None).age(asked) == ""


def test_a_spread_is_one_short_line() -> None:
    assert repr(STEADY) == "<Spread 10.000 (9.900–10.100) ms>"
    assert STEADY.milliseconds(1) == "10.0 (9.9–10.1)"


def test_a_work_that_does_not_compute_is_said_to_wait() -> None:
    before = datetime.now(UTC).replace(microsecond=0)
    found = side_by_side({"asleep": lambda: time.sleep(0.01)}, seconds=0.05, rounds=2)["asleep"]
    assert 0.9 < found.waited <= 1
    assert found.taken is not None
    assert before <= datetime.fromisoformat(found.taken) <= datetime.now(UTC)


def test_works_take_turns_after_two_calls_that_do_not_count() -> None:
    calls: list[str] = []
    side_by_side({"a": lambda: calls.append("a"), "b": lambda: calls.append("b")}, seconds=0.003, rounds=3)
    assert calls[:4] == ["a", "a", "b", "b"]
    assert [name for name, _ in groupby(calls[4:])] == 3 * ["a", "b"]


class Clock:
    """Goes on by as much as the works say, whatever else the machine does."""

    now = 0.0

    def __call__(self) -> float:
        return self.now

    def go_on(self, seconds: float) -> None:
        self.now += seconds


def test_the_slower_work_takes_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, uneven = Clock(), cycle((1.0, 2.0, 3.0))
    monkeypatch.setattr(time, "perf_counter", clock)
    works = {"short": lambda: clock.go_on(next(uneven)), "long": lambda: clock.go_on(10)}
    found = side_by_side(works, seconds=120, rounds=2)
    spreads = {name: (one.low, one.median, one.high) for name, one in found.items()}
    assert spreads == {"short": (1, 2, 3), "long": (10, 10, 10)}


def test_a_work_longer_than_its_share_is_still_measured_once_a_round() -> None:
    calls: list[float] = []
    side_by_side({"only": lambda: calls.append(time.sleep(0.01) or 0.0)}, seconds=0.001, rounds=2)  # type: ignore[func-returns-value]
    assert len(calls) == 2 + 2


@pytest.mark.parametrize(("hits", "total"), [(0, 10), (10, 10), (98, 100), (272, 272)])
def test_the_interval_is_wilsons(hits: int, total: int) -> None:
    """Its ends are the shares from which the found one is as far as 95 % allow."""
    low, high = likely_share(hits, total)
    share = hits / total
    assert low <= share + 1e-12
    assert share <= high + 1e-12
    for end in (low, high):
        if 1e-9 < end < 1 - 1e-9:
            assert abs(share - end) == pytest.approx(Z * (end * (1 - end) / total) ** 0.5, rel=1e-6)
