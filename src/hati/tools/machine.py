"""What machine this is: what a figure depends on besides the code, and what a compiled graph is laid out for."""

import os
import platform
from dataclasses import dataclass
from functools import cache
from pathlib import Path

TABLE = Path("/proc/cpuinfo")  # where Linux tells of processors
IDENTITY = ("model name", "flags", "Features", "CPU part")  # its lines that tell one kind of processor from another


@dataclass(frozen=True)
class Machine:
    """What a figure depends on, besides the code."""

    processor: str
    cores: int  # that this process may use
    memory: int  # bytes
    system: str
    python: str

    def __str__(self) -> str:
        return f"{self.processor}, {self.cores} cores"

    def __repr__(self) -> str:
        return f"<Machine {self}, {self.memory / 2**30:.1f} GiB, {self.system}, Python {self.python}>"


def machine() -> Machine:
    return Machine(processor(), cores(), _memory(), platform.platform(), platform.python_version())


def processor() -> str:
    """The processor's name where the system tells it, else its kind."""
    return next(iter(_told().get("model name", ())), platform.processor() or platform.machine())


def processor_identity() -> str:
    """All that tells this kind of processor from others; where the system says nothing of it, this one machine."""
    told = [f"{key}: {value}" for key in IDENTITY for value in _told().get(key, ())]
    return " ".join([platform.machine(), *told] if told else [platform.system(), platform.machine(), platform.node()])


def multiplies_bytes_exactly() -> bool:
    """Whether it adds products of bytes in 32 bits; others may have only 16 for two of them, and saturate."""
    if platform.machine().lower() in ("aarch64", "arm64"):
        return True
    flags = {flag for line in _told().get("flags", ()) for flag in line.split()}
    return bool(flags & {"avx512_vnni", "avx_vnni"})


def cores() -> int:
    """How many this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@cache
def _told() -> dict[str, tuple[str, ...]]:
    """What Linux says of the processors, each thing once; nothing on other systems."""
    try:
        lines = TABLE.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return {}
    found: dict[str, dict[str, None]] = {}
    for line in lines:
        key, _, value = line.partition(":")
        found.setdefault(key.strip(), {})[value.strip()] = None
    return {key: tuple(values) for key, values in found.items()}


def _memory() -> int:
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (ValueError, OSError, AttributeError):
        return 0
