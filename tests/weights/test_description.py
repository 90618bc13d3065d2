"""What a saved model says of itself, and descriptions that describe none."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fuzz_seeds import small_model

from hati import __version__
from hati.errors import WeightsError
from hati.labels import Label, numbered
from hati.weights import description, writing
from hati.weights.formats import safetensors


def told() -> description.Description:
    model = small_model()
    return description.Description(model.graph, model.preprocessing, numbered(2), (8, 8), {"conv2d": "conv.0"})


def again(value: Any) -> description.Description:
    return description.from_json(json.dumps(value))


def test_a_description_comes_back_as_it_was() -> None:
    before = told()
    after = description.from_json(description.to_json(before))
    assert (after.preprocessing, after.labels, after.size) == (before.preprocessing, before.labels, before.size)
    assert after.pytorch_names == before.pytorch_names
    assert after.graph.weights() == before.graph.weights()
    assert all(isinstance(label, Label) for label in after.labels or ())


def test_a_description_says_which_format_and_which_hati_wrote_it() -> None:
    value = json.loads(description.to_json(told()))
    assert (value["format"], value["hati"]) == (1, __version__)


FAULTS: dict[str, tuple[Callable[[dict[str, Any]], Any], str]] = {
    "no table": (lambda value: [value], "it has no format"),
    "no format": (lambda value: value.pop("format"), "it has no format"),
    "a later format": (
        lambda value: value.update(format=2, hati="9.0"),
        "its format is 2, of hati '9.0'; 1 is read here",
    ),
    "no graph": (lambda value: value.pop("graph"), "it describes no graph"),
    "a hostile graph": (lambda value: value["graph"]["nodes"].reverse(), "by inputs that do not come before it"),
    "no preprocessing": (lambda value: value.pop("preprocessing"), "Preprocessing has the settings"),
    "unknown preprocessing": (
        lambda value: value["preprocessing"].update(normalisation="exec"),
        "this hati knows no preprocessing like",
    ),
    "an unknown interpolation": (
        lambda value: value["preprocessing"].update(interpolation="exec"),
        "this hati knows no preprocessing like",
    ),
    "a crop beyond the photo": (lambda value: value["preprocessing"].update(crop=1.5), "this hati knows no preproc"),
    "a crop of nothing": (lambda value: value["preprocessing"].update(crop=0), "this hati knows no preprocessing like"),
    "a crop that is no number": (lambda value: value["preprocessing"].update(crop="1"), "Preprocessing.crop is '1'"),
    "labels for other classes": (lambda value: value["labels"].pop(), "its labels are not one pair of texts for each"),
    "labels without names": (lambda value: value.update(labels=["a", "b"]), "its labels are not one pair of texts"),
    "labels of numbers": (lambda value: value.update(labels=[[1, 2], [3, 4]]), "its labels are not one pair of texts"),
    "no size": (lambda value: value.pop("size"), r"its size is None; \[height, width\] in pixels was expected"),
    "an absurd size": (lambda value: value.update(size=[1 << 30, 1 << 30]), r"its size is \[1073741824"),
    "a size of nothing": (lambda value: value.update(size=[0, 8]), r"its size is \[0, 8\]"),
    "names that are no table": (lambda value: value.update(pytorch_names=[1]), "its pytorch_names are no table"),
    "names that are numbers": (lambda value: value.update(pytorch_names={"a": 1}), "its pytorch_names are no table"),
}


@pytest.mark.parametrize("case", FAULTS)
def test_a_description_that_makes_no_sense_is_refused_with_its_fault(tmp_path: Path, case: str) -> None:
    change, fault = FAULTS[case]
    value = json.loads(description.to_json(told()))
    replaced = change(value)
    text = json.dumps(replaced if case == "no table" else value)
    path = tmp_path / "a.safetensors"
    with path.open("wb") as file:
        safetensors.write(file, {"a": np.ones(1, np.float32)}, {description.KEY: text})
    with pytest.raises(WeightsError, match=f"description of the model is wrong: .*{fault}") as refused:
        description.read(path)
    assert str(refused.value).startswith(f"{path}: ")
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000, '{"format": ' + "1" * 10_000 + "}", "null", '"a"'])
def test_a_description_that_is_no_json_is_refused(text: str) -> None:
    with pytest.raises(WeightsError, match="its description of the model is wrong"):
        description.from_json(text)


def test_a_graph_with_a_name_that_no_file_should_hold_is_not_written(tmp_path: Path) -> None:
    from hati.errors import GraphError
    from hati.network.graph import Graph

    model = small_model()
    odd = description.Description(Graph(model.graph.output, "a/b"), model.preprocessing, None, (8, 8))
    with pytest.raises(GraphError, match="a name is 'a/b'"):
        writing.write_model(tmp_path / "a.safetensors", {}, odd)
    assert not list(tmp_path.iterdir())
