"""How what is missing can be had: from hati's own source, and from nowhere else."""

import re
from pathlib import Path

import hati
from hati.tools.extras import brings

ROOT = Path(hati.__file__).parent


def test_an_extra_is_installed_from_the_checkout() -> None:
    assert brings("train") == 'pip install ".[train]" in hati\'s checkout'


def test_no_message_sends_anybody_to_an_index_for_hati() -> None:
    sending = re.compile(r"hati\[|pip install [\"']?hati\b")
    assert not [path for path in ROOT.rglob("*.py") if sending.search(path.read_text())]
