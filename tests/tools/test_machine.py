"""What machine this is."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from hati.tools import machine

INTEL = """\
processor\t: 0
model name\t: Intel(R) Xeon(R)
flags\t\t: fpu sse4_2 avx512_vnni
processor\t: 1
model name\t: Intel(R) Xeon(R)
flags\t\t: fpu sse4_2 avx512_vnni
"""


@pytest.fixture
def told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A table of processors in the place of this machine's own."""
    machine._told.cache_clear()
    monkeypatch.setattr(machine, "TABLE", tmp_path / "cpuinfo")
    yield tmp_path / "cpuinfo"
    machine._told.cache_clear()


def test_the_machine_has_a_name_and_cores() -> None:
    here = machine.machine()
    assert here.processor
    assert 1 <= here.cores <= (os.cpu_count() or 1)
    assert here.python.startswith("3.")


@pytest.mark.parametrize(
    ("table", "name", "exactly"),
    [
        (INTEL, "Intel(R) Xeon(R)", True),
        (INTEL.replace("avx512_vnni", "avx2"), "Intel(R) Xeon(R)", False),
        (INTEL.replace("avx512_vnni", "not_avx_vnni_ish"), "Intel(R) Xeon(R)", False),
    ],
)
def test_the_table_tells_the_processor(
    told: Path, monkeypatch: pytest.MonkeyPatch, table: str, name: str, exactly: bool
) -> None:
    monkeypatch.setattr("platform.machine", lambda: "x86_64")
    told.write_text(table)
    assert machine.processor() == name
    assert machine.multiplies_bytes_exactly() is exactly


def test_without_a_table_it_is_this_one_machine(told: Path) -> None:
    assert not told.exists()
    assert os.uname().nodename in machine.processor_identity()
    assert machine.processor()


def test_another_flag_is_another_kind_of_processor(told: Path) -> None:
    told.write_text(INTEL)
    before = machine.processor_identity()
    machine._told.cache_clear()
    told.write_text(INTEL.replace("avx512_vnni", "avx2"))
    assert machine.processor_identity() != before


def test_an_arm_processor_multiplies_bytes_exactly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.machine", lambda: "aarch64")
    assert machine.multiplies_bytes_exactly()
