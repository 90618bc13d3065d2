"""Probing: a regularised multinomial logistic regression on a body's vectors; its strength by cross-validation."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec

import numpy as np

from ..errors import ArgumentError
from ..tools import quiet
from ..tools.arrays import Array
from ..tools.extras import brings
from ..tools.machine import cores
from ..tools.pipeline import in_order
from ..tools.progress import Verbose, track
from .heads import Head, Standardisation, class_means

KernelAndBias = tuple[Array, Array]  # (numbers, classes) and (classes,)
Tried = tuple[list[float], list[float]]  # for each strength: the loss, and the part that was named rightly

STRENGTHS = (0.3, 1.0, 3.0, 10.0, 30.0)  # inverse ones, for vectors whose squared length is 1 on the average
USUAL = 10.0  # where there are too few photos to try
FOLDS, FEWER_FOLDS = 5, 3
MANY = 3000  # photos, from which on fewer folds will do
MOST_STEPS = 1000
MISSING = f"probing needs scikit-learn: {brings('train')}; or take the method imprint, which needs nothing"


@dataclass(frozen=True)
class Probed:
    """A head, and how its regularisation was chosen."""

    head: Head
    strength: float  # inverse, as scikit-learn's C
    accuracy: float | None  # cross-validated, on photos that each fit had not seen; None where they were too few
    settings: dict[str, str]  # what a model's provenance tells of it


def probe(
    vectors: Array, targets: Array, *, multi_label: bool = False, seed: int = 0, verbose: Verbose = "auto"
) -> Probed:
    """A head from photos, each seen in one view or more.

    vectors: (photos, views, numbers), as the body gives them; the first view is the one that a model answers by.
    targets: (photos, classes) bool. Classes weigh alike, whatever their number of photos.

    Raises ArgumentError where scikit-learn is not installed.
    """
    _check_installed()
    from threadpoolctl import threadpool_limits

    folds = list(_folds(targets, multi_label, seed))
    work = partial(_tried, vectors, targets, multi_label=multi_label)
    with threadpool_limits(1):  # a fold for each core: these matrices are too small to be shared
        tries = list(track(in_order(work, folds, cores()), len(folds), "choosing a strength", verbose))
    strength, accuracy = _chosen(tries) if tries else (USUAL, None)
    *_, head = _fitted(vectors, targets, [s for s in STRENGTHS if s <= strength], multi_label)
    settings = {"strength": f"{strength:g}", "views": str(vectors.shape[1]), "seed": str(seed)}
    if accuracy is not None:
        settings["cross-validated accuracy"] = f"{accuracy:.4f}"
    return Probed(head, strength, accuracy, settings)


def _check_installed() -> None:
    if find_spec("sklearn") is None:
        raise ArgumentError(MISSING)


def _chosen(tries: list[Tried]) -> tuple[float, float]:
    """The strongest regularisation that does not lose to the best one by more than chance, fold by fold.

    The one-standard-error rule of Breiman, Friedman, Olshen and Stone 1984, on differences within each fold.
    """
    losses, accuracies = np.array(tries).transpose(1, 2, 0)  # (strengths, folds) each
    worse = losses - losses[losses.mean(1).argmin()]
    chosen = int((worse.mean(1) <= worse.std(1, ddof=1) / np.sqrt(len(tries))).argmax())
    return STRENGTHS[chosen], float(accuracies[chosen].mean())


def _folds(targets: Array, multi_label: bool, seed: int) -> Iterator[tuple[Array, Array]]:
    """Places of photos to fit on and to try on; none where a class has one photo alone."""
    from sklearn.model_selection import KFold, StratifiedKFold

    most = FOLDS if len(targets) < MANY else FEWER_FOLDS
    count = min(most, int(targets.sum(0).min()))
    if count < 2:
        return
    kind = KFold if multi_label else StratifiedKFold
    chance = np.random.RandomState(np.random.MT19937(np.random.SeedSequence(seed)))  # of seeds of any size
    yield from kind(count, shuffle=True, random_state=chance).split(targets, targets.argmax(1))


def _tried(vectors: Array, targets: Array, fold: tuple[Array, Array], *, multi_label: bool) -> Tried:
    """For each strength, the cross-entropy of a fit on photos that it has not seen, and what part it names rightly."""
    fit, held = fold
    wanted, losses, accuracies = targets[held], [], []
    for head in _fitted(vectors[fit], targets[fit], STRENGTHS, multi_label):
        scores = head.scores(vectors[held, 0]).clip(1e-7, 1 - 1e-7)
        likely = np.where(wanted, scores, 1 - scores) if multi_label else scores[wanted]
        losses.append(float(-np.log(likely).sum() / len(held)))
        right = (scores > 0.5) == wanted if multi_label else scores.argmax(1) == wanted.argmax(1)
        accuracies.append(float(right.mean()))
    return losses, accuracies


def _fitted(vectors: Array, targets: Array, strengths: Sequence[float], multi_label: bool) -> Iterator[Head]:
    """A head for each strength, from the strongest regularisation on."""
    views = vectors.shape[1]
    standardisation = Standardisation.of(vectors[:, 0])
    z = standardisation(vectors.reshape(-1, vectors.shape[2]))
    length = float(np.sqrt(np.square(z).sum(1).mean())) or 1.0
    means = class_means(z[::views], targets)
    weigh = _each_class if multi_label else _all_classes
    for kernel, bias in weigh(z / length, targets.repeat(views, 0), strengths):
        yield Head(standardisation, kernel / length, bias, means, multi_label)


def _all_classes(x: Array, targets: Array, strengths: Sequence[float]) -> Iterator[KernelAndBias]:
    """One softmax over all classes."""
    return _regressions(x, targets.argmax(1), targets.shape[1], strengths)


def _each_class(x: Array, targets: Array, strengths: Sequence[float]) -> Iterator[KernelAndBias]:
    """One sigmoid for each class; one that all photos have, or none, is told by the bias alone."""
    by_class = [_one_class(x, own, strengths) for own in targets.T]
    for found in zip(*by_class, strict=True):
        yield np.stack([kernel for kernel, _ in found], 1), np.array([bias for _, bias in found])


def _one_class(x: Array, own: Array, strengths: Sequence[float]) -> list[tuple[Array, float]]:
    if own.all() or not own.any():
        certain = float(np.log(len(own) + 1)) * (1 if own.all() else -1)
        return [(np.zeros(x.shape[1]), certain)] * len(strengths)
    pairs = _regressions(x, own.astype(int), 2, strengths)
    return [(kernel[:, 1] - kernel[:, 0], float(bias[1] - bias[0])) for kernel, bias in pairs]


def _regressions(x: Array, numbers: Array, classes: int, strengths: Sequence[float]) -> Iterator[KernelAndBias]:
    """Each strength's solution starts from the one before, which is near it."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    regression = LogisticRegression(class_weight="balanced", max_iter=MOST_STEPS, warm_start=True)
    for strength in strengths:
        with quiet.warnings(ConvergenceWarning):  # a solution that is near enough
            regression.set_params(C=strength).fit(x, numbers)
        kernel, bias = regression.coef_.T, regression.intercept_
        yield (kernel, bias) if classes > 2 else (np.hstack([-kernel, kernel]) / 2, np.hstack([-bias, bias]) / 2)
