import re
from importlib import import_module
from pathlib import Path

import pytest

import hati
from hati import catalog, summary
from hati.catalog import Entry
from hati.errors import UnknownModel
from hati.weights import store

ENTRIES = list(catalog.entries().values())


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
def test_an_entry_tells_the_truth_of_its_network(entry: Entry) -> None:
    model = hati.load(entry.name, weights=None)
    assert summary.totals(model.graph).parameters == entry.parameters
    assert model.input_shape == (None, entry.size, entry.size, 3)
    assert model.preprocessing == entry.preprocessing


KERAS_SOURCES = {"resnet50": "resnet"}


@pytest.mark.parametrize("entry", [e for e in ENTRIES if e.top_file.package is None], ids=lambda entry: entry.name)
def test_addresses_and_checksums_are_those_in_keras_source(entry: Entry) -> None:
    """Keras builds some names from pieces, so each piece is looked for."""
    module = import_module(f"keras.src.applications.{KERAS_SOURCES.get(entry.module, entry.module)}")
    source = re.sub(r'"\s+"', "", Path(str(module.__file__)).read_text())  # strings that go on in the next line
    assert f"{entry.top_file.folder}/" in source
    for file in (entry.top_file, entry.notop_file):
        assert file is not None
        kind = file.name.removeprefix(f"{entry.module}_")
        assert file.name in source or kind.removeprefix("weights") in source or entry.alpha is not None
        known = file.checksum is None or entry.alpha is not None or file.checksum.removeprefix("md5:") in source
        assert known


@pytest.mark.parametrize("entry", [e for e in ENTRIES if e.top_file.package], ids=lambda entry: entry.name)
def test_packaged_weights_are_those_in_the_table(entry: Entry) -> None:
    path = store.path_of(entry.top_file)
    assert path is not None
    store.verify(entry.top_file, path)


@pytest.mark.parametrize(
    ("asked", "found"), [("ResNet50", "ResNet50"), ("efficientnetlite0", "EfficientNetLite0"), ("VGG16", "VGG16")]
)
def test_a_name_is_found_whatever_its_capitals(asked: str, found: str) -> None:
    assert catalog.find(asked).name == found


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ("ResNet5", "there is no model called 'ResNet5'; did you mean ResNet50"),
        ("inception", "did you mean InceptionV3"),
        ("zebra", "`hati models` lists all"),
    ],
)
def test_an_unknown_name_brings_the_names_that_come_close(asked: str, message: str) -> None:
    with pytest.raises(UnknownModel, match=message):
        catalog.find(asked)
