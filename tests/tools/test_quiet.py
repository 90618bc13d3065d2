"""Silence for one, and for nobody else."""

import os
import subprocess
import sys
import threading
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from hati.tools import quiet

THREADS = 8


def together(work: Callable[[int], None]) -> None:
    """Eight threads, each with the work begun before any has ended it."""
    started = threading.Barrier(THREADS)

    def one(number: int) -> None:
        started.wait()
        work(number)

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(one, range(THREADS)))


def test_a_warning_stays_unsaid_even_where_warnings_are_errors() -> None:
    with quiet.warnings():
        warnings.warn("unheard", UserWarning, stacklevel=1)
    with pytest.raises(UserWarning, match="heard"):
        warnings.warn("heard", UserWarning, stacklevel=1)


def test_of_some_categories_the_others_are_said() -> None:
    with quiet.warnings(DeprecationWarning):
        warnings.warn("unheard", DeprecationWarning, stacklevel=1)
        with pytest.raises(UserWarning, match="heard"):
            warnings.warn("heard", UserWarning, stacklevel=1)


def test_silence_within_silence_ends_with_the_outer_one() -> None:
    with quiet.warnings():
        with quiet.warnings(DeprecationWarning):
            pass
        warnings.warn("unheard", UserWarning, stacklevel=1)


def test_one_thread_is_heard_while_seven_are_silent() -> None:
    heard = []

    def work(number: int) -> None:
        if number:
            with quiet.warnings():
                for _ in range(200):
                    warnings.warn("unheard", UserWarning, stacklevel=1)
        else:
            for _ in range(200):
                with pytest.raises(UserWarning, match="heard"):
                    warnings.warn("heard", UserWarning, stacklevel=1)
                heard.append(True)

    together(work)
    assert len(heard) == 200


def test_eight_threads_leave_the_filters_as_they_found_them() -> None:
    before = list(warnings.filters)

    def work(_: int) -> None:
        for _ in range(100):
            with quiet.warnings():
                warnings.warn("unheard", UserWarning, stacklevel=1)

    together(work)
    assert list(warnings.filters) == before


def test_filters_that_others_set_meanwhile_stay() -> None:
    with warnings.catch_warnings():
        with quiet.warnings():
            warnings.filterwarnings("ignore", "mine")
        warnings.warn("mine", UserWarning, stacklevel=1)


def test_eight_threads_leave_standard_error_as_they_found_it(capfd: pytest.CaptureFixture[str]) -> None:
    where = os.fstat(2)

    def work(number: int) -> None:
        for _ in range(50):
            with quiet.native("INFO: "):
                os.write(2, b"INFO: unwanted\n")
                os.write(2, b"wanted %d\n" % number)

    together(work)
    assert (os.fstat(2).st_dev, os.fstat(2).st_ino) == (where.st_dev, where.st_ino)
    said = capfd.readouterr().err.splitlines()
    assert sorted(said) == sorted(f"wanted {number}" for number in range(THREADS) for _ in range(50))


CLOSED = """
import os
from hati.tools import quiet
os.close(2)
with quiet.native("INFO: "):
    pass
print("went on")
"""


def test_a_standard_error_that_is_closed_is_no_reason_to_stop() -> None:
    done = subprocess.run([sys.executable, "-c", CLOSED], stdout=subprocess.PIPE, text=True, check=True)
    assert done.stdout == "went on\n"
