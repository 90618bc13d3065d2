"""The logger `hati`: silent by itself, and there for whoever listens."""

import logging
import subprocess
import sys
from pathlib import Path

import pytest

import hati
from hati.tools.log import log

ANSWER = "import sys, hati; from hati.tools.log import log; log.warning('heard'); hati.load().classify(sys.argv[1])"
HEARD = "import logging; logging.basicConfig(level='DEBUG', format='%(name)s %(message)s'); "


@pytest.mark.parametrize(("listens", "heard"), [("", False), (HEARD, True)], ids=["nobody", "somebody"])
def test_a_program_hears_only_what_it_asks_for(cat: Path, listens: str, heard: bool) -> None:
    done = subprocess.run([sys.executable, "-c", listens + ANSWER, cat], capture_output=True, text=True, check=True)
    assert done.stdout == ""
    assert ("hati heard\n" in done.stderr) == bool(done.stderr) == heard


def test_what_computes_is_told(empty_cache: Path, cat: Path, caplog: pytest.LogCaptureFixture) -> None:
    kept = empty_cache / "compiled"
    with caplog.at_level(logging.DEBUG, log.name):
        for _ in range(2):
            hati.load().classify(cat)
    first, second = (message for message in caplog.messages if message.startswith("efficientnet_lite0: "))
    assert first == "efficientnet_lite0: by ONNX Runtime in float32 on cpu, compiled now"
    assert second.startswith(f"efficientnet_lite0: by ONNX Runtime in float32 on cpu, compiled before: {kept}")


def test_a_graph_that_cannot_be_kept_is_told(
    tmp_path: Path, cat: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("HATI_CACHE", str(tmp_path / "file"))
    with caplog.at_level(logging.INFO, log.name):
        assert hati.load().classify(cat)
    assert any("its compiled graph cannot be kept" in message for message in caplog.messages)
