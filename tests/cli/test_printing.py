"""What commands print for programs and for people."""

import json
from pathlib import Path
from typing import Any

import pytest

from hati.cli.printing import print_fault, print_json


def refused(constant: str) -> Any:
    raise AssertionError(f"{constant} is not JSON")


def test_json_is_strict(capsys: pytest.CaptureFixture[str]) -> None:
    print_json({"score": float("nan"), "rows": [(float("inf"), 0.5)], "path": Path("a"), "none": None})
    said = capsys.readouterr().out
    assert said.count("\n") == 1
    assert json.loads(said, parse_constant=refused) == {"score": None, "rows": [[None, 0.5]], "path": "a", "none": None}


def test_a_fault_is_one_line_whatever_a_file_is_called(capsys: pytest.CaptureFixture[str]) -> None:
    print_fault("two\nlines.png: there is no such file")
    assert capsys.readouterr() == ("", "hati: two lines.png: there is no such file\n")
