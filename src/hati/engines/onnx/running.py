"""ONNX Runtime: a graph and its weights compiled once, kept in the cache, and run."""

from __future__ import annotations

import hashlib
import shutil
import time
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import numpy as np
import onnxruntime

from ... import __version__
from ...network.graph import Graph
from ...tools.arrays import Array
from ...tools.cache import folder
from ...tools.files import digest, file_name, take_place, workshop
from ...tools.log import log
from ...tools.machine import processor_identity
from ...weights import Weights
from .. import Device, Precision

if TYPE_CHECKING:
    from ..quantisation import Quantisation


PROVIDERS = {"cpu": "CPUExecutionProvider", "cuda": "CUDAExecutionProvider"}
FATAL = 4  # ONNX Runtime's log level; what fails below it is raised as well
STALE_SECONDS = 3600  # a part of that age was left by a process that was killed
GRAPH, WEIGHTS = "graph.onnx", "graph.weights"  # the files of an entry


class OnnxSession:
    """A compiled graph. Calls from several threads may overlap."""

    def __init__(
        self,
        model: bytes | Path,
        *,
        device: Device = "cpu",
        threads: int = 0,
        optimised: bool = False,
        save_as: Path | None = None,
    ):
        levels = onnxruntime.GraphOptimizationLevel
        options = onnxruntime.SessionOptions()
        options.log_severity_level = FATAL
        options.intra_op_num_threads = threads
        options.graph_optimization_level = levels.ORT_DISABLE_ALL if optimised else levels.ORT_ENABLE_ALL
        if save_as is not None:
            options.optimized_model_filepath = str(save_as)
            beside = "session.optimized_model_external_initializers"
            options.add_session_config_entry(f"{beside}_file_name", WEIGHTS)
            options.add_session_config_entry(f"{beside}_min_size_in_bytes", "1024")
        source = str(model) if isinstance(model, Path) else model
        self._session = onnxruntime.InferenceSession(source, options, providers=[PROVIDERS[device]])

    def __call__(self, x: Array) -> Array:
        """x: (batch, height, width, channels) float32, in one piece of memory -> the graph's output."""
        (y,) = self._session.run(None, {"image": x})
        return np.asarray(y)


def has_device(device: Device) -> bool:
    return PROVIDERS[device] in onnxruntime.get_available_providers()


@dataclass(frozen=True)
class OnnxRuntime:
    """The engine; with a quantisation, in int8, and with `half`, in float16."""

    quantisation: Quantisation | None = None
    device: Device = "cpu"
    half: bool = False
    threads: int = 0  # of each call; 0, one for every core

    @property
    def precision(self) -> Precision:
        return "int8" if self.quantisation else "float16" if self.half else "float32"

    def shared(self) -> OnnxRuntime:
        """The same engine for sessions that several threads call at once, each to have a core of its own."""
        return replace(self, threads=1)

    def session(self, graph: Graph, weights: Weights) -> OnnxSession:
        """A graph ready to run: from the cache where it was compiled before, else compiled now and put there."""
        return self.cached(graph, weights) or self._compile(graph, weights)

    def cached(self, graph: Graph, weights: Weights) -> OnnxSession | None:
        """The compiled graph from the cache; None where it is missing, damaged, or was made from something else."""
        if weights.identity is None:
            return None
        for entry in folder("compiled").glob(f"{self._slot(graph, weights)}.{self._key(weights)}.*"):
            try:
                if _is_whole(entry):
                    session = self._open(entry / GRAPH, optimised=True)
                    log.debug(
                        "%s: by ONNX Runtime in %s on %s, compiled before: %s",
                        graph.name,
                        self.precision,
                        self.device,
                        entry,
                    )
                    return session
            except Exception:  # whatever is wrong with the entry, compiling again mends it
                continue
        return None

    def _open(self, model: bytes | Path, *, optimised: bool = False) -> OnnxSession:
        return OnnxSession(model, device=self.device, threads=self.threads, optimised=optimised)

    def _compile(self, graph: Graph, weights: Weights) -> OnnxSession:
        log.debug("%s: by ONNX Runtime in %s on %s, compiled now", graph.name, self.precision, self.device)
        try:
            if weights.identity is None:
                with TemporaryDirectory(prefix="hati-", ignore_cleanup_errors=True) as shop:
                    return self._open(self._write(graph, weights, Path(shop)))
            with workshop(folder("compiled") / self._slot(graph, weights)) as shop:
                return self._open(self._keep(self._write(graph, weights, shop), graph, weights), optimised=True)
        except Exception as error:  # a disk that is full or cannot be written costs memory and time, never an answer
            log.info("%s: its compiled graph cannot be kept (%s)", graph.name, error)
            return self._open(self._written(graph, weights))

    def _keep(self, model: Path, graph: Graph, weights: Weights) -> Path:
        """The compiled graph of a model, in its place in the cache."""
        slot = self._slot(graph, weights)
        kept = model.parent / "kept"
        kept.mkdir()
        OnnxSession(model, device=self.device, save_as=kept / GRAPH)
        entry = folder("compiled") / f"{slot}.{self._key(weights)}.{_digest(kept)}"
        if not (entry.exists() and _is_whole(entry)):  # another process may have been faster
            _clear(slot)
            take_place(kept, entry)
        return entry / GRAPH

    def _write(self, graph: Graph, weights: Weights, shop: Path) -> Path:
        """The graph for ONNX Runtime as a file, with its weights beside it."""
        from ...network.passes import for_inference
        from .translation import write

        path = shop / GRAPH
        if self.quantisation is None and not self.half:
            write(*for_inference(graph, weights.arrays()), path)
            weights.release()
        else:
            path.write_bytes(self._written(graph, weights))
        return path

    def _written(self, graph: Graph, weights: Weights) -> bytes:
        """The same in memory, in one piece."""
        from ...network.passes import for_inference
        from . import translation

        graph, arrays = for_inference(graph, weights.arrays())
        weights.release()
        if self.quantisation is not None:
            from .integers import export_int8

            return export_int8(graph, arrays, self.quantisation).SerializeToString()
        model = translation.export(graph, arrays)
        return (translation.in_half_precision(model) if self.half else model).SerializeToString()

    def _slot(self, graph: Graph, weights: Weights) -> str:
        """One place in the cache for one graph with the weights of one file."""
        assert weights.identity is not None
        return file_name(graph.name, weights.identity.place, graph.fingerprint(), self.precision, self.device)

    def _key(self, weights: Weights) -> str:
        """Everything else that the compiled graph depends on."""
        assert weights.identity is not None
        versions = __version__, onnxruntime.__version__
        integers = self.quantisation.to_json() if self.quantisation else None
        return digest(weights.identity.state, versions, processor_identity(), integers)[:16]


def _clear(slot: str) -> None:
    """Drop what this graph left before: entries of an older file or version, and parts of killed processes."""
    for old in folder("compiled").glob(f"{slot}.*"):
        shutil.rmtree(old, ignore_errors=True)
    for part in folder("compiled").glob(f".{slot}.*.part"):
        with suppress(OSError):
            if time.time() - part.stat().st_mtime > STALE_SECONDS:
                shutil.rmtree(part)


def _is_whole(entry: Path) -> bool:
    return _digest(entry) == entry.suffix.removeprefix(".")


def _digest(entry: Path) -> str:
    """Of every file of an entry, its name and its content."""
    total = hashlib.sha256()
    for path in sorted(entry.iterdir()):
        with path.open("rb") as file:
            total.update(f"{path.name} {hashlib.file_digest(file, 'sha256').hexdigest()} ".encode())
    return total.hexdigest()
