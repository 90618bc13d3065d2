"""Pictures per second on a GPU in half precision: hati's engines beside PyTorch, eager and compiled.

    PYTHONPATH=tests/support python benchmarks/on_gpu.py [--seconds 2] [--out benchmarks/gpu_results.json]

The same graphs with the same weights everywhere; each engine's time with the transfers to the GPU and back, and that
of the network alone, in turns. Without a GPU the same rows say why they were not measured.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import click
import numpy as np
from oracle import lively

import hati
from hati.engines.torch.running import TorchSession, cuda_is_here
from hati.errors import ArgumentError
from hati.keras import applications
from hati.network.graph import Graph
from hati.network.layers import known
from hati.tools.files import whole
from hati.tools.machine import machine
from hati.tools.measuring import Work, side_by_side
from hati.tools.tables import table
from hati.weights import from_arrays

Array = np.ndarray
Arrays = dict[str, Array]

NETWORKS, BATCHES = ("ResNet50", "EfficientNetV2S"), (1, 32, 256)
RESULTS = Path(__file__).with_name("gpu_results.json")
HEADERS = ("Network", "Batch", "Engine", "Images/s", "Network alone", "Difference")
NO_GPU = "not measured: no CUDA device on this machine"


@dataclass(frozen=True)
class Place:
    """Where and how all engines compute."""

    device: str = "cuda"
    half: bool = True


@dataclass(frozen=True)
class Row:
    """What one engine does: pictures per second, and the largest difference of a score from float32's."""

    network: str
    batch: int
    engine: str
    with_transfers: float | None = None
    alone: float | None = None
    difference: float | None = None
    reason: str = ""  # why there are no figures

    def cells(self) -> tuple[str, ...]:
        name = (self.network, str(self.batch), self.engine)
        if self.with_transfers is None or self.alone is None or self.difference is None:
            return (*name, self.reason, "", "")
        return (*name, f"{self.with_transfers:,.0f}", f"{self.alone:,.0f}", f"{self.difference:.0e}")


class Engine(Protocol):
    def answer(self, x: Array) -> Array:
        """From an array here to an array here."""

    def alone(self, x: Array) -> Work:
        """The network's work on pictures that lie on the device by now; it ends when the device is done."""


class HatiWithPyTorch:
    def __init__(self, graph: Graph, arrays: Arrays, place: Place):
        self._session = TorchSession(graph, arrays, place.device, half=place.half)

    def answer(self, x: Array) -> Array:
        return self._session(x)

    def alone(self, x: Array) -> Work:
        return partial(_computed, self._session.compute, self._session.upload(x))


class HatiWithOnnxRuntime:
    def __init__(self, graph: Graph, arrays: Arrays, place: Place):
        from hati.engines.onnx.running import OnnxRuntime, has_device

        device: Any = place.device
        if not has_device(device):
            raise ArgumentError(f"ONNX Runtime has no provider for {device}; install onnxruntime-gpu")
        self._device = device
        self._session = OnnxRuntime(device=device, half=place.half).session(graph, from_arrays(arrays, graph))

    def answer(self, x: Array) -> Array:
        return self._session(x)

    def alone(self, x: Array) -> Work:
        from onnxruntime import OrtValue

        session = self._session._session
        binding = session.io_binding()
        binding.bind_ortvalue_input("image", OrtValue.ortvalue_from_numpy(x, self._device, 0))
        binding.bind_output("output", self._device)

        def work() -> None:
            session.run_with_iobinding(binding)
            binding.synchronize_outputs()

        return work


class PyTorch:
    """The graph as a module, batch norm and all, channels last; compiled, where a mode is given."""

    def __init__(self, graph: Graph, arrays: Arrays, place: Place, mode: str | None = None):
        import torch

        from hati.engines.torch.translation import Network

        self._device, self._kind = place.device, torch.float16 if place.half else torch.float32
        network = Network(graph, arrays).eval().requires_grad_(False).to(self._device, self._kind)
        self._network: Callable[..., Any] = network
        if mode is not None:
            self._network = torch.compile(network, mode=mode, dynamic=False)  # for this size of batch alone

    def answer(self, x: Array) -> Array:
        import torch

        with torch.inference_mode():
            return np.asarray(self._network(self._upload(x)).float().cpu())

    def alone(self, x: Array) -> Work:
        import torch

        return partial(_computed, torch.inference_mode()(self._network), self._upload(x))

    def _upload(self, x: Array) -> Any:
        import torch

        return torch.from_numpy(x).to(self._device, self._kind)


def _computed(network: Callable[..., Any], x: Any) -> None:
    import torch

    network(x)
    if x.is_cuda:
        torch.cuda.synchronize()


Make = Callable[[Graph, Arrays, Place], Engine]
ENGINES: dict[str, Make] = {
    "hati, PyTorch": HatiWithPyTorch,
    "hati, ONNX Runtime": HatiWithOnnxRuntime,
    "PyTorch eager": PyTorch,
    "PyTorch compiled": partial(PyTorch, mode="default"),
    "PyTorch compiled, CUDA graphs": partial(PyTorch, mode="reduce-overhead"),
}


@dataclass(frozen=True)
class Ready:
    """An engine that has answered once, rightly or not; its works on one batch."""

    difference: float
    with_transfers: Work
    alone: Work


def ready(engine: Engine, x: Array, exact: Array) -> Ready:
    difference = np.abs(engine.answer(x)[: len(exact)] - exact).max()
    alone = engine.alone(x)
    alone()
    return Ready(float(difference), partial(engine.answer, x), alone)


def measured(
    network: str, graph: Graph, batch: int, place: Place, engines: Mapping[str, Make], seconds: float
) -> list[Row]:
    """A row for each engine, their times taken in turns; one that fails has its reason instead of figures."""
    import torch

    torch.compiler.reset()  # it stops compiling after some sizes of batch
    arrays = lively(graph)
    x = np.random.default_rng(0).uniform(-1, 1, (batch, *known(graph.input.shape))).astype(np.float32)
    exact = TorchSession(graph, arrays, "cpu")(x[:1])
    rows = {name: Row(network, batch, name) for name in engines}
    works: dict[str, Ready] = {}
    for name, make in engines.items():
        try:
            works[name] = ready(make(graph, arrays, place), x, exact)
        except Exception as error:  # one engine's trouble is its own row's
            rows[name] = replace(rows[name], reason=f"failed: {_first_line(error)}")
    whole = side_by_side({name: work.with_transfers for name, work in works.items()}, seconds=seconds)
    alone = side_by_side({name: work.alone for name, work in works.items()}, seconds=seconds)
    for name, work in works.items():
        speed, bare = (batch / spreads[name].median for spreads in (whole, alone))
        rows[name] = replace(rows[name], with_transfers=speed, alone=bare, difference=work.difference)
    return list(rows.values())


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0] or type(error).__name__


def not_measured(pieces: Iterable[tuple[str, int]], reason: str) -> list[Row]:
    return [Row(network, batch, engine, reason=reason) for network, batch in pieces for engine in ENGINES]


def drawn(rows: Iterable[Row], title: str) -> str:
    return table(HEADERS, [row.cells() for row in rows], right=(1, 3, 4, 5), title=title)


def write(out: Path, rows: Iterable[Row]) -> None:
    """The rows, and all that they depend on; the file is whole at every moment."""
    found = {"gpu": gpu(), "precision": "float16", "versions": versions(), "machine": asdict(machine())}
    with whole(out) as part:
        part.write_text(json.dumps(found | {"rows": [asdict(row) for row in rows]}, indent=1) + "\n")


def has_figures(out: Path) -> bool:
    return out.exists() and any(row["alone"] is not None for row in json.loads(out.read_text())["rows"])


def gpu() -> str | None:
    if not cuda_is_here():
        return None
    import torch

    return torch.cuda.get_device_name()


def versions() -> dict[str, str]:
    import onnxruntime
    import torch

    found = {"hati": hati.__version__, "torch": torch.__version__, "onnxruntime": onnxruntime.__version__}
    if gpu():
        found |= {"CUDA": str(torch.version.cuda), "cuDNN": str(torch.backends.cudnn.version())}  # type: ignore[no-untyped-call]
    return found


@click.command()
@click.option("--seconds", default=2.0, show_default=True, help="For each engine, network and batch.")
@click.option(
    "--out", default=RESULTS, type=click.Path(dir_okay=False, path_type=Path), show_default="beside the script"
)
def main(seconds: float, out: Path) -> None:
    """Print and write what every engine does with every network and batch."""
    pieces = [(network, batch) for network in NETWORKS for batch in BATCHES]
    if not cuda_is_here():
        rows = not_measured(pieces, NO_GPU)
        if has_figures(out):
            print(f"{out} holds figures of another machine and stays as it is")
        else:
            write(out, rows)
        print(drawn(rows, NO_GPU))
        return
    rows = []
    for number, (network, batch) in enumerate(pieces, 1):
        graph = getattr(applications, network)(weights=None).graph
        rows += measured(network, graph, batch, Place(), ENGINES, seconds)
        write(out, rows + not_measured(pieces[number:], "not measured: the run ended before"))
    print(drawn(rows, f"{gpu()}, float16, " + ", ".join(map(" ".join, versions().items()))))


if __name__ == "__main__":
    main()
