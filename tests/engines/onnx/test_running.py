"""The compiled graph in the cache: made once, used ever after, never trusted blindly."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from hati.engines import in_numpy
from hati.engines.onnx import running
from hati.network.architectures.blocks import Top
from hati.network.architectures.mobilenet import mobilenet
from hati.network.graph import Graph
from hati.weights import Weights, from_file, random

ENGINE = running.OnnxRuntime()
X = np.random.default_rng(0).uniform(-1, 1, (1, 32, 32, 3)).astype(np.float32)


def small() -> Graph:
    return mobilenet((32, 32, 3), Top(classes=5), alpha=0.25)


@pytest.fixture
def weights(tmp_path: Path) -> Weights:
    return stored(tmp_path / "weights.npz", seed=1)


def stored(path: Path, seed: int) -> Weights:
    np.savez(path, **random(small(), seed).arrays())  # type: ignore[arg-type]
    return from_file(path, small())


def entries(cache: Path) -> list[Path]:
    return sorted((cache / "compiled").iterdir())


def expected(weights: Weights) -> np.ndarray:
    return in_numpy.run(small(), weights.arrays(), X)


def test_a_graph_is_compiled_once_and_read_from_the_cache_after(empty_cache: Path, weights: Weights) -> None:
    assert ENGINE.cached(small(), weights) is None
    first = ENGINE.session(small(), weights)(X)
    [entry] = entries(empty_cache)
    written = entry.stat().st_mtime_ns
    weights_that_must_not_be_read = Weights(lambda: pytest.fail("the weights were read again"), weights.identity)
    second = ENGINE.session(small(), weights_that_must_not_be_read)(X)
    np.testing.assert_array_equal(first, second)
    np.testing.assert_allclose(first, expected(weights), atol=1e-6)
    assert entries(empty_cache) == [entry]
    assert entry.stat().st_mtime_ns == written


@pytest.mark.parametrize("file", ["graph.onnx", "graph.weights"])
@pytest.mark.parametrize("damage", ["truncate", "flip a bit", "empty", "another file's content", "missing"])
def test_a_damaged_entry_is_rebuilt(empty_cache: Path, weights: Weights, damage: str, file: str) -> None:
    ENGINE.session(small(), weights)
    [entry] = entries(empty_cache)
    content = bytearray((entry / file).read_bytes())
    (entry / file).unlink()
    match damage:
        case "truncate":
            content = content[: len(content) // 2]
        case "flip a bit":
            content[len(content) // 2] ^= 1
        case "empty":
            content.clear()
        case "another file's content":
            content = bytearray(b"not an ONNX model")
    if damage != "missing":
        (entry / file).write_bytes(content)
    assert ENGINE.cached(small(), weights) is None
    np.testing.assert_allclose(ENGINE.session(small(), weights)(X), expected(weights), atol=1e-6)
    assert ENGINE.cached(small(), weights) is not None
    assert len(entries(empty_cache)) == 1


def test_an_open_session_outlives_its_entry(empty_cache: Path, weights: Weights) -> None:
    session = ENGINE.session(small(), weights)
    shutil.rmtree(empty_cache)
    np.testing.assert_allclose(session(X), expected(weights), atol=1e-6)


def test_the_engine_with_other_settings_keeps_entries_of_its_own(empty_cache: Path, weights: Weights) -> None:
    half = running.OnnxRuntime(half=True)
    ENGINE.session(small(), weights)
    np.testing.assert_allclose(half.session(small(), weights)(X), expected(weights), atol=1e-3)
    assert ENGINE.cached(small(), weights)
    assert half.cached(small(), weights)


def test_a_changed_file_takes_the_place_of_the_old_entry(empty_cache: Path, tmp_path: Path, weights: Weights) -> None:
    ENGINE.session(small(), weights)
    [old] = entries(empty_cache)
    changed = stored(tmp_path / "weights.npz", seed=2)
    np.testing.assert_allclose(ENGINE.session(small(), changed)(X), expected(changed), atol=1e-6)
    [new] = entries(empty_cache)
    assert new != old


@pytest.mark.parametrize("name", ["__version__", "onnxruntime.__version__"])
def test_another_version_compiles_again(
    empty_cache: Path, weights: Weights, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    ENGINE.session(small(), weights)
    monkeypatch.setattr(f"hati.engines.onnx.running.{name}", "0.0.0")
    assert ENGINE.cached(small(), weights) is None


def test_graphs_of_one_file_keep_entries_of_their_own(empty_cache: Path, weights: Weights) -> None:
    body = small().cut("conv_pw_13_relu")
    ENGINE.session(small(), weights)
    ENGINE.session(body, weights.of(body))
    assert len(entries(empty_cache)) == 2
    assert ENGINE.cached(small(), weights)
    assert ENGINE.cached(body, weights.of(body))


def test_weights_without_a_file_leave_nothing_in_the_cache(empty_cache: Path) -> None:
    ENGINE.session(small(), random(small()))
    assert not (empty_cache / "compiled").exists()


def test_a_cache_that_cannot_be_written_costs_no_answer(
    tmp_path: Path, weights: Weights, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "cache").write_text("a file where the folder should be")
    monkeypatch.setenv("HATI_CACHE", str(tmp_path / "cache"))
    np.testing.assert_allclose(ENGINE.session(small(), weights)(X), expected(weights), atol=1e-6)


def test_parts_of_killed_processes_are_swept_away(empty_cache: Path, tmp_path: Path, weights: Weights) -> None:
    ENGINE.session(small(), weights)
    [entry] = entries(empty_cache)
    slot = entry.name.partition(".")[0]
    old, fresh = (entry.with_name(f".{slot}.{age}.part") for age in ("old", "fresh"))
    old.mkdir()
    fresh.mkdir()
    os.utime(old, (0, 0))
    ENGINE.session(small(), stored(tmp_path / "weights.npz", seed=2))
    assert (old.exists(), fresh.exists()) == (False, True)


PREDICT = """
import numpy as np, sys
import hati
print(float(hati.load().predict(np.zeros((1, 224, 224, 3), "f")).max()))
"""


def test_processes_that_compile_at_once_all_answer(empty_cache: Path) -> None:
    command = [sys.executable, "-c", PREDICT]
    started = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    answers = {process.communicate()[0] for process in started}
    assert len(answers) == 1
    assert all(process.returncode == 0 for process in started)
    [entry] = entries(empty_cache)
    assert {path.name for path in entry.iterdir()} == {running.GRAPH, running.WEIGHTS}


@pytest.mark.parametrize("name", ["../../escaped", "/escaped", "a[b]", "C:\\escaped", "con", "...", "হাতি"])
def test_no_name_leads_out_of_the_cache_or_is_lost_in_it(
    weights: Weights, tmp_path: Path, empty_cache: Path, name: str
) -> None:
    graph, before = Graph(small().output, name), {*tmp_path.iterdir()}
    ENGINE.session(graph, weights)(X)
    assert {*tmp_path.iterdir()} - before == {empty_cache}
    assert ENGINE.cached(graph, weights)
