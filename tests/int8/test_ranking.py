"""Which layers hurt: ranked by what each alone changes, and the fewest that have to stay in float."""

from collections.abc import Sequence

import numpy as np
import pytest

from hati.int8.ranking import RANKING, STEPS, Kept, Ranking

PHOTOS = 40


def network(changes: Sequence[float]) -> tuple[Ranking, list[tuple[Kept, int]]]:
    """A ranking of layers of which each in int8 moves the second score by so much, and what it asked for.

    The photos' first scores are larger by 0, 1, 2 … than their second ones.
    """
    layers = tuple(f"layer {number}" for number in range(len(changes)))
    learnt = np.stack([np.arange(PHOTOS), np.full(PHOTOS, -0.5)], 1)
    asked: list[tuple[Kept, int]] = []

    def scores(kept: Kept, most: int) -> np.ndarray:
        asked.append((kept, most))
        moved = sum(change for name, change in zip(layers, changes, strict=True) if name not in kept)
        return learnt[:most] + np.array([0, moved])

    return Ranking(layers, learnt, scores), asked


def test_the_layer_that_changes_most_comes_first() -> None:
    ranking, asked = network([0.5, 3.0, 0.0, 1.0])
    hurts = ranking.ranked(0)
    assert list(hurts) == ["layer 1", "layer 3", "layer 0", "layer 2"]
    assert list(hurts.values()) == pytest.approx([9 / 4, 1 / 4, 1 / 16, 0])  # (change / 2)², from the mean of both
    assert {count for _, count in asked} == {RANKING}
    assert all(len(kept) == 3 for kept, _ in asked), "each runs alone in int8"


@pytest.mark.parametrize(
    ("floor", "kept"),
    [(1.0, 3), (0.97, 2), (0.9, 1), (0.8, 1)],
)
def test_no_more_layers_stay_in_float_than_the_floor_needs(floor: float, kept: int) -> None:
    ranking, _ = network([0.1, 2.0, 4.0, 1.0])
    hurts = ranking.ranked(0)
    assert next(ranking.reaching(floor, hurts)) == tuple(hurts)[:kept]


def test_whoever_is_not_content_gets_more_of_them() -> None:
    ranking, asked = network([1.0] * 20)
    hurts = ranking.ranked(0)
    del asked[:]
    found = [len(kept) for kept in ranking.reaching(0, hurts)]
    assert found == [step for step in STEPS if step < 20]
    assert {count for _, count in asked} == {PHOTOS}


def test_a_floor_that_no_layers_reach_gives_none() -> None:
    ranking, _ = network([1000.0] * 40)
    assert list(ranking.reaching(1.0, ranking.ranked(0))) == []
