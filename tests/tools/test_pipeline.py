import threading
import time
from collections.abc import Iterator

import pytest

from hati.tools.pipeline import AHEAD, batches, in_order


def test_results_come_in_the_order_of_the_things_whatever_takes_longest() -> None:
    def work(number: int) -> int:
        time.sleep(0.01 * (number % 3))
        return number * number

    assert list(in_order(work, range(20), 4)) == [number * number for number in range(20)]


def test_several_threads_work_at_once() -> None:
    both = threading.Barrier(2, timeout=600)
    assert sorted(in_order(lambda _: both.wait(), range(2), 2)) == [0, 1]


@pytest.mark.parametrize("workers", [1, 3])
def test_only_a_few_things_are_taken_ahead(workers: int) -> None:
    taken = 0

    def things() -> Iterator[int]:
        nonlocal taken
        for number in range(1000):
            taken += 1
            yield number

    results = in_order(lambda number: number, things(), workers)
    next(results)
    assert taken <= (AHEAD + 1) * workers + 2


def test_what_goes_wrong_is_raised_in_its_turn_and_the_rest_is_dropped() -> None:
    done: list[int] = []

    def work(number: int) -> int:
        if number == 3:
            raise KeyError(number)
        done.append(number)
        return number

    results = in_order(work, range(1000), 2)
    assert [next(results) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(KeyError):
        next(results)
    assert len(done) < 20


def test_results_that_nobody_waits_for_are_not_made() -> None:
    done: list[int] = []
    results = in_order(done.append, range(1000), 2)
    next(results)
    results.close()  # type: ignore[attr-defined]
    assert len(done) < 20


@pytest.mark.parametrize(("count", "sizes"), [(0, []), (3, [3]), (8, [8]), (17, [8, 8, 1])])
def test_batches_hold_everything_once(count: int, sizes: list[int]) -> None:
    found = list(batches(range(count), 8))
    assert [len(batch) for batch in found] == sizes
    assert [thing for batch in found for thing in batch] == list(range(count))
