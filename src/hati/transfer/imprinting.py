"""Imprinting: the mean of a class' photos is its weights; Qi, Brown and Lowe 2018, arXiv:1712.07136."""

from __future__ import annotations

import numpy as np

from ..tools.arrays import Array
from .heads import Head, Standardisation, class_means, softmax, unit

SHARPNESS = tuple(np.geomspace(4, 128, 11))  # of the softmax over cosines, that are tried
USUAL = 16.0  # where no class has a photo to spare for trying


def imprint(vectors: Array, targets: Array, *, multi_label: bool = False) -> Head:
    """A head from photos, one of each class or more.

    vectors: (photos, numbers), as the body gives them. targets: (photos, classes) bool.
    """
    standardisation = Standardisation.of(vectors)
    z = standardisation(vectors)
    means = class_means(z, targets)
    length = float(np.linalg.norm(z, axis=1).mean())
    if multi_label:
        kernel, bias = _one_against_rest(unit(z), targets, means)
    else:
        kernel, bias = sharpness(unit(z), targets) * means.T, np.zeros(len(means))
    return Head(standardisation, kernel / (length or 1), bias, means, multi_label)


def sharpness(z: Array, targets: Array) -> float:
    """How much the softmax makes of a cosine: what makes each photo's own class likeliest, by the other photos' means.

    z: (photos, numbers), of length 1.
    """
    counts = targets.sum(0)
    spare = counts[targets.argmax(1)] > 1
    if not spare.any():
        return USUAL
    sums = targets.T.astype(np.float32) @ z
    cosines = z @ unit(sums).T
    own = targets.argmax(1)
    without = unit(sums[own] - z)  # the mean of a photo's class, had the photo not been there
    cosines[np.arange(len(z)), own] = (without * z).sum(1)
    return min(SHARPNESS, key=lambda sharp: _cross_entropy(sharp * cosines[spare], own[spare]))


def _cross_entropy(logits: Array, own: Array) -> float:
    """The mean negative logarithm of the right class' probability."""
    return float(-np.log(softmax(logits)[np.arange(len(own)), own]).mean())


def _one_against_rest(z: Array, targets: Array, means: Array) -> tuple[Array, Array]:
    """Where a photo can have several classes: each class' border is halfway between its photos and the others."""
    others = class_means(z, ~targets)
    known = np.asarray(targets.any(0))
    difference = (means - others) * known[:, np.newaxis]
    halfway = ((means + others) / 2 * difference).sum(1)
    return USUAL * difference.T, np.where(known, -USUAL * halfway, -USUAL)
