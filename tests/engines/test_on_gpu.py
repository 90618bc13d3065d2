"""The GPU benchmark, with a tiny network on the processor; and what it says without a GPU."""

import json
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from hati.engines.torch.running import cuda_is_here
from hati.errors import ArgumentError
from hati.network.architectures.blocks import Top
from hati.network.architectures.mobilenet import mobilenet

TINY = mobilenet((32, 32, 3), Top(classes=5), alpha=0.25)


pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture
def benchmark(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(Path(__file__).parents[2] / "benchmarks")
    return import_module("on_gpu")


def test_every_engine_answers_equally_and_has_its_speeds(benchmark: Any) -> None:
    engines = {name: make for name, make in benchmark.ENGINES.items() if "compiled" not in name}
    place = benchmark.Place("cpu", half=False)
    rows = benchmark.measured("Tiny", TINY, 2, place, engines, seconds=0.05)
    assert [(row.network, row.batch, row.engine) for row in rows] == [("Tiny", 2, name) for name in engines]
    for row in rows:
        assert row.difference < 1e-5, row.engine
        assert min(row.with_transfers, row.alone) > 1
        assert "" not in row.cells()


def test_an_engine_that_fails_has_the_reason_in_its_row(benchmark: Any) -> None:
    def broken(*_: object) -> None:
        raise ArgumentError("no room\nfor it")

    engines = {"broken": broken, "sound": benchmark.PyTorch}
    failed, sound = benchmark.measured("Tiny", TINY, 1, benchmark.Place("cpu", half=False), engines, seconds=0.05)
    assert (failed.alone, failed.cells()[3]) == (None, "failed: no room")
    assert sound.alone > 1


@pytest.mark.skipif(cuda_is_here(), reason="here is a GPU")
def test_without_a_gpu_every_row_says_so(benchmark: Any, tmp_path: Path) -> None:
    out = tmp_path / "results.json"
    run = CliRunner().invoke(benchmark.main, ["--out", str(out)])
    assert run.exit_code == 0, run.output
    rows = json.loads(out.read_text())["rows"]
    assert len(rows) == 2 * 3 * len(benchmark.ENGINES)
    assert {row["reason"] for row in rows} == {"not measured: no CUDA device on this machine"}
    assert run.output.count("not measured: no CUDA device on this machine") > len(rows)


@pytest.mark.skipif(cuda_is_here(), reason="here is a GPU")
def test_figures_of_another_machine_are_kept(benchmark: Any, tmp_path: Path) -> None:
    out = tmp_path / "results.json"
    benchmark.write(out, [benchmark.Row("ResNet50", 1, "hati, PyTorch", 100.0, 200.0, 1e-3)])
    before = out.read_bytes()
    run = CliRunner().invoke(benchmark.main, ["--out", str(out)])
    assert (run.exit_code, out.read_bytes()) == (0, before)
    assert "holds figures of another machine and stays as it is" in run.output
