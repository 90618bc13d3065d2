"""A file's SHA-256 beside it, as other programs read it too."""

import hashlib
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from sample_weights import CONTENT, MD5, OTHER, SHA256, file_at, left_in

from hati.weights.bringing import checksums


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "weights.npz").write_bytes(CONTENT)
    return tmp_path / "weights.npz"


def test_sha256sum_checks_it_too(path: Path) -> None:
    if not shutil.which("sha256sum"):
        pytest.skip("there is no sha256sum here")
    checksums.note(path, SHA256)
    command = ["sha256sum", "--check", "--strict", "weights.npz.sha256"]
    assert subprocess.run(command, cwd=path.parent, capture_output=True, timeout=600).stdout == b"weights.npz: OK\n"
    path.write_bytes(OTHER)
    assert subprocess.run(command, cwd=path.parent, capture_output=True, timeout=600).returncode == 1


def test_what_sha256sum_writes_is_read(path: Path) -> None:
    for mark in (" ", "*"):
        checksums.note_of(path).write_text(f"{SHA256} {mark}weights.npz\n")
        assert checksums.noted(path) == SHA256


def test_a_note_appears_whole_and_alone(path: Path) -> None:
    checksums.note(path, MD5 * 2)
    checksums.note(path, SHA256)
    assert checksums.noted(path) == SHA256
    assert left_in(path.parent) == {"weights.npz", "weights.npz.sha256"}


@pytest.mark.parametrize("text", [b"", b"\0" * 80, b"\xff\xfe", SHA256[:-1].encode() + b"  weights.npz\n", b"none"])
def test_a_damaged_note_is_none(path: Path, text: bytes) -> None:
    checksums.note_of(path).write_bytes(text)
    assert checksums.noted(path) is None


@pytest.mark.parametrize("algorithm", ["md5", "sha256"])
def test_a_digest_is_hashlibs(path: Path, algorithm: str) -> None:
    assert checksums.digest(path, algorithm) == hashlib.new(algorithm, CONTENT).hexdigest()


@pytest.mark.parametrize(
    ("checksum", "noted", "faults"),
    [
        (f"sha256:{SHA256}", SHA256, 0),
        (f"md5:{MD5}", SHA256, 0),
        (f"md5:{MD5}", "0" * 64, 1),
        (f"md5:{'0' * 32}", SHA256, 1),
        (f"md5:{'0' * 32}", "0" * 64, 2),
        (None, SHA256, 0),
        (None, "0" * 64, 1),
        (None, None, 0),
    ],
)
def test_every_checksum_that_is_known_counts(path: Path, checksum: str | None, noted: str | None, faults: int) -> None:
    found = checksums.fault(replace(file_at("x"), checksum=checksum), path, noted)
    assert found.count(" is ") == faults
