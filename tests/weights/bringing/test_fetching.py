"""A file on its way, from a server that fails in every way: it arrives whole and right, or not at all."""

import json
import time
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from faulty_server import Answering, File, Server, in_turn, serving, status, without_end
from sample_weights import (
    CONTENT,
    FAULTS,
    FILE,
    LENGTH,
    MD5,
    NOT_IT,
    OTHER,
    PART,
    PATH,
    SHA256,
    SOME,
    WHOLE,
    file_at,
    left_in,
    without_length,
)

from hati.catalog import WeightsFile
from hati.tools import cache, download
from hati.weights.bringing import fetching, mirrors
from hati.weights.bringing.fetching import Part, RefusedError

MOST = 1 << 20


SILENCE = {"stall once": 1.0, "stall always": 0.2}  # seconds; a busy machine may keep the others waiting


@pytest.fixture(autouse=True)
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download, "FIRST_WAIT_SECONDS", 0.01)


@pytest.fixture
def server() -> Iterator[Server]:
    with serving({PATH: FILE, "/elsewhere": FILE}) as server:
        yield server


@pytest.fixture
def part(tmp_path: Path) -> Part:
    return Part(tmp_path / "weights.npz")


def bring(file: WeightsFile, part: Part) -> bytes:
    with cache.locked(part.target):
        return fetching.bring(file, part.target, mirrors.sources(file), MOST).read_bytes()


def refusal(file: WeightsFile, part: Part) -> str:
    with pytest.raises(RefusedError) as refused:
        bring(file, part)
    return refused.value.reasons[file.address]


def unpublished(file: WeightsFile) -> WeightsFile:
    """The same file, of which the catalog knows neither size nor checksum."""
    return replace(file, bytes=None, checksum=None)


@pytest.mark.parametrize("case", FAULTS)
def test_a_file_comes_whole_or_not_at_all(
    server: Server, part: Part, case: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    fault = FAULTS[case]
    monkeypatch.setattr(download, "SILENCE_SECONDS", SILENCE.get(case, 30))
    server.answers[PATH] = fault.answer()
    if fault.said:
        assert fault.said in refusal(file_at(server.address), part)
    else:
        assert bring(file_at(server.address), part) == CONTENT
    assert len(server.asked) == fault.requests or case == "stall once"  # more of them where this machine stalls, too
    assert left_in(part.target.parent) == fault.leaves


@pytest.mark.parametrize("case", [case for case, fault in FAULTS.items() if fault.said])
def test_after_any_failure_the_next_try_delivers(
    server: Server, part: Part, case: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.answers[PATH] = FAULTS[case].answer()
    with monkeypatch.context() as patch:
        patch.setattr(download, "SILENCE_SECONDS", SILENCE.get(case, 30))
        refusal(file_at(server.address), part)
    server.answers[PATH] = FILE
    assert bring(file_at(server.address), part) == CONTENT
    assert left_in(part.target.parent) == WHOLE


@pytest.mark.parametrize("checksum", [f"sha256:{SHA256}", f"md5:{MD5}"])
def test_the_sha256_of_what_arrived_is_noted_beside_it(server: Server, part: Part, checksum: str) -> None:
    bring(replace(file_at(server.address), checksum=checksum), part)
    assert part.target.with_name("weights.npz.sha256").read_text() == f"{SHA256}  weights.npz\n"


@pytest.mark.parametrize("checksum", [f"sha256:{SHA256}", None], ids=["known", "unknown"])
def test_what_an_earlier_run_had_is_not_fetched_again(server: Server, part: Part, checksum: str | None) -> None:
    file = replace(file_at(server.address), checksum=checksum, bytes=None)
    server.answers[PATH] = in_turn(File(CONTENT, most=SOME), status(404))
    refusal(file, part)
    assert left_in(part.target.parent) == PART
    kept = part.size()
    assert SOME - download.PIECE < kept <= SOME
    server.answers[PATH] = FILE
    assert bring(file, part) == CONTENT
    assert server.ranges == [None, f"bytes={kept}-", f"bytes={kept}-"]


@pytest.mark.parametrize("origin", [None, "", "[]", "{}", "\0\0", '{"address": "http://x", "validator": "x"}'])
def test_a_part_of_unknown_origin_is_gone_on_with_only_where_a_checksum_tells(
    server: Server, part: Part, origin: str | None
) -> None:
    for file, ranges in (
        (file_at(server.address), [f"bytes={SOME}-"]),
        (unpublished(file_at(server.address)), [None]),
    ):
        part.path.write_bytes(CONTENT[:SOME])
        if origin is not None:
            part.origin.write_text(origin)
        server.ranges.clear()
        assert bring(file, part) == CONTENT
        assert server.ranges == ranges


@pytest.mark.parametrize(
    ("content", "requests"),
    [(CONTENT, 0), (OTHER, 1), (CONTENT + b"more", 1), (OTHER[:SOME], 2)],
    ids=["all of it", "another", "more", "a part of another"],
)
def test_a_part_is_believed_by_its_checksum_alone(server: Server, part: Part, content: bytes, requests: int) -> None:
    part.path.write_bytes(content)
    assert bring(file_at(server.address), part) == CONTENT
    assert len(server.asked) == requests


def test_a_whole_part_of_unknown_length_costs_one_question(server: Server, part: Part) -> None:
    file = unpublished(file_at(server.address))
    part.begin(file.address, '"one"')
    part.path.write_bytes(CONTENT)
    assert bring(file, part) == CONTENT
    assert server.ranges == [f"bytes={LENGTH}-"]


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (without_end(CONTENT), f"{NOT_IT}it goes on after {MOST:,} bytes"),
        (File(bytes(MOST + 1)), f"{NOT_IT}it is {MOST + 1:,} bytes long, more than {MOST:,}"),
        (partial(without_length, body=CONTENT[:SOME]), f"{NOT_IT}it cannot be read (File is not a zip file)"),
        (partial(without_length, body=b"\xff\xd8\xff\xe0" + bytes(99)), "are of no format known here"),
    ],
    ids=["no end", "too long", "half", "photo"],
)
def test_a_file_of_which_nothing_is_known_must_be_weights_of_a_sane_size(
    server: Server, part: Part, answer: Answering, said: str
) -> None:
    server.answers[PATH] = answer
    reason = refusal(unpublished(file_at(server.address)), part)
    assert said in reason
    assert ".part" not in reason
    assert left_in(part.target.parent) == set()


def test_tries_that_get_further_are_not_counted(server: Server, part: Part) -> None:
    server.answers[PATH] = File(CONTENT, most=LENGTH // 12)
    assert bring(file_at(server.address), part) == CONTENT
    assert len(server.asked) > 3 * download.TRIES


def test_a_server_is_left_alone_for_as_long_as_it_asks(server: Server, part: Part) -> None:
    server.answers[PATH] = in_turn(status(503, Retry_After=1), FILE)
    start = time.monotonic()
    bring(file_at(server.address), part)
    assert time.monotonic() - start >= 1


def test_what_others_left_of_it_is_swept_away(server: Server, part: Part) -> None:
    folder = part.target.parent
    others = {".other.npz.part", ".other.npz.0123.part"}
    for name in (".weights.npz.0123.part", ".weights.npz.sha256.0123.part", *others):
        (folder / name).write_bytes(CONTENT[:SOME])
    bring(file_at(server.address), part)
    assert left_in(folder) == WHOLE | others


def test_a_part_tells_where_it_is_from(part: Part) -> None:
    part.begin("http://a/b", '"one"')
    assert json.loads(part.origin.read_text()) == {"address": "http://a/b", "validator": '"one"'}
    assert (part.size(), part.validator("http://a/b"), part.validator("http://a/c")) == (0, '"one"', None)
    assert part.discard() == len('{"address": "http://a/b", "validator": "\\"one\\""}')
    assert left_in(part.target.parent) == set()
