"""Weights by the names of their models: brought, listed, checked, found and taken away."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from faulty_server import Server, serving, status
from sample_weights import CONTENT, FILE, LENGTH, NAME, OTHER, PATH, SHA256, SOME, file_at, left_in

from hati import catalog
from hati.errors import UnknownModel, WeightsUnavailable
from hati.weights.bringing import holdings, store
from hati.weights.bringing.holdings import Holding, Outcome

BODY = "body.npz"


@pytest.fixture
def server(empty_cache: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """It publishes two models that share a file; the second has a file without the classifier too."""
    with serving({PATH: FILE, PATH.replace(NAME, BODY): FILE}) as server:
        file, entry = file_at(server.address), catalog.find("MobileNet_0.25_224")
        for name, body in (("One", None), ("Two", replace(file, name=BODY))):
            monkeypatch.setitem(catalog.entries(), name, replace(entry, name=name, top_file=file, notop_file=body))
        yield server


@pytest.fixture
def place(empty_cache: Path) -> Path:
    return empty_cache / "weights" / NAME


@pytest.mark.parametrize(
    ("names", "include_top", "files"),
    [
        (["One"], True, [NAME]),
        (["One"], False, [NAME]),
        (["Two"], False, [BODY]),
        (["two", "one"], True, [NAME, NAME]),
        ([], True, []),
    ],
)
def test_models_bring_their_files(
    server: Server, place: Path, names: list[str], include_top: bool, files: list[str]
) -> None:
    outcomes = list(holdings.fetch(names, include_top))
    assert [outcome.path for outcome in outcomes] == [place.with_name(file) for file in files]
    assert [outcome.model.lower() for outcome in outcomes] == [name.lower() for name in names]
    assert len(server.asked) == len(set(files))
    for name, file in zip(names, files, strict=True):
        assert holdings.where(name, include_top) == place.with_name(file)


def test_one_that_fails_does_not_stop_the_others(server: Server, place: Path) -> None:
    server.answers[PATH] = status(403)
    one, two = holdings.fetch(["One", "EfficientNetLite0"])
    assert (one.path, type(one.error)) == (None, WeightsUnavailable)
    assert (two.path, two.error) == (holdings.where("EfficientNetLite0"), None)


def test_a_damaged_file_that_lies_there_is_not_taken_for_fetched(server: Server, place: Path) -> None:
    place.parent.mkdir(parents=True)
    place.write_bytes(OTHER)
    (outcome,) = holdings.fetch(["One"])
    assert "its sha256 is" in str(outcome.error)


@pytest.mark.parametrize("verb", [holdings.fetch, holdings.verify, holdings.remove])
def test_an_unknown_name_stops_all_before_it_begins(server: Server, verb: object) -> None:
    with pytest.raises(UnknownModel, match="did you mean"):
        verb(["One", "VGG-16"])  # type: ignore[operator]
    assert server.asked == []


def holding(held: list[Holding], file: str) -> Holding | None:
    return next((found for found in held if found.file == file), None)


def test_what_is_here_is_listed_once_for_all_that_share_it(server: Server, place: Path) -> None:
    assert holding(holdings.holdings(), NAME) is None
    list(holdings.fetch(["One"]))
    found = Holding(NAME, ("One", "Two"), LENGTH, True, SHA256, "MIT", str(place))
    assert holding(holdings.holdings(), NAME) == found
    place.with_name(f".{BODY}.part").write_bytes(CONTENT[:SOME])
    part = holding(holdings.holdings(), BODY)
    assert part == Holding(BODY, ("Two",), SOME, False, None, "MIT", str(place.with_name(f".{BODY}.part")))


def test_packages_are_listed_too(empty_cache: Path) -> None:
    found = holding(holdings.holdings(), "efficientnet-lite0-57934424.pth")
    assert found
    assert (found.models, found.whole, found.bytes) == (("EfficientNetLite0",), True, 18_826_032)


def test_all_that_is_here_is_checked(server: Server, place: Path) -> None:
    list(holdings.fetch(["One"]))
    good = list(holdings.verify())
    assert Outcome("One", place) in good
    assert all(outcome.error is None for outcome in good)
    place.write_bytes(OTHER)
    wrong = [outcome for outcome in holdings.verify() if outcome.error]
    assert [(outcome.model, outcome.path) for outcome in wrong] == [("One", place)]
    assert f"{place}: its sha256 is" in str(wrong[0].error)


def test_what_is_asked_for_and_not_here_is_a_fault(server: Server) -> None:
    (outcome,) = holdings.verify(["Two"])
    said = f"Two: {NAME} is not on this machine; `hati weights fetch Two` brings it"
    assert str(outcome.error) == said
    with pytest.raises(WeightsUnavailable, match=said):
        holdings.where("two")


def test_a_model_is_taken_away_with_all_its_files(server: Server, place: Path) -> None:
    list(holdings.fetch(["Two"]))
    list(holdings.fetch(["Two"], include_top=False))
    assert holdings.remove(["Two"]) > 2 * LENGTH
    assert left_in(place.parent) == set()
    assert holdings.remove(["Two"]) == 0


def test_all_is_taken_away_but_what_is_not_ours(server: Server, place: Path) -> None:
    list(holdings.fetch(["One"]))
    place.with_name("mine.txt").write_text("mine")
    place.with_name(f".{BODY}.part").write_bytes(CONTENT[:SOME])
    assert holdings.remove() > LENGTH + SOME
    assert left_in(place.parent) == {"mine.txt"}
    assert store.path_of(catalog.find("EfficientNetLite0").top_file)


def test_nothing_is_made_where_there_is_nothing_to_take_away(empty_cache: Path) -> None:
    assert holdings.remove() == 0
    assert not empty_cache.exists()
