"""What is named alike, and what is not."""

import numpy as np
import pytest

from hati.int8.agreement import agreeing


@pytest.mark.parametrize(
    ("expected", "scores", "share"),
    [
        ([[0.1, 0.9], [0.8, 0.2]], [[0.4, 0.6], [0.7, 0.3]], 1.0),
        ([[0.1, 0.9], [0.8, 0.2]], [[0.6, 0.4], [0.7, 0.3]], 0.5),
        ([[np.nan, 0.9], [0.8, 0.2]], [[np.nan, 0.9], [0.8, 0.2]], 0.5),
        ([[0.1, 0.9], [0.8, 0.2]], [[np.nan, np.nan], [np.inf, 0.3]], 0.0),
    ],
)
def test_scores_that_are_no_numbers_name_nothing(
    expected: list[list[float]], scores: list[list[float]], share: float
) -> None:
    found, (low, high) = agreeing(np.array(expected), np.array(scores))
    assert found == share
    assert low <= share <= high
