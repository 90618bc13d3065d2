"""Which engine a device and a precision get."""

from importlib.util import find_spec

import pytest

from hati.engines import Device, Engine, Precision, devices
from hati.engines.onnx import running as onnx_running
from hati.engines.torch import running as torch_running
from hati.errors import ArgumentError


def test_the_processor_has_onnx_runtime() -> None:
    assert devices.engine() == onnx_running.OnnxRuntime()


@pytest.mark.parametrize(
    ("device", "precision", "message"),
    [
        ("tpu", "float32", "device is 'tpu'; it can be 'cpu' or 'cuda'"),
        ("cpu", "int4", "precision is 'int4'; it can be 'float32', 'float16' or 'int8'"),
        ("cuda", "int8", "precision is 'int8'; on a GPU it can be 'float32' or 'float16'"),
        ("cpu", "float16", "float16 is for a GPU"),
    ],
)
def test_what_no_engine_does_is_said(device: Device, precision: Precision, message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        devices.engine(device, precision)


@pytest.mark.parametrize(("has_provider", "precision"), [(True, "float32"), (True, "float16"), (False, "float16")])
def test_a_gpu_has_the_engine_that_is_installed(
    monkeypatch: pytest.MonkeyPatch, has_provider: bool, precision: Precision
) -> None:
    monkeypatch.setattr(onnx_running, "has_device", lambda device: has_provider)
    monkeypatch.setattr(torch_running, "find_device", lambda name: None)
    half = precision == "float16"
    expected: Engine = (
        onnx_running.OnnxRuntime(device="cuda", half=half) if has_provider else torch_running.PyTorch(half=half)
    )
    assert devices.engine("cuda", precision) == expected


@pytest.mark.skipif(find_spec("torch") is None, reason="PyTorch is not installed")
def test_a_gpu_that_is_not_here_is_said_to_be_missing() -> None:
    import torch

    import hati

    if torch.cuda.is_available() or onnx_running.has_device("cuda"):
        pytest.skip("there is a GPU here")
    with pytest.raises(ArgumentError, match="cuda"):
        hati.load("MobileNet_0.25_224", weights=None, device="cuda")
