"""The network without its classifier, which a device teaches new classes with, and the head that hati taught it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ...model import lazy_weights
from ...network.taught import CLASSES, STANDARDISATION
from ..formats import Order
from ..gate import cosines, expected, in_batches
from ..trial import Trial
from .contents import Contents

HEAD = "head.npz"


@dataclass(frozen=True)
class Features:
    """How near the file's vectors are to the model's own, on photos that it was not calibrated on."""

    numbers: int  # of a vector
    bytes: int  # of the file
    cosine: float  # between both, the mean
    least: float


def order_of(contents: Contents) -> Order:
    """As the whole model is written: the same precision, the same numbers in and out, the same layers in float."""
    there = {node.name for node in contents.body.graph.nodes}
    kept = tuple(name for name in contents.order.keep if name in there)
    return replace(contents.order, model=contents.body, quantisation=None, keep=kept)


def write(contents: Contents, trial: Trial) -> Features:
    order = order_of(contents)
    if order.precision == "int8":
        order = replace(order, quantisation=contents.found.calibrated(order, trial.calibrating))
    contents.found.write(order, contents.features)
    _write_head(contents)
    run = contents.found.opened(contents.features, order, 1)
    right = expected(contents.body, trial.checking)
    mean, (least, _) = cosines(right, in_batches(run, trial.checking))
    return Features(right.shape[1], contents.features.stat().st_size, mean, least)


def _write_head(contents: Contents) -> None:
    """What makes classes of a vector, and each class' mean, by the names that `teaching.py` has for them."""
    model = contents.order.model
    if model.taught is None:
        return
    with lazy_weights(model).borrowed() as arrays:
        np.savez(
            contents.folder / HEAD,
            mean=arrays[f"{STANDARDISATION}/mean"],
            variance=arrays[f"{STANDARDISATION}/variance"],
            kernel=arrays[f"{CLASSES}/kernel"],
            bias=arrays[f"{CLASSES}/bias"],
            means=model.taught.means,
        )
