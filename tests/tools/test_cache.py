"""The one folder that hati may fill."""

import errno
import os
from pathlib import Path

import pytest

from hati.tools import cache


def test_the_folder_is_where_the_user_wants_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HATI_CACHE", str(tmp_path / "mine"))
    assert cache.folder("weights") == tmp_path / "mine" / "weights"
    assert not (tmp_path / "mine").exists()


def test_a_tilde_is_the_users_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("HATI_CACHE", "~/mine")
    assert cache.folder("compiled") == tmp_path / "mine" / "compiled"


@pytest.mark.parametrize("unset", [True, False])
def test_without_a_wish_it_is_the_systems_place(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, unset: bool) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "caches"))
    monkeypatch.delenv("HATI_CACHE") if unset else monkeypatch.setenv("HATI_CACHE", "")
    folder = cache.folder("weights")
    assert folder.name == "weights"
    assert folder.parent.name == "hati"
    assert tmp_path in folder.parents


def test_a_lock_is_for_one_at_a_time_and_makes_its_folder(tmp_path: Path) -> None:
    target = tmp_path / "weights" / "weights.h5"
    with cache.locked(target), pytest.raises(TimeoutError), cache.locked(target, patience=0):
        pass
    with cache.locked(target, patience=0):
        assert not target.exists()


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (errno.ENOSPC, "there is no room (No space left on device); free some, or set HATI_CACHE to a folder"),
        (errno.EDQUOT, "there is no room (Disk quota exceeded); free some"),
        (errno.EROFS, "that disk can only be read; set HATI_CACHE to a folder that can be written"),
        (errno.EACCES, "writing there is not allowed to you; change its permissions, or set HATI_CACHE elsewhere"),
        (errno.EPERM, "writing there is not allowed to you"),
        (errno.EIO, "weights cannot be kept there (Input/output error); set HATI_CACHE elsewhere"),
    ],
)
def test_every_trouble_with_a_disk_says_what_to_do(tmp_path: Path, number: int, said: str) -> None:
    assert cache.trouble(tmp_path, OSError(number, os.strerror(number))).startswith(f"{tmp_path}: {said}")
