"""The bar that a person sees while waiting, and that nobody else does."""

import inspect
import logging
import os
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from io import StringIO
from typing import Any

import pytest

import hati
from hati.choosing.small_models import small_models
from hati.tools import progress
from hati.tools.progress import bar, bar_of_bytes, track

SLOW = """
import time
from hati.tools import progress
progress.PATIENCE = {patience}
for item in progress.track(range(8), 8, "predict", {verbose!r}):
    time.sleep(0.05)
print("done", item)
"""


def on_a_terminal(patience: float, verbose: Any) -> tuple[bytes, bytes]:
    """What eight pieces of work, 0.4 s in all, write to standard output and to a terminal as standard error."""
    pty = pytest.importorskip("pty", reason="a terminal is made with Python's pty, which Windows lacks")
    ours, theirs = pty.openpty()
    code = SLOW.format(patience=patience, verbose=verbose)
    environment = os.environ | {"TERM": "xterm"}
    running = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=theirs, env=environment)
    os.close(theirs)
    with running:
        shown = b"".join(pieces(ours))
        said, _ = running.communicate(timeout=600)
    os.close(ours)
    return said, shown


def pieces(terminal: int) -> Iterator[bytes]:
    with suppress(OSError):  # how Linux says that the other end is closed
        while piece := os.read(terminal, 4096):
            yield piece


@pytest.mark.parametrize("verbose", [0, 1, 2, "auto"])
@pytest.mark.parametrize("count", [0, 1, 5])
def test_every_item_comes_through(verbose: Any, count: int) -> None:
    assert list(track(iter(range(count)), count, "predict", verbose)) == list(range(count))


@pytest.mark.parametrize("verbose", [0, "auto"])
def test_nothing_is_shown_where_nobody_looks(
    verbose: Any, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "PATIENCE", -1)
    list(track(range(5), 5, "predict", verbose))
    assert capfd.readouterr() == ("", "")


def test_a_bar_that_is_asked_for_goes_to_standard_error(capfd: pytest.CaptureFixture[str]) -> None:
    list(track(range(5), 5, "predict", 1))
    out, err = capfd.readouterr()
    assert out == ""
    assert "predict" in err
    assert "5/5" in err


@pytest.mark.parametrize(
    ("patience", "verbose", "seen"),
    [(0.1, "auto", True), (3600, "auto", False), (3600, 1, True), (0.1, 0, False)],
    ids=["long work", "short work", "asked for", "forbidden"],
)
def test_on_a_terminal_a_bar_is_shown_for_long_work(patience: float, verbose: Any, seen: bool) -> None:
    said, shown = on_a_terminal(patience, verbose)
    assert said == b"done 7\n"
    assert (b"8/8" in shown, b"predict" in shown) == (seen, seen)
    assert bool(shown) == seen


def test_a_bar_ends_with_the_work_it_belongs_to(capfd: pytest.CaptureFixture[str]) -> None:
    work = track(range(5), 5, "predict", 1)
    assert [next(work), next(work), next(work)] == [0, 1, 2]
    work.close()  # type: ignore[attr-defined]
    assert "2/5" in capfd.readouterr().err


def test_an_error_comes_through_the_bar() -> None:
    def failing() -> Iterator[int]:
        yield 1
        raise KeyError("inside")

    with pytest.raises(KeyError, match="inside"):
        list(track(failing(), 2, "predict", 1))


def test_two_threads_may_each_show_a_bar() -> None:
    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(lambda count: list(track(range(count), count, "predict", 1)), (50, 60)))
    assert found == [list(range(50)), list(range(60))]


class UnderACell(StringIO):
    """As a notebook's kernel has it: it is no terminal, and a person reads it."""

    __module__ = "ipykernel.iostream"


@pytest.mark.parametrize(("stream", "seen"), [(UnderACell(), True), (StringIO(), False), (None, False)])
def test_in_a_notebook_a_bar_is_shown_for_long_work(
    stream: StringIO | None, seen: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "PATIENCE", -1)
    monkeypatch.setattr(sys, "stderr", stream)
    assert list(track(range(8), 8, "predict", "auto")) == list(range(8))
    shown = stream.getvalue() if stream else ""
    assert ("predict: 100%" in shown, "8/8" in shown) == (seen, seen)
    assert "\x1b" not in shown, "codes of a terminal mean nothing in a notebook"


CELLS = """
from hati.tools import progress, tables
progress.PATIENCE = -1
for verbose in (1, "auto"):
    list(progress.track(range(8), 8, "predict", verbose))
print(tables.table(("a",), [("b",)]))
"""


def test_a_real_notebook_has_a_bar_of_letters_and_no_other_output() -> None:
    nbclient = pytest.importorskip("nbclient", reason="it runs a notebook: pip install nbclient ipykernel")
    pytest.importorskip("ipykernel", reason="it runs a notebook: pip install nbclient ipykernel")
    nbformat = pytest.importorskip("nbformat", reason="it runs a notebook: pip install nbclient ipykernel")

    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(CELLS)])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what Jupyter says of itself
        nbclient.NotebookClient(notebook, kernel_name="python3", timeout=600).execute()
    outputs = notebook.cells[0].outputs
    assert {(one.output_type, one.get("name")) for one in outputs} == {("stream", "stderr"), ("stream", "stdout")}
    shown = "".join(one.text for one in outputs if one.name == "stderr")
    assert shown.count("predict: 100%") >= 2
    assert "Warning" not in shown


@pytest.mark.parametrize(("total", "shown"), [(2_000_000, "2.00M/2.00M"), (None, "2.00MB ")])
def test_a_bar_counts_bytes(total: int | None, shown: str, capfd: pytest.CaptureFixture[str]) -> None:
    with bar("weights.h5", total, in_bytes=True) as advance:
        for _ in range(4):
            advance(500_000)
    err = capfd.readouterr().err
    assert "weights.h5" in err
    assert shown in err


@pytest.mark.parametrize(("level", "seen"), [(logging.NOTSET, True), (logging.ERROR, False)])
def test_a_file_on_its_way_has_a_bar_unless_only_errors_are_wanted(
    level: int, seen: bool, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(level, "hati")
    with bar_of_bytes("weights.h5", 1000) as advance:
        advance(1000)
    assert ("weights.h5" in capfd.readouterr().err) == seen


@pytest.mark.parametrize(
    "verb", [hati.choose, hati.evaluate, hati.export, hati.optimise, hati.train, hati.Model.predict, small_models]
)
def test_every_verb_shows_a_bar_in_a_terminal_unless_told_otherwise(verb: Callable[..., object]) -> None:
    assert inspect.signature(verb).parameters["verbose"].default == "auto"
