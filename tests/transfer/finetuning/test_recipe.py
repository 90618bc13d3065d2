"""The recipe of fine-tuning: what it takes, and what it refuses with a sentence."""

from dataclasses import fields
from typing import Any

import pytest

from hati.errors import ArgumentError
from hati.transfer.finetuning.learner import rate_factor
from hati.transfer.finetuning.recipe import BOUNDS, Recipe


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        ({"epochs": 0}, "epochs is 0; it can be a whole number from 1 to 10000"),
        ({"epochs": 2.5}, "epochs is 2.5; it can be a whole number"),
        ({"batch_size": "8"}, "batch_size is '8'; it can be a whole number from 1 to 4096"),
        ({"rate": -1e-4}, "rate is -0.0001; it can be a number from 0 to 10"),
        ({"rate": float("nan")}, "rate is nan; it can be a number"),
        ({"rate": True}, "rate is True; it can be a number"),
        ({"unfreeze": 1.5}, "unfreeze is 1.5; it can be a number from 0 to 1"),
        ({"crop": 0}, "crop is 0; it can be a number from 0.01 to 1"),
        ({"average": 1}, "average is 1; it can be a number from 0 to 0.99999"),
        ({"flip": 1}, "flip is 1; it can be True or False"),
        ({"optimiser": "adam"}, "optimiser is 'adam'; it can be 'adamw' or 'sgd'"),
        ({"precision": "half"}, "precision is 'half'; it can be 'float32' or 'mixed'"),
        ({"batch_norm": "trained", "batch_size": 1}, "needs a batch_size of 2 or more: one photo has no variance"),
        ({"unfreeze": 0, "head_rate": 0}, "then nothing learns"),
    ],
    ids=str,
)
def test_a_value_that_means_nothing_is_refused(options: dict[str, Any], fault: str) -> None:
    with pytest.raises(ArgumentError, match=fault):
        Recipe(**options)


@pytest.mark.parametrize("recipe", [Recipe(), Recipe(epochs=12, optimiser="sgd", flip=False)], ids=["usual", "other"])
def test_a_recipe_shows_what_is_not_usual_in_it(recipe: Recipe) -> None:
    assert len(repr(recipe)) < 60
    assert eval(repr(recipe)) == recipe


def test_every_number_has_its_bounds() -> None:
    numbers = {field.name for field in fields(Recipe) if type(field.default) in (int, float)}
    assert numbers == BOUNDS.keys()


@pytest.mark.parametrize(
    ("step", "warm_up", "share"),
    [(0, 0.0, 1.0), (5, 0.0, 0.5), (0, 0.2, 1 / 3), (1, 0.2, 2 / 3), (2, 0.2, 1.0), (6, 0.2, 0.5), (9, 0.2, 0.0381)],
)
def test_rates_rise_and_fall_along_a_cosine(step: int, warm_up: float, share: float) -> None:
    assert rate_factor(step, 10, warm_up) == pytest.approx(share, abs=1e-4)
