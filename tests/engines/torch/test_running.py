"""PyTorch as the engine: the same answers on the device and in the precision asked for, and clear refusals."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from oracle import lively

from hati.engines import in_numpy
from hati.engines.torch.running import PyTorch, TorchSession, cuda_is_here
from hati.errors import ArgumentError
from hati.network import layers
from hati.network.architectures.blocks import Top
from hati.network.architectures.mobilenet import mobilenet
from hati.network.architectures.resnet_v2 import resnet_v2
from hati.network.graph import Graph
from hati.network.layers import InputLayer
from hati.weights import from_arrays

X = np.random.default_rng(0).uniform(-1, 1, (3, 32, 32, 3)).astype(np.float32)
DEVICES = [
    "cpu",
    pytest.param("cuda", marks=pytest.mark.skipif(not cuda_is_here(), reason="PyTorch finds no GPU here")),
]


pytestmark = pytest.mark.usefixtures("one_thread")


def small() -> Graph:
    return mobilenet((32, 32, 3), Top(classes=5), alpha=0.25)


GRAPHS = {
    "a classifier": small(),
    "logits": mobilenet((32, 32, 3), Top(classes=5, activation="linear"), alpha=0.25),
    "a map": small().cut("conv_pw_5_relu"),
    "a map of scores": Graph(layers.Conv2D(4, 3, activation="softmax")(InputLayer((32, 32, 3))(), name="scores")),
    "batch norm that stays": resnet_v2((32, 32, 3), Top(classes=5), name="resnet50v2"),
}


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize(("half", "exactness"), [(False, 1e-5), (True, 2e-2)], ids=["float32", "float16"])
@pytest.mark.parametrize("graph", GRAPHS.values(), ids=list(GRAPHS))
def test_it_answers_as_numpy_does(graph: Graph, device: str, half: bool, exactness: float) -> None:
    if device == "cuda" and not half:
        exactness = 5e-3  # TF32
    arrays = lively(graph)
    expected = in_numpy.run(graph, arrays, X)
    found = TorchSession(graph, arrays, device, half=half)(X)
    assert found.shape == expected.shape
    assert found.dtype == np.float32
    assert np.abs(found - expected).max() < exactness * np.abs(expected).max()


def test_scores_are_taken_in_float32() -> None:
    """In float16 the smallest would be 0, and all of them add up to something else than 1."""
    graph = Graph(layers.Activation("softmax")(InputLayer((1000,))(), name="scores"))
    x = np.zeros((1, 1000), np.float32)
    x[0, 0] = 20
    scores = TorchSession(graph, {}, "cpu", half=True)(x)
    assert scores.sum() == pytest.approx(1, abs=1e-6)
    np.testing.assert_allclose(scores[0, 1:], np.exp(-20), rtol=1e-3)


def test_threads_may_call_it_at_once() -> None:
    session = TorchSession(small(), lively(small()), "cpu")
    expected = session(X)
    with ThreadPoolExecutor(8) as pool:
        for found in pool.map(session, [X] * 40):
            np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_pictures_that_may_not_be_written_to_are_read() -> None:
    session = TorchSession(small(), lively(small()), "cpu")
    fixed = np.broadcast_to(X[:1], X.shape)
    np.testing.assert_array_equal(session(fixed), session(fixed.copy()))


def test_the_engine_makes_a_session_of_a_models_weights() -> None:
    weights = from_arrays(lively(small()), small())
    engine = PyTorch("cpu")
    assert engine.cached(small(), weights) is None
    np.testing.assert_allclose(
        engine.session(small(), weights)(X), in_numpy.run(small(), weights.arrays(), X), atol=1e-6
    )


@pytest.mark.parametrize(
    ("device", "said"),
    [
        ("gpu", "device='gpu' is not known; it can be 'cuda', 'cuda:1', … or 'cpu'"),
        ("", "device='' is not known"),
        ("cuda:x", "is not known"),
        ("meta", "device='meta' is not supported; it can be 'cuda', 'cuda:1', … or 'cpu'"),
    ],
)
def test_a_device_that_is_none_is_refused(device: str, said: str) -> None:
    with pytest.raises(ArgumentError) as error:
        TorchSession(small(), {}, device)
    assert said in str(error.value)


@pytest.mark.skipif(cuda_is_here(), reason="here is a GPU")
def test_without_a_gpu_it_says_what_was_found_and_what_to_do() -> None:
    with pytest.raises(
        ArgumentError, match=r"device='cuda:1': PyTorch \d+\.\d+.*install the build|nvidia-smi"
    ) as error:
        TorchSession(small(), {}, "cuda:1")
    assert "or take device='cpu'" in str(error.value)


@pytest.mark.skipif(not cuda_is_here(), reason="PyTorch finds no GPU here")
def test_a_gpu_that_is_not_there_is_refused() -> None:
    with pytest.raises(ArgumentError, match="device='cuda:99': the GPUs here are 'cuda:0' to"):
        TorchSession(small(), {}, "cuda:99")


def test_without_pytorch_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    assert not cuda_is_here()
    with pytest.raises(ArgumentError, match=r"device='cuda': PyTorch cannot be imported .*`pip install torch`"):
        TorchSession(small(), {}, "cuda")


def test_a_batch_that_memory_cannot_hold_is_refused_with_its_size() -> None:
    """Here on the processor: two maps of 2⁴⁸ bytes each, more than any process can address."""
    border = (2**22, 2**22)
    session = TorchSession(Graph(layers.ZeroPadding2D((border, border))(InputLayer((1, 1, 1))())), {}, "cpu")
    with pytest.raises(
        ArgumentError, match=r"does not suffice for a batch of 2, 1×1×1 each; take a smaller batch_size"
    ):
        session(np.zeros((2, 1, 1, 1), np.float32))


def test_other_errors_are_not_hidden() -> None:
    session = TorchSession(small(), lively(small()), "cpu")
    with pytest.raises(RuntimeError, match="channels"):
        session(np.zeros((1, 32, 32, 4), np.float32))


def test_a_gpu_is_looked_for_as_pytorch_does() -> None:
    assert cuda_is_here() == torch.cuda.is_available()


def test_the_module_alone_brings_no_pytorch() -> None:
    check = "import hati.engines.torch.running, sys; print('torch' in sys.modules)"
    found = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)
    assert found.stdout.split() == ["False"]
