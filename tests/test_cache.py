from pathlib import Path

import pytest

from hati import cache


def test_hati_cache_sets_the_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HATI_CACHE", str(tmp_path))
    assert cache.folder("weights") == tmp_path / "weights"
    monkeypatch.setenv("HATI_CACHE", "~/elsewhere")
    assert cache.folder("weights") == Path.home() / "elsewhere" / "weights"


@pytest.mark.parametrize("value", [None, ""])
def test_without_it_the_systems_place_for_caches_serves(monkeypatch: pytest.MonkeyPatch, value: str | None) -> None:
    if value is None:
        monkeypatch.delenv("HATI_CACHE", raising=False)
    else:
        monkeypatch.setenv("HATI_CACHE", value)
    monkeypatch.setenv("XDG_CACHE_HOME", "/somewhere")
    assert cache.folder("compiled").parts[-2:] == ("hati", "compiled")


def test_parts_have_names_of_their_own_beside_their_target(tmp_path: Path) -> None:
    names = {cache.part_of(tmp_path / "file.h5") for _ in range(100)}
    assert len(names) == 100
    assert {name.parent for name in names} == {tmp_path}
