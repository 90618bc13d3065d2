"""Archives of PyTorch's own operators, in PyTorch and without hati."""

import json
import subprocess
import sys
import zipfile
from functools import partial
from pathlib import Path
from typing import Any

import export_cases
import numpy as np
import pytest
import torch
from export_cases import changed, expected, layered, noise, real, small, taught
from tiny_body import few_layers

import hati
from hati.errors import ArgumentError
from hati.exporting import torch as to_torch
from hati.exporting.formats import Order

Array = np.ndarray
written, answers = partial(export_cases.written, to_torch), partial(export_cases.answers, to_torch)

pytestmark = pytest.mark.usefixtures("one_thread")

WITHOUT_HATI = """
import sys
sys.modules["hati"] = None  # an import of it fails
import numpy
import torch
texts = dict.fromkeys(("model", "labels", "preprocessing", "provenance"), "")
network = torch.export.load(sys.argv[1], extra_files=texts).module()
x = torch.from_numpy(numpy.load(sys.argv[2]))
numpy.save(sys.argv[3], network(x).detach().numpy())
print("\\n".join(texts.values()))
"""


@pytest.mark.parametrize(("precision", "least", "bytes_each"), [("float32", 1.0, 4), ("float16", 0.985, 2)])
def test_real_weights_keep_their_names_on_real_photos(
    shared: Path, precision: Any, least: float, bytes_each: int, tmp_path: Path
) -> None:
    model = hati.load("MobileNet", weights=shared / "mobilenet_2_5_224_tf.h5", alpha=0.25)
    x = real(model, shared / "imagenet_ccby", 40)
    found, right = answers(Order(model, precision, pixels=True), tmp_path, x), expected(model, x)
    assert (found.argmax(1) == right.argmax(1)).mean() >= least
    assert (tmp_path / "model.pt2").stat().st_size == pytest.approx(bytes_each * model.count_params(), rel=0.25)
    if precision == "float32":
        np.testing.assert_allclose(found, right, rtol=0, atol=1e-5)


def test_a_process_without_hati_answers_the_same_and_reads_the_labels(tmp_path: Path) -> None:
    model = taught(tmp_path / "photos")
    path, x = written(Order(model), tmp_path), noise(model, 5)
    np.save(tmp_path / "x.npy", model.normalisation(x))
    command = [sys.executable, "-W", "error", "-c", WITHOUT_HATI, path, tmp_path / "x.npy", tmp_path / "y.npy"]
    told = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=True).stdout.splitlines()
    np.testing.assert_allclose(np.load(tmp_path / "y.npy"), expected(model, x), rtol=0, atol=1e-5)
    name, labels, preprocessing, provenance = told
    assert (name, json.loads(labels)) == ("few", ["blue", "green", "red"])
    assert json.loads(preprocessing)["mean"] == [1.0, 1.0, 1.0]
    assert json.loads(provenance)["taught"]["method"] == "imprint"


def test_a_file_runs_with_nothing_but_the_runtime(tmp_path: Path) -> None:
    path = written(Order(layered(few_layers()), pixels=True), tmp_path)
    subprocess.run([sys.executable, "-c", to_torch.ALONE, str(path)], check=True)


def test_a_batch_is_as_long_as_it_comes_and_threads_are_what_they_were(tmp_path: Path) -> None:
    order = Order(small("MobileNet"), pixels=True)
    run = to_torch.opened(written(order, tmp_path), order, 2)
    x = noise(order.model, 5)
    many, one = run(x), run(x[:1])
    np.testing.assert_allclose(many[:1], one, rtol=0, atol=1e-6)
    assert torch.get_num_threads() == 1


def test_an_archive_holds_weights_and_operators_and_nothing_of_this_machine(tmp_path: Path) -> None:
    path = written(Order(small("MobileNet"), pixels=True), tmp_path)
    with zipfile.ZipFile(path) as archive:
        told = b"".join(archive.read(name) for name in archive.namelist() if name.endswith((".json", ".pt")))
    assert str(Path(hati.__file__).parent).encode() not in told
    assert b"site-packages" not in told
    found = to_torch.operators(path)
    assert found["aten.conv2d.default"] == 28
    assert found["aten.softmax.int"] == 1


def test_weights_that_float16_cannot_hold_are_refused(tmp_path: Path) -> None:
    model = changed(small("MobileNet"), "conv_preds/bias", 1e6)
    with pytest.raises(ArgumentError, match=r"conv_preds/bias has weights up to 1e\+06"):
        to_torch.write(Order(model, "float16"), tmp_path / "model.pt2")


def test_integers_are_refused() -> None:
    model = small("MobileNet")
    with pytest.raises(ArgumentError, match="torch cannot be written with precision 'int8'"):
        to_torch.calibrated(Order(model, "int8"), noise(model))
