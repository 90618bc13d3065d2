"""Copies of a model, in this process and through pickle."""

import copy
import pickle
from collections.abc import Callable

import numpy as np
import pytest

from hati.keras.applications.mobilenet import MobileNet
from hati.model import Model

PICTURE = np.random.default_rng(0).integers(0, 256, (40, 50, 3), dtype=np.uint8)


def small() -> Model:
    return MobileNet(input_shape=(32, 32, 3), alpha=0.25, weights=None, classes=5)


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))])
def test_a_copy_of_a_model_is_a_model_of_its_own(copied: Callable[[Model], Model]) -> None:
    original = small()
    twin, expected = copied(original), original.features(PICTURE)
    original.set_weights(small().get_weights())
    np.testing.assert_array_equal(twin.features(PICTURE), expected)
    assert (twin.labels, twin.size, twin.preprocessing) == (original.labels, original.size, original.preprocessing)
