"""What `benchmarks/run_devices` makes of its figures: verdicts, tables, and the agreements that come with hati."""

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from devices import __main__ as driver
from devices import architectures, elsewhere, goals, report
from devices.plan import CALIBRATING, DEFAULT, FAMILIES, REAL, SMALLEST
from devices.sight import parted
from transfer.measuring import Results

from hati.catalog import entries
from hati.int8.agreement import shipped


@pytest.mark.parametrize("seed", range(3))
def test_no_photo_is_calibrated_on_and_checked_with(seed: int) -> None:
    some, others = parted(400, seed)
    assert len(some) == CALIBRATING
    assert sorted([*some, *others]) == list(range(400))


def test_partings_differ() -> None:
    assert set(parted(400, 0)[0]) != set(parted(400, 1)[0])


def int8(*runs: dict[str, float], name: str = DEFAULT) -> Results:
    return Results(figures={f"int8/{name}/{number}": {"photos": 272} | run for number, run in enumerate(runs)})


@pytest.mark.parametrize(
    ("points", "word"),
    [
        pytest.param((1.0, 0.9), "yes", id="just enough"),
        pytest.param((0.5, 1.4), "yes", id="the mean counts"),
        pytest.param((1.0, 1.2), "no", id="a little too much"),
        pytest.param((-3.0,), "yes", id="better than float"),
        pytest.param((), "not measured", id="nothing"),
    ],
)
def test_the_points_that_int8_loses_are_the_mean_of_the_partings(points: tuple[float, ...], word: str) -> None:
    found = int8(*({"float": 0.9, "int8": 0.9 - lost / 100} for lost in points))
    assert goals.lost(found).word == word


@pytest.mark.parametrize(
    ("shares", "word"),
    [
        pytest.param((0.93, 0.99), "yes", id="the worst is enough"),
        pytest.param((0.92, 0.99), "no", id="the worst counts"),
        pytest.param((), "not measured", id="nothing"),
    ],
)
def test_every_parting_has_to_agree(shares: tuple[float, ...], word: str) -> None:
    assert goals.agreeing(int8(*({"agreement": share} for share in shares)), DEFAULT, 0.93).word == word


@pytest.mark.parametrize(
    ("precision", "what", "bound", "value", "word"),
    [
        ("float16", "agreement", 0.985, 0.985, "yes"),
        ("float16", "agreement", 0.985, 0.984, "no"),
        ("float32", "shift", 1e-5, 1e-5, "yes"),
        ("float32", "shift", 1e-5, 1.1e-5, "no"),
    ],
)
def test_an_agreement_is_a_least_and_a_difference_a_most(
    precision: str, what: str, bound: float, value: float, word: str
) -> None:
    found = Results(figures={f"files/{SMALLEST}/{precision}": {what: value}})
    assert goals.of_file(found, SMALLEST, precision, what, bound).word == word


@pytest.mark.parametrize(("bytes_", "word"), [(30, "yes"), (40, "no"), (10, "no")])
def test_a_size_is_a_part_of_the_float_files(bytes_: int, word: str) -> None:
    found = Results(figures={f"files/{SMALLEST}/float32": {"bytes": 100}, f"files/{SMALLEST}/int8": {"bytes": bytes_}})
    assert goals.of_size(found, SMALLEST, "int8").word == word


def test_the_tables_tell_what_was_measured_and_what_failed() -> None:
    spread = {"median": 0.002, "low": 0.001, "high": 0.003}
    found = int8({"float": 0.92, "int8": 0.91, "agreement": 0.97, "uncorrected": 0.9})
    found.figures |= {
        f"beside/{DEFAULT}": {
            f"{way}, {threads}": spread | {"median": median / threads}
            for way, median in (("LiteRT, float32", 0.004), ("LiteRT, int8", 0.001))
            for threads in (1, 2)
        },
        "families/MobileNet": {"float32": 2e-6, "float32, tflite-runtime": 1e-6, "int8": 0.9999},
        f"phones/{DEFAULT}": {"failed": "it was ill"},
    }
    told = report.text(found)
    for part in ("0.970  0.970 – 0.970", "4.00 (1.00–3.00)", "0.25×", "0.99990", "not measured"):
        assert part in told
    assert f"* phones/{DEFAULT} failed: it was ill" in told
    assert "TFLite Micro, int8 in and out" not in told, "nothing of it was measured"


def test_agreements_are_written_as_hati_reads_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(driver, "AGREEMENTS", tmp_path / "table.csv")
    runs: list[dict[str, Any]] = [{"agreement": 0.95}, {"agreement": 0.97}]
    driver.write_agreements(int8(*runs))
    with (tmp_path / "table.csv").open(encoding="utf-8") as file:
        [row] = csv.DictReader(file)
    assert (row["model"], row["checksum"]) == (DEFAULT, entries()[DEFAULT].top_file.checksum)
    assert float(row["lowest"]) < float(row["agreement"]) == 0.96 < float(row["highest"])
    assert set(row) == set(driver.COLUMNS)
    assert shipped().keys() <= set(REAL)


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        pytest.param([[1, 2, 3]], 1.0, id="the same"),
        pytest.param([[3, 5, 7]], 1.0, id="at another scale"),
        pytest.param([[1, 2, 3], [3, 2, 1]], -1.0, id="the worst picture counts"),
    ],
)
def test_integers_are_compared_at_any_scale(found: list[list[float]], expected: float) -> None:
    wanted = np.array([[1.0, 2.0, 3.0]] * len(found))
    assert architectures.correlation(np.array(found), wanted) == pytest.approx(expected)


def test_bytes_are_brought_to_what_a_file_takes() -> None:
    pixels = np.array([0, 128, 255], np.uint8)
    assert elsewhere.in_bytes(pixels, "uint8").tolist() == [0, 128, 255]
    assert elsewhere.in_bytes(pixels, "int8").tolist() == [-128, 0, 127]


@pytest.mark.parametrize("name", FAMILIES)
def test_every_architecture_that_is_measured_is_one_of_the_catalog(name: str) -> None:
    assert name in entries()
