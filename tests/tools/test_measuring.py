import time
from itertools import groupby

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


def test_works_take_turns_after_two_calls_that_do_not_count() -> None:
    calls: list[str] = []
    side_by_side({"a": lambda: calls.append("a"), "b": lambda: calls.append("b")}, seconds=0.003, rounds=3)
    assert calls[:4] == ["a", "a", "b", "b"]
    assert [name for name, _ in groupby(calls[4:])] == 3 * ["a", "b"]


def test_the_slower_work_takes_longer() -> None:
    works = {"short": lambda: time.sleep(0.001), "long": lambda: time.sleep(0.01)}
    found = side_by_side(works, seconds=0.1, rounds=2)
    assert 0.001 < found["short"].low <= found["short"].median <= found["short"].high
    assert found["short"].median < found["long"].median


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
