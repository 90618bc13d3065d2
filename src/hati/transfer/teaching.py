"""One more class for a model that was taught before, from a few photos of it and none of the old ones."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..errors import ArgumentError
from ..loading import ModelLike, model_of
from ..model import Model
from ..network.taught import IMPRINT, Provenance
from ..photos.finding import Photos, each
from ..tools.arrays import Array
from .heads import Head, joined, parted, unit

Column = tuple[Array, float]  # of a head: a class' kernel (numbers,) and bias

SMALLEST_WAY = 1e-6  # between two means, so that twins do not divide by zero
LEAN = 0.15  # of a margin, by which a class of few photos is helped; measured, benchmarks/README.md


def teach(model: ModelLike, name: str, photos: Photos) -> Model:
    """The same model with one more class, by imprinting: one photo of it or more; without the old photos.

    `model` is what `hati.train` gave, its Model, or its file. `photos` are several, one, or the path of a folder, which
    is searched to its bottom. A class that the model knows by imprinting learns from more photos.

    Raises ArgumentError for a model that was not taught, a class that cannot be added to, or no photo; ImageError for
    the first photo that cannot be read.
    """
    network = model_of(model)
    body, head = parted(network)
    assert network.taught is not None, "parted refuses a model that was not taught"
    told, counts = network.taught.provenance, dict(network.taught.provenance.photos)
    name = _checked(name, told)
    shown = list(each(photos))
    seen = body.see(shown, verbose=0)
    if seen.errors:
        raise seen.errors[0]
    if not len(seen.vectors):
        raise ArgumentError(f"no photo of {name} came; one or more are needed")
    z = head.standardisation(seen.first)
    if name in counts:
        head = _more_of(head, list(counts).index(name), z, counts[name])
    else:
        head = _with_class(head, z, told.method)
    counts[name] = counts.get(name, 0) + len(z)
    provenance = replace(told, photos=tuple(counts.items()), score=None)
    return joined(body, head, tuple(counts), provenance)


def _checked(name: str, told: Provenance) -> str:
    known = {one.casefold(): one for one, _ in told.photos}
    name = name.strip()
    if not name or not name.isprintable():
        raise ArgumentError(f"a class is called {name!r}; give it a name of letters")
    twin = known.get(name.casefold(), name)
    if twin != name:
        raise ArgumentError(f"the model knows {twin!r}; write it so, or give the new class another name")
    if twin in known.values() and told.method != IMPRINT:
        raise ArgumentError(
            f"the model knows {name}, from {told.method}; more photos of it count only where a model was imprinted: "
            "train again with all photos"
        )
    return name


def _more_of(head: Head, number: int, z: Array, before: int) -> Head:
    """The class' mean over the photos of before and these."""
    mean = unit(before * head.means[number] + unit(z).sum(0))
    kernel, means = head.kernel.copy(), head.means.copy()
    kernel[:, number] = np.linalg.norm(kernel[:, number]) * mean
    means[number] = mean
    return replace(head, kernel=kernel, means=means)


def _with_class(head: Head, z: Array, method: str) -> Head:
    """A head with one column more."""
    mean = unit(unit(z).sum(0))
    length = float(np.linalg.norm(z, axis=1).mean())
    if head.multi_label:
        column, offset = _by_itself(head, mean, length)
    elif method == IMPRINT:
        column, offset = np.linalg.norm(head.kernel[:, 0]) * mean, 0.0
    else:
        column, offset = _beside(head, mean, length)
    return replace(
        head,
        kernel=np.hstack([head.kernel, column[:, np.newaxis]]).astype(np.float32),
        bias=np.append(head.bias, offset).astype(np.float32),
        means=np.vstack([head.means, mean]),
    )


def _beside(head: Head, mean: Array, length: float) -> Column:
    """Weights beside those of a regression, so that borders lie as far from the means of classes as they do there.

    At its own mean the new class wins by the margin by which the old classes win at theirs, and loses by as much at the
    mean of each of them. mean: (numbers,), of length 1, as `head.means` are; photos lie `length` away from 0.
    """
    at_means = length * head.means @ head.kernel + head.bias  # (classes, classes)
    own = np.diagonal(at_means)
    margin = float((own - np.where(np.eye(len(own), dtype=bool), -np.inf, at_means).max(1)).mean())
    height = float((length * mean @ head.kernel + head.bias).max()) + margin
    column, offset = _line(head, mean, length, height, own - margin)
    return column, offset + LEAN * margin


def _by_itself(head: Head, mean: Array, length: float) -> Column:
    """Weights of a class that others do not exclude: as sure at its own mean as old classes are, and against theirs."""
    height = float(np.abs(np.diagonal(length * head.means @ head.kernel + head.bias)).mean())
    return _line(head, mean, length, height, np.full(len(head.means), -height))


def _line(head: Head, mean: Array, length: float, height: float, most: Array) -> Column:
    """A logit that is `height` at a mean and `most` at each of the other classes' means, or less.

    It rises in the direction that sets this mean apart from theirs.
    """
    apart = unit(mean - unit(head.means.mean(0)))
    way = np.maximum(length * (apart @ mean - head.means @ apart), SMALLEST_WAY)
    slope = max(0.0, float(((height - most) / way).max()))
    return slope * apart, height - slope * length * float(apart @ mean)
