"""A fetch that is killed amid its work: the cache is whole or empty every time, never wrong."""

import random
from pathlib import Path

import pytest
from faulty_server import File, serving
from kills import CONTENT, KILLS, SLOWLY, Moment, killed, moment, start, wait_for
from sample_weights import PATH, WHOLE, left_in


def test_twenty_kills_leave_the_cache_whole_or_empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HATI_CACHE", str(tmp_path))
    folder, chance = tmp_path / "weights", random.Random(20)
    with serving({PATH: SLOWLY}) as server:
        moments = [killed(server, folder, chance) for _ in range(KILLS)]
        assert any(0 < found.part < len(CONTENT) for found in moments)
        assert any(server.ranges)
        server.answers[PATH] = File(CONTENT)
        with start(server, "fetch", "Loopback") as process:
            assert process.wait(600) == 0
        assert moment(folder) == Moment(whole=True, part=0)
        assert left_in(folder) == WHOLE
        with start(server, "verify", "Loopback") as process:
            assert process.wait(600) == 0


def test_what_a_kill_left_is_not_fetched_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HATI_CACHE", str(tmp_path))
    with serving({PATH: SLOWLY}) as server:
        with start(server, "fetch", "Loopback") as process:
            wait_for(len(CONTENT) // 3, tmp_path / "weights", process)
            process.kill()
        kept = moment(tmp_path / "weights").part
        with start(server, "fetch", "Loopback") as process:
            assert process.wait(600) == 0
    assert server.ranges == [None, f"bytes={kept}-"]
    assert moment(tmp_path / "weights").whole
