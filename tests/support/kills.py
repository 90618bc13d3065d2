"""A fetch that is killed amid its work, and what it leaves."""

import random
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from faulty_server import File, Server
from sample_weights import NAME, PART, WHOLE, command, file_at, left_in, npz

CONTENT = npz(numbers=250_000)
SLOWLY = File(CONTENT, pause=0.008, piece=1 << 15)
KILLS = 20


@dataclass(frozen=True)
class Moment:
    """What a kill left: the whole file, or so many bytes in its part."""

    whole: bool
    part: int


def start(server: Server, *arguments: str) -> subprocess.Popen[bytes]:
    run = command(file_at(server.address, CONTENT), "weights", *arguments)
    return subprocess.Popen(run, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def kill_at_random(server: Server, folder: Path, chance: random.Random) -> None:
    """In the middle of its download mostly; now and then before, or when it is over."""
    with start(server, "fetch", "Loopback") as process:
        wait_for(chance.randrange(-len(CONTENT) // 5, len(CONTENT) * 6 // 5), folder, process)
        process.kill()


def wait_for(size: int, folder: Path, process: subprocess.Popen[bytes]) -> None:
    """Until so many bytes are there, or the process has ended."""
    while process.poll() is None and _length(folder / f".{NAME}.part") < size:
        time.sleep(0.001)


def _length(part: Path) -> int:
    """Of a part that may be given its name at any moment."""
    try:
        return part.stat().st_size
    except FileNotFoundError:
        return 0


def moment(folder: Path) -> Moment:
    """What lies in the cache now; wrong is whatever is neither the file nor the beginning of it."""
    target, part = folder / NAME, folder / f".{NAME}.part"
    assert not target.exists() or target.read_bytes() == CONTENT
    assert not target.exists() or f"{NAME}.sha256" in left_in(folder)
    begun = part.read_bytes() if part.exists() else b""
    assert CONTENT.startswith(begun)
    assert left_in(folder) <= WHOLE | PART
    return Moment(target.exists(), len(begun))


def killed(server: Server, folder: Path, chance: random.Random) -> Moment:
    kill_at_random(server, folder, chance)
    found = moment(folder)
    if found.whole:  # then the next begins anew
        for path in folder.iterdir():
            path.unlink()
    return found
