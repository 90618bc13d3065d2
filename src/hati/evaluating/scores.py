"""Figures from scores, by scikit-learn's conventions: a part of nothing is 0."""

from __future__ import annotations

import numpy as np

from ..tools.arrays import Array

RESAMPLES = 400
MOST_WORK = 4e8  # sums, about five seconds: with more classes and photos an interval is not worth the wait
FEWEST = 20  # photos, below which drawing them again says little


def parts(hits: Array, of: Array) -> Array:
    """hits / of, 0 where there is nothing."""
    return np.divide(hits, of, out=np.zeros(np.shape(hits)), where=np.asarray(of) > 0)


def confusion(truth: Array, said: Array, classes: int) -> Array:
    """The classes of photos, and what was said of them, as numbers -> (truth, said) counts."""
    counts = np.bincount(truth * classes + said, minlength=classes * classes)
    return np.asarray(counts.reshape(classes, classes))


def average_precision(truth: Array, scores: Array, times: Array | None = None) -> Array:
    """The area under a class' precision over its recall, step by step; NaN where it has no photo.

    truth: (photos,) bool; scores: (photos,); times: (rounds, photos), how often each photo counts in each round.
    Returns (rounds,); one round, where all photos count once.
    """
    times = np.ones((1, len(truth))) if times is None else times
    order = np.argsort(-scores, kind="stable")
    ends = np.flatnonzero(np.append(np.diff(scores[order]) != 0, True))  # equal scores come in at once
    taken = times[:, order].cumsum(1)[:, ends]
    hits = (times * truth)[:, order].cumsum(1)[:, ends]
    gains = np.diff(hits, axis=1, prepend=0)
    total = hits[:, -1]
    return np.divide((gains * parts(hits, taken)).sum(1), total, out=np.full(len(times), np.nan), where=total > 0)


def average_precisions(targets: Array, scores: Array) -> Array:
    """(photos, classes) twice -> (classes,)."""
    return np.concatenate([average_precision(*columns) for columns in zip(targets.T, scores.T, strict=True)])


def likely_mean_precision(targets: Array, scores: Array) -> tuple[float, float] | None:
    """Where the mean average precision lies, 95 times of 100, by drawing the photos again (Efron, 1979).

    None where the photos are too few to tell, or too many to wait for.
    """
    photos, classes = targets.shape
    if photos < FEWEST or photos * classes * RESAMPLES > MOST_WORK:
        return None
    times = np.random.default_rng(0).multinomial(photos, np.full(photos, 1 / photos), RESAMPLES)
    columns = [n for n in range(classes) if targets[:, n].any()]
    drawn = np.ma.masked_invalid([average_precision(targets[:, n], scores[:, n], times) for n in columns])
    low, high = np.quantile(drawn.mean(0).compressed(), (0.025, 0.975))
    return float(low), float(high)
