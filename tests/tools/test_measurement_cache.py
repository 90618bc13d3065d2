"""Figures that are kept: for one state, whole or not at all, and times while they may serve."""

from dataclasses import replace
from pathlib import Path

import pytest

from hati.tools.measurement_cache import MeasurementCache
from hati.tools.measuring import Spread, stamp

CACHE = MeasurementCache(("this machine", "1.0"))
TODAY = Spread(0.01, 0.0099, 0.0101, waited=0.04, taken=stamp())


@pytest.mark.usefixtures("empty_cache")
def test_what_is_kept_comes_back_in_the_same_state_alone() -> None:
    CACHE.keep("model.agreement", {"share": 0.5})
    CACHE.keep_time("model.latency", TODAY)
    assert CACHE.kept("model.agreement") == {"share": 0.5}
    assert CACHE.kept_time("model.latency") == TODAY
    assert CACHE.kept("another") is None
    assert MeasurementCache(("this machine", "1.1")).kept_time("model.latency") is None


@pytest.mark.usefixtures("empty_cache")
@pytest.mark.parametrize(
    "found",
    [
        replace(TODAY, taken="2000-01-01T00:00:00+00:00"),
        replace(TODAY, taken=None),
        replace(TODAY, waited=0.4),
        replace(TODAY, high=0.1),
    ],
    ids=["old", "of no date", "of a busy machine", "of one that was busy at times"],
)
def test_a_time_that_is_old_or_noisy_serves_no_more(found: Spread) -> None:
    CACHE.keep_time("model.latency", found)
    assert CACHE.kept_time("model.latency") is None


@pytest.mark.parametrize(
    "damage", ["", "{", "[]", "{}", "7", '{"median": null, "low": 1, "high": 1, "taken": "now"}', '{"seconds": 1}']
)
def test_a_damaged_time_is_none(empty_cache: Path, damage: str) -> None:
    CACHE.keep_time("model.latency", TODAY)
    [note] = empty_cache.rglob("*.json")
    note.write_text(damage)
    assert CACHE.kept_time("model.latency") is None


def test_a_disk_that_takes_nothing_costs_no_answer(empty_cache: Path) -> None:
    empty_cache.write_text("a file where the cache should be")
    CACHE.keep_time("model.latency", TODAY)
    assert CACHE.kept_time("model.latency") is None
