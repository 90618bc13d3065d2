"""A class more, from a few photos of it and none of the old ones."""

from pathlib import Path

import numpy as np
import pytest
from sorted_photos import sort_photos, texture

import hati
from hati.errors import ArgumentError, ImageError
from hati.model import Model
from hati.transfer.training import train

OLD = {"dots": 8, "stripes": 8, "waves": 8}


@pytest.fixture(scope="module", params=["imprint", "probe"])
def taught(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Model:
    folder = sort_photos(tmp_path_factory.mktemp("own") / "photos", OLD)
    return train(folder, method=request.param, validate=0.0).model


@pytest.mark.parametrize("count", [1, 5])
def test_a_new_class_is_known_and_the_old_ones_are_not_forgotten(taught: Model, count: int) -> None:
    more = hati.teach(taught, "checks", [texture("checks", number) for number in range(count)])
    assert [label.name for label in more.labels or ()] == [*OLD, "checks"]
    for kind in (*OLD, "checks"):
        named = [more.classify(texture(kind, number), top=1)[0].name for number in range(20, 26)]
        assert named.count(kind) >= 5, (kind, named)


def test_a_folder_is_its_photos_and_a_path_is_one(taught: Model, tmp_path: Path) -> None:
    folder = sort_photos(tmp_path / "own", {"checks": 2}) / "checks"
    for photos, count in ((folder, 2), (str(folder), 2), (str(folder / "0.png"), 1)):
        more = hati.teach(taught, "checks", photos)
        assert more.taught is not None
        assert dict(more.taught.provenance.photos)["checks"] == count


def test_what_was_taught_goes_through_a_file_and_is_taught_again(taught: Model, tmp_path: Path) -> None:
    taught.save(tmp_path / "own.safetensors")
    more = hati.teach(tmp_path / "own.safetensors", "checks", [texture("checks", 1)])
    more.save(tmp_path / "own.safetensors")
    again = hati.load(tmp_path / "own.safetensors")
    assert again.taught is not None
    assert dict(again.taught.provenance.photos) == OLD | {"checks": 1}
    assert again.taught.provenance.score is None
    picture = texture("checks", 30)
    assert again.classify(picture) == more.classify(picture)


def test_more_photos_of_an_imprinted_class_make_its_mean_the_mean_of_all(tmp_path: Path) -> None:
    folder = sort_photos(tmp_path / "own", {"dots": 4, "waves": 4})
    few = train(folder, method="imprint", validate=0.0).model
    more = hati.teach(few, "dots", [texture("dots", number) for number in range(4, 8)])
    assert few.taught is not None
    assert more.taught is not None
    assert dict(more.taught.provenance.photos) == {"dots": 8, "waves": 4}
    once = hati.teach(few, "other", [texture("dots", number) for number in range(4, 8)])
    assert once.taught is not None
    both = few.taught.means[0] + once.taught.means[2]
    assert float(more.taught.means[0] @ both / np.linalg.norm(both)) > 0.999
    np.testing.assert_array_equal(more.taught.means[1], few.taught.means[1])


@pytest.mark.parametrize(
    ("name", "photos", "error", "message"),
    [
        ("", [texture("checks", 0)], ArgumentError, "a class is called ''"),
        ("a\nb", [texture("checks", 0)], ArgumentError, "a class is called"),
        ("Dots", [texture("checks", 0)], ArgumentError, "the model knows 'dots'; write it so"),
        ("checks", [], ArgumentError, "no photo of checks came; one or more are needed"),
        ("checks", ["missing.jpg"], ImageError, "missing.jpg: there is no such file"),
    ],
    ids=["no name", "a line's end", "a twin", "no photo", "a missing photo"],
)
def test_what_teaches_nothing_is_refused(
    taught: Model, name: str, photos: list[object], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        hati.teach(taught, name, photos)  # type: ignore[arg-type]


def test_a_probed_class_takes_no_more_photos_and_the_catalogs_models_no_class(tmp_path: Path) -> None:
    probed = train(sort_photos(tmp_path / "own", {"dots": 3, "waves": 3}), method="probe", validate=0.0).model
    with pytest.raises(ArgumentError, match=r"knows dots, from probe.*train again with all photos"):
        hati.teach(probed, "dots", [texture("dots", 9)])
    with pytest.raises(ArgumentError, match=r"no model that hati has taught; teach it with hati.train first"):
        hati.teach(hati.load(), "dots", [texture("dots", 9)])
