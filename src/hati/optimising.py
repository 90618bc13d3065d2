"""Whether a model does as well in eight-bit integers as in floats, measured on this machine with a person's photos."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping

import numpy as np

from .errors import ArgumentError
from .int8.agreement import agreeing
from .int8.calibration_photos import CalibrationPhotos
from .int8.comparison import Comparison, safe_bits
from .int8.outcomes import FASTER, Optimised, stored, verdict
from .loading import ModelLike, model_of
from .model import lazy_weights
from .photos import Photo
from .tools.progress import Verbose

__all__ = ["Optimised", "optimise"]

HOPELESS = 0.7  # float's time over int8's, from where layers in float cannot make int8 the faster one


def optimise(
    model: ModelLike,
    photos: str | os.PathLike[str] | Iterable[Photo],
    *,
    agreement: float = 0.98,
    bits: int | None = None,
    verbose: Verbose = "auto",
) -> Optimised:
    """Calibrate int8 on some of the photos, measure it against float on the others, and say which to use.

    `model` is a Model, a name of the catalog, a .safetensors file, or what `hati.train` gives. `photos` is a folder, or
    photos; they need no labels. `agreement` is the least part of pictures that both name alike: layers that hurt are
    kept in float until it is reached. `bits` are those of a weight; 8 where this processor multiplies them without
    saturating, else 7. The outcome is kept in the cache for weights that come from a file.

    Raises ArgumentError for fewer than 20 photos that can be read, or a model without a classifier.
    """
    if not 0 <= agreement <= 1:
        raise ArgumentError(f"agreement is {agreement}; it can be 0 to 1, the part of photos that both name alike")
    network = model_of(model)
    if len(network.graph.output.shape) != 1:
        shape = network.graph.output.shape
        raise ArgumentError(f"{network.name} gives maps of shape {shape}; only scores can be compared")
    own = CalibrationPhotos.read(network, photos, verbose)
    with lazy_weights(network).borrowed() as arrays:
        return stored(network, _judged(Comparison(network, arrays, own, bits or safe_bits(), verbose), agreement))


def _judged(comparison: Comparison, floor: float) -> Optimised:
    """Measure; where pictures are named too differently, keep layers in float and measure again.

    What is kept is chosen on the pictures that were calibrated on; the others are shown only what passed there.
    """
    best = _measured(comparison, {}, floor)
    if best.agreement >= floor or best.speedup < HOPELESS:
        return best
    ranking = comparison.ranking()
    hurts = ranking.ranked(comparison.verbose)
    for kept in ranking.reaching(floor, hurts):
        in_float = {name: hurts[name] for name in kept}
        best = max(best, _measured(comparison, in_float, floor), key=lambda one: one.agreement)
        if best.agreement >= floor or best.speedup < HOPELESS:
            break
    return best


def _measured(comparison: Comparison, in_float: Mapping[str, float], floor: float) -> Optimised:
    """One quantisation on the pictures that it was not calibrated on."""
    quantisation = comparison.plain.keeping(*in_float)
    scores = comparison.scores(comparison.session(quantisation), calibrating=False)
    times = comparison.latencies(quantisation)
    agreement, interval = agreeing(comparison.expected, scores)
    speedup = times["float"].median / times["int8"].median
    return Optimised(
        model=comparison.model.name,
        replaces_float=agreement >= floor and speedup >= FASTER,
        reason=verdict(agreement, floor, speedup, len(in_float)),
        floor=floor,
        agreement=agreement,
        interval=interval,
        shift=float(np.abs(scores - comparison.expected).max()),
        float_latency=times["float"],
        int8_latency=times["int8"],
        float_bytes=comparison.bytes_of(None),
        int8_bytes=comparison.bytes_of(quantisation),
        in_float=tuple(in_float.items()),
        layers=len(quantisation.layers),
        calibrated_on=comparison.photos.calibrating,
        held_out=len(scores),
        unreadable=comparison.photos.unreadable,
        notes=comparison.photos.notes,
        stored=False,
        quantisation=quantisation,
    )
