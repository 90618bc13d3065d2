"""The losses of fine-tuning against scikit-learn's and PyTorch's own."""

import numpy as np
import pytest
import torch
from sklearn.metrics import log_loss
from sklearn.utils.class_weight import compute_class_weight, compute_sample_weight

from hati.transfer.finetuning.losses import Loss

Array = np.ndarray

pytestmark = pytest.mark.usefixtures("one_thread")

OWN = np.array([0, 0, 0, 0, 1, 1, 2])
ONE = np.eye(3, dtype=bool)[OWN]
SEVERAL = np.array([[1, 0, 0], [1, 1, 0], [1, 0, 0], [0, 0, 0], [1, 1, 1]], bool)


def losses(targets: Array, logits: Array, **options: bool | float) -> Array:
    settings = {"smoothing": 0.0, "balanced": False, "multi_label": False} | options
    loss = Loss.of(targets, **settings)  # type: ignore[arg-type]
    return loss(torch.tensor(logits), torch.tensor(targets, dtype=torch.float32)).numpy()


def logits_for(targets: Array) -> Array:
    return np.random.default_rng(0).normal(0, 2, targets.shape).astype(np.float32)


@pytest.mark.parametrize("balanced", [False, True])
def test_one_class_a_photo(balanced: bool) -> None:
    logits = logits_for(ONE)
    scores = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    weights = compute_sample_weight("balanced", OWN) if balanced else None
    expected = log_loss(OWN, scores, sample_weight=weights)
    assert losses(ONE, logits, balanced=balanced).mean() == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("balanced", [False, True])
def test_several_classes_a_photo(balanced: bool) -> None:
    logits = logits_for(SEVERAL)
    scores = 1 / (1 + np.exp(-logits))
    expected = [
        log_loss(own, column, sample_weight=compute_sample_weight("balanced", own) if balanced else None)
        for own, column in zip(SEVERAL.T, scores.T, strict=True)
    ]
    assert losses(SEVERAL, logits, balanced=balanced, multi_label=True).mean() == pytest.approx(np.mean(expected))


def test_smoothing_is_that_of_pytorch() -> None:
    logits = logits_for(ONE)
    weights = torch.tensor(compute_class_weight("balanced", classes=np.arange(3), y=OWN), dtype=torch.float32)
    oracle = torch.nn.CrossEntropyLoss(weights, label_smoothing=0.2, reduction="none")
    expected = oracle(torch.tensor(logits), torch.tensor(OWN))
    np.testing.assert_allclose(losses(ONE, logits, balanced=True, smoothing=0.2), expected, rtol=1e-5)


def test_a_smoothed_yes_and_no_is_told_best_by_a_little_doubt() -> None:
    targets, sure, doubtful = SEVERAL, 9.0, np.log(0.9 / 0.1)
    wrong = [
        losses(targets, np.where(targets, x, -x).astype(np.float32), smoothing=0.2, multi_label=True).mean()
        for x in (sure, doubtful, 0.0)
    ]
    assert wrong[1] < min(wrong[0], wrong[2])


def test_a_class_without_photos_does_no_harm() -> None:
    targets = np.array([[1, 0], [1, 0]], bool)
    for multi_label in (False, True):
        found = losses(targets, logits_for(targets), balanced=True, multi_label=multi_label)
        assert np.isfinite(found).all()


@pytest.mark.parametrize(("targets", "multi_label", "share"), [(ONE, False, 4 / 7), (SEVERAL, True, 11 / 15)])
def test_what_is_right(targets: Array, multi_label: bool, share: float) -> None:
    logits = np.tile([1.0, -1.0, -1.0], (len(targets), 1))
    loss = Loss.of(targets, 0.0, balanced=False, multi_label=multi_label)
    right = loss.right(torch.tensor(logits), torch.tensor(targets, dtype=torch.float32))
    assert right.mean().item() == pytest.approx(share)
