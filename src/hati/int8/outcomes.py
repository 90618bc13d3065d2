"""What was found of a model in int8, and where it is kept: for its weights, on this machine."""

from __future__ import annotations

import json
import warnings
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from .. import __version__
from ..engines.quantisation import Quantisation
from ..errors import ArgumentError, ImageError, PrecisionWarning
from ..model import Model, lazy_weights
from ..tools.cache import folder
from ..tools.files import file_name, whole
from ..tools.machine import machine
from ..tools.measuring import Spread

FASTER = 1.05  # float's time over int8's: less is no reason to change anything


@dataclass(frozen=True)
class Optimised:
    """What was measured of one model in float32 and int8, and what follows from it."""

    model: str
    replaces_float: bool
    reason: str  # one sentence
    floor: float  # the agreement that was asked for
    agreement: float  # of the names that float puts first, the part that int8 puts first too
    interval: tuple[float, float]  # where the true agreement lies, 95 times of 100 (Wilson, 1927)
    shift: float  # the most that a probability changed
    float_latency: Spread  # of one picture, from preprocessed to scores
    int8_latency: Spread
    float_bytes: int  # of weights
    int8_bytes: int
    in_float: tuple[tuple[str, float], ...]  # layers, and the mean squared change of log-probabilities that each makes
    layers: int  # that could run in integers
    calibrated_on: int  # photos
    held_out: int  # photos, others, that were measured with
    unreadable: tuple[ImageError, ...] = field(compare=False)  # photos that were left out; an error equals itself alone
    notes: tuple[str, ...]
    stored: bool
    quantisation: Quantisation

    def __repr__(self) -> str:
        sizes = f"{self.int8_bytes / 1e6:.2f} MB instead of {self.float_bytes / 1e6:.2f}"
        return f"<hati.Optimised {self.model}: {self.reason} {sizes}>"

    @property
    def speedup(self) -> float:
        return self.float_latency.median / self.int8_latency.median

    def to_json(self) -> dict[str, Any]:
        return asdict(self) | {"unreadable": [str(error) for error in self.unreadable]}

    @classmethod
    def from_json(cls, found: Any) -> Optimised:
        """Raises ArgumentError where that is none."""
        try:
            told = dict(found)
            told |= {key: Spread(**told[key]) for key in ("float_latency", "int8_latency")}
            told |= {"interval": tuple(told["interval"]), "notes": tuple(told["notes"])}
            told |= {"unreadable": tuple(ImageError(str(reason)) for reason in told["unreadable"])}
            told |= {"in_float": tuple((name, hurt) for name, hurt in told["in_float"])}
            return cls(**told | {"quantisation": Quantisation.from_fields(told["quantisation"])})
        except (TypeError, KeyError, ValueError) as error:
            raise ArgumentError(f"an outcome is damaged: {error}; optimise again") from None


def outcome(model: Model) -> Optimised | None:
    """What was found for these weights on this machine, where anything was."""
    if lazy_weights(model).identity is None:
        return None
    try:
        return Optimised.from_json(json.loads(_place(model).read_bytes()))
    except (OSError, ValueError, RecursionError):
        return None  # not there, or damaged: measuring again mends it


def in_int8(model: Model, name: str | None = None) -> Model:
    """The model in int8, where that was found to replace float.

    Where it was refused, the model as it is, with a PrecisionWarning that says why. `name` is what the model was asked
    for by. Raises ArgumentError where nothing was measured yet.
    """
    from ..engines.onnx.running import OnnxRuntime

    found = outcome(model)
    if found is None:
        raise ArgumentError(
            f"{model.name} was never measured in int8 on this machine with these weights; "
            f"run `hati optimise {name or model.name} --calibrate FOLDER` first, or hati.optimise(model, photos)"
        )
    if not found.replaces_float:
        warnings.warn(f"{model.name} runs in float: {found.reason}", PrecisionWarning, stacklevel=3)
        return model
    return model.running_on(OnnxRuntime(quantisation=found.quantisation))


def stored(model: Model, found: Optimised) -> Optimised:
    if lazy_weights(model).identity is None:
        note = "these weights come from no file, so the outcome is not kept"
        return replace(found, notes=(*found.notes, note))
    place = _place(model)
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        with whole(place) as part:
            part.write_text(json.dumps(replace(found, stored=True).to_json()), encoding="utf-8")
    except OSError as error:
        return replace(found, notes=(*found.notes, f"the outcome could not be kept: {error}"))
    return replace(found, stored=True)


def verdict(agreement: float, floor: float, speedup: float, kept: int) -> str:
    with_kept = f", with {kept} layer{'s' if kept > 1 else ''} kept in float" if kept else ""
    alike = f"it names {agreement:.1%} of the held-out photos as float does{with_kept}"
    faults = [f"{alike}; {floor:.1%} were asked for"] if agreement < floor else []
    if speedup < FASTER:
        faults.append(f"it takes {1 / speedup:.2f} times as long here{'' if faults else with_kept}, which is no gain")
    if faults:
        return f"int8 does not replace float: {', and '.join(faults)}."
    return f"int8 replaces float: it is {speedup:.2f} times as fast here, and {alike}."


def _place(model: Model) -> Path:
    """One file for one graph, the content of one file of weights, this processor and these versions."""
    import onnxruntime

    identity, here = lazy_weights(model).identity, machine()
    state = (model.graph.fingerprint(), identity, here.processor, here.cores, __version__, onnxruntime.__version__)
    return folder("optimised") / f"{file_name(model.name, *state)}.json"
