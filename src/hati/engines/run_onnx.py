"""ONNX Runtime: a graph and its weights compiled once, kept in the cache, and run."""

import hashlib
import platform
import time
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path

import numpy as np
import onnxruntime
from onnxruntime import OrtValue

from .. import __version__
from ..cache import folder, part_of
from ..graph import Graph
from ..weights import Weights

Array = np.ndarray

FATAL = 4  # ONNX Runtime's log level; what fails below it is raised as well
STALE_SECONDS = 3600  # a part file of that age was left by a process that was killed


class Session:
    """A compiled graph. Calls from several threads may overlap."""

    def __init__(
        self,
        model: bytes | Path,
        beside: Mapping[str, Array] | None = None,
        *,
        optimised: bool = False,
        save_as: Path | None = None,
    ):
        """`beside` are weights that the model names but does not hold; ONNX Runtime uses them where they lie."""
        levels = onnxruntime.GraphOptimizationLevel
        options = onnxruntime.SessionOptions()
        options.log_severity_level = FATAL
        options.graph_optimization_level = levels.ORT_DISABLE_ALL if optimised else levels.ORT_ENABLE_ALL
        if save_as is not None:
            options.optimized_model_filepath = str(save_as)
        if beside:
            options.add_external_initializers(list(beside), list(map(OrtValue.ortvalue_from_numpy, beside.values())))
        self._beside = beside
        source = str(model) if isinstance(model, Path) else model
        self._session = onnxruntime.InferenceSession(source, options, providers=["CPUExecutionProvider"])

    def __call__(self, x: Array) -> Array:
        """x: (batch, height, width, channels) float32, in one piece of memory -> the graph's output."""
        (y,) = self._session.run(None, {"image": x})
        return np.asarray(y)


def session(graph: Graph, weights: Weights) -> Session:
    """A graph ready to run: from the cache where it was compiled before, else compiled now and put there."""
    return cached(graph, weights) or _compile(graph, weights)


def cached(graph: Graph, weights: Weights) -> Session | None:
    """The compiled graph from the cache; None where it is missing, damaged, or was made from something else."""
    if weights.identity is None:
        return None
    slot, key = _slot(graph, weights), _key(weights)
    for path in folder("compiled").glob(f"{slot}.{key}.*.onnx"):
        try:
            if _digest(path) == path.suffixes[-2].removeprefix("."):
                return Session(path, optimised=True)
        except Exception:  # whatever is wrong with the entry, compiling again mends it
            continue
    return None


def _compile(graph: Graph, weights: Weights) -> Session:
    from ..passes import for_inference
    from .to_onnx import export_with_weights_beside

    proto, beside = export_with_weights_beside(*for_inference(graph, weights.arrays()))
    model = proto.SerializeToString()
    weights.release()
    if weights.identity is None:
        return Session(model, beside)
    slot, key = _slot(graph, weights), _key(weights)
    part = part_of(folder("compiled") / slot)
    try:
        part.parent.mkdir(parents=True, exist_ok=True)
        Session(model, beside, save_as=part)
        _clear(slot)
        path = part.replace(part.with_name(f"{slot}.{key}.{_digest(part)}.onnx"))
        return Session(path, optimised=True)  # which holds the weights once, where the other holds them twice
    except Exception:  # a cache that is full or cannot be written costs time, never an answer
        return Session(model, beside)
    finally:
        with suppress(OSError):
            part.unlink()


def _clear(slot: str) -> None:
    """Drop what this graph left before: entries of an older file or version, and parts of killed processes."""
    for old in folder("compiled").glob(f"{slot}.*.onnx"):
        old.unlink(missing_ok=True)
    for part in folder("compiled").glob(f".{slot}.*.part"):
        if time.time() - part.stat().st_mtime > STALE_SECONDS:
            part.unlink(missing_ok=True)


def _slot(graph: Graph, weights: Weights) -> str:
    """One place in the cache for one graph with the weights of one file."""
    assert weights.identity is not None
    layers = [f"{node.name} {node.layer} {[x.name for x in node.inputs]}" for node in graph.nodes]
    return f"{graph.name}-{_short(repr((weights.identity.place, layers)))}"


def _key(weights: Weights) -> str:
    """Everything else that the compiled graph depends on."""
    assert weights.identity is not None
    return _short(f"{weights.identity.state} hati {__version__} onnxruntime {onnxruntime.__version__} {_processor()}")


@cache
def _processor() -> str:
    """ONNX Runtime lays weights out for the processor it compiles on."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return f"{platform.system()} {platform.machine()} {platform.node()}"
    told = dict.fromkeys(line for line in lines if line.startswith(("model name", "flags", "Features", "CPU part")))
    return f"{platform.machine()} {' '.join(told)}"


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _short(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]
