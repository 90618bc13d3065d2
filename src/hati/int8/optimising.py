"""Whether a model does as well in eight-bit integers as in floats, measured on this machine with a person's photos."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterable, Mapping

import numpy as np

from ..errors import ArgumentError, PrecisionWarning
from ..model import Model, lazy_weights
from ..photos import Photo
from ..tools.measuring import likely_share
from ..tools.progress import Verbose
from .calibration_photos import CalibrationPhotos
from .comparison import Comparison, safe_bits, share_alike
from .outcomes import FASTER, Optimised, outcome, stored, verdict

__all__ = ["Optimised", "in_int8", "optimise", "outcome"]

HOPELESS = 0.7  # float's time over int8's, from where layers in float cannot make int8 the faster one
STEPS = (1, 2, 3, 4, 5, 6, 8, 10, 12, 14, 16, 20, 24, 28, 32)  # layers in float that are tried


def optimise(
    model: Model,
    photos: str | os.PathLike[str] | Iterable[Photo],
    *,
    agreement: float = 0.98,
    bits: int | None = None,
    verbose: Verbose = "auto",
) -> Optimised:
    """Calibrate int8 on some of the photos, measure it against float on the others, and say which to use.

    `photos` is a folder, or photos; they need no labels. `agreement` is the least part of pictures that both name
    alike: layers that hurt are kept in float until it is reached. `bits` are those of a weight; 8 where this processor
    multiplies them without saturating, else 7. The outcome is kept in the cache for weights that come from a file.

    Raises ArgumentError for fewer than 20 photos that can be read, or a model without a classifier.
    """
    if not 0 <= agreement <= 1:
        raise ArgumentError(f"agreement is {agreement}; it can be 0 to 1, the part of photos that both name alike")
    if len(model.graph.output.shape) != 1:
        raise ArgumentError(f"{model.name} gives maps of shape {model.graph.output.shape}; only scores can be compared")
    own = CalibrationPhotos.read(model, photos, verbose)
    with lazy_weights(model).borrowed() as arrays:
        return stored(model, _judged(Comparison(model, arrays, own, bits or safe_bits(), verbose), agreement))


def in_int8(
    model: Model, calibrate: str | os.PathLike[str] | Iterable[Photo] | None = None, name: str | None = None
) -> Model:
    """The model in int8, where that was found to replace float, or is found now with the photos of `calibrate`.

    Where it was refused, the model as it is, with a PrecisionWarning that says why. `name` is what the model was asked
    for by. Raises ArgumentError where nothing was measured yet.
    """
    from ..engines.onnx.running import OnnxRuntime

    found = outcome(model) or (optimise(model, calibrate) if calibrate is not None else None)
    if found is None:
        raise ArgumentError(
            f"{model.name} was never measured in int8 on this machine with these weights; "
            f"run `hati optimise {name or model.name} --calibrate FOLDER` first, or give calibrate=FOLDER"
        )
    if not found.replaces_float:
        warnings.warn(f"{model.name} runs in float: {found.reason}", PrecisionWarning, stacklevel=3)
        return model
    return model.running_on(OnnxRuntime(quantisation=found.quantisation))


def _judged(comparison: Comparison, floor: float) -> Optimised:
    """Measure; where pictures are named too differently, keep layers in float and measure again.

    What is kept is chosen on the pictures that were calibrated on; the others are shown only what passed there.
    """
    best = _measured(comparison, {}, floor)
    if best.agreement >= floor or best.speedup < HOPELESS:
        return best
    hurts = comparison.hurts()
    for count in (step for step in STEPS if step < len(hurts)):
        kept = dict(list(hurts.items())[:count])
        learnt = comparison.scores(comparison.session(comparison.plain.keeping(*kept)), calibrating=True)
        if share_alike(comparison.learnt, learnt) < floor:
            continue
        best = max(best, _measured(comparison, kept, floor), key=lambda one: one.agreement)
        if best.agreement >= floor or best.speedup < HOPELESS:
            break
    return best


def _measured(comparison: Comparison, in_float: Mapping[str, float], floor: float) -> Optimised:
    """One quantisation on the pictures that it was not calibrated on."""
    quantisation = comparison.plain.keeping(*in_float)
    scores = comparison.scores(comparison.session(quantisation), calibrating=False)
    times = comparison.latencies(quantisation)
    agreement, total = share_alike(comparison.expected, scores), len(scores)
    speedup = times["float"].median / times["int8"].median
    return Optimised(
        model=comparison.model.name,
        replaces_float=agreement >= floor and speedup >= FASTER,
        reason=verdict(agreement, floor, speedup, len(in_float)),
        floor=floor,
        agreement=agreement,
        interval=likely_share(round(agreement * total), total),
        shift=float(np.abs(scores - comparison.expected).max()),
        float_latency=times["float"],
        int8_latency=times["int8"],
        float_bytes=comparison.bytes_of(None),
        int8_bytes=comparison.bytes_of(quantisation),
        in_float=tuple(in_float.items()),
        layers=len(comparison.layers()),
        calibrated_on=comparison.photos.calibrating,
        held_out=total,
        unreadable=comparison.photos.unreadable,
        notes=comparison.photos.notes,
        stored=False,
        quantisation=quantisation,
    )
