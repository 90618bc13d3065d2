"""The page on devices does what it says, from a folder of photos to a device of its own."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"
pytestmark = pytest.mark.long

WALK = "## Which model"  # where the walk ends, and minutes of measuring begin


@pytest.fixture(scope="module")
def walked(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """What the page's commands print today."""
    page = tmp_path_factory.mktemp("docs") / "devices.md"
    page.write_text((DOCS / "devices.md").read_text().partition(WALK)[0])
    command = [sys.executable, str(DOCS / "run_commands.py"), str(page), "--photos", str(shared)]
    subprocess.run(command, check=True, capture_output=True)
    return page.read_text()


@pytest.mark.parametrize(
    "told",
    [
        r"insects\.safetensors: efficientnet_lite0, 2 classes",
        r"efficientnet_lite0 as tflite in int8, calibrated on 128 photos",
        r"insects\.tflite is written: it names (9[5-9]|100)\.\d% of 153 photos as the model does",
        r"an Edge TPU takes +(\d+) of \1 operators",
        r"insects-kit is a kit",
        r"classify\.py\n",
        r"\.jpg\n +0\.\d+  bees",
        r"(\w+\.png is as expected.*\n){4}",
        r"taught here: flowers \(\d+ photos\)",
        r"\d\.\d+  flowers",
        r"Nothing is written: .*; 99\.5% were asked for",
        r"hurts most",
        r"exit status 1",
        r"insects\.onnx is written: it names 100\.0% of 153 photos",
    ],
)
def test_it_prints(walked: str, told: str) -> None:
    assert re.search(told, walked), walked


def test_nothing_goes_wrong(walked: str) -> None:
    assert "Traceback" not in walked
    assert "Error" not in walked
