"""Small models: sizes beside files, multiply-adds beside papers, times that are kept, agreements by real weights."""

import json
import shutil
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from hati.choosing import small_models
from hati.choosing.small_models import benchmark
from hati.choosing.small_models.benchmark import Int8Benchmark
from hati.choosing.small_models.counting import counted
from hati.cli import main
from hati.errors import ArgumentError
from hati.int8 import agreement
from hati.int8.agreement import Agreement
from hati.loading import list_models, load
from hati.weights.bringing import holdings

SMALLEST = {f"MobileNet_0.25_{size}" for size in (128, 160, 192, 224)}
DEFAULT = "EfficientNetLite0"


@pytest.fixture
def few(empty_cache: Path, quiet: None, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Four models are small, and figures need not be good ones; a cache that nothing was put into yet."""
    monkeypatch.setattr(small_models, "LARGEST", 0.6e6)
    monkeypatch.setattr(benchmark, "SECONDS", 0.03)
    return empty_cache


def hati(*arguments: str | Path) -> Result:
    result = CliRunner().invoke(main, ["models", *map(str, arguments)])
    assert isinstance(result.exception, SystemExit | None), result.exc_info
    return result


def fetch_from(shared: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The smallest model's weights, into the cache."""
    monkeypatch.setenv("HATI_MIRROR", str(shared))
    assert not [outcome for outcome in holdings.fetch(["MobileNet_0.25_224"]) if outcome.error]


@pytest.mark.parametrize(
    ("name", "published"),
    [
        ("MobileNet_0.50_160", 77e6),  # this and the next two: the table of TensorFlow's page on MobileNet
        ("MobileNet_0.75_192", 239e6),
        ("MobileNet_1.00_128", 186e6),
        ("MobileNetV2_0.35_96", 11e6),  # this and the next two: the table of TensorFlow's page on MobileNetV2
        ("MobileNetV2_0.75_160", 107e6),
        ("MobileNetV2_1.40_224", 582e6),
        ("MobileNetV3Small", 56e6),  # this and the next one: Howard et al. 2019, table 3
        ("MobileNetV3Large", 219e6),
        ("EfficientNetB1", 0.70e9),  # this and the next one: Tan and Le 2019, table 2
        ("EfficientNetB2", 1.0e9),
    ],
)
def test_multiply_adds_are_those_that_are_published(name: str, published: float) -> None:
    assert counted(name).multiply_adds == pytest.approx(published, rel=0.03, abs=1e6)  # papers give whole millions


@pytest.mark.parametrize("name", ["MobileNet_0.25_128", "MobileNetV2_0.35_96", "MobileNetV3Small", "NASNetMobile"])
def test_a_size_is_that_of_a_file_but_for_its_plan(name: str, tmp_path: Path) -> None:
    benchmark._work(name, tmp_path)
    real = (tmp_path / f"{name}.tflite").stat().st_size
    assert 0.9 * real < counted(name).bytes < real


def test_all_that_is_small_is_there_and_nothing_else() -> None:
    found = {card.name for card in list_models() if small_models._small(card)}
    assert found >= SMALLEST | {DEFAULT, "EfficientNetLite2", "MobileNetV2_1.40_224", "EfficientNetB2", "DenseNet121"}
    assert not found & {"EfficientNetB3", "EfficientNetV2B2", "ResNet50", "VGG16", "DenseNet169"}


def test_times_are_taken_once_and_again_where_that_is_asked_for_or_a_note_is_damaged(few: Path) -> None:
    first = small_models.small_models(verbose=0)
    assert {one.name for one in first.models} == SMALLEST
    assert repr(first).startswith("<SmallModels: 4 models, MobileNet_0.25_128 (0.")
    assert repr(first.models[0]).startswith("<SmallModel MobileNet_0.25_128: 0.")
    assert [one.multiply_adds for one in first.models] == sorted(one.multiply_adds for one in first.models)
    assert small_models.small_models(verbose=0) == first
    [damaged] = few.glob("measured/*/MobileNet_0.25_160.latency.json")
    damaged.write_text("{")
    mended = small_models.small_models(verbose=0)
    assert {one.name for one, before in zip(mended.models, first.models, strict=True) if one != before} == {
        "MobileNet_0.25_160"
    }
    [old] = few.glob("measured/*/MobileNet_0.25_192.latency.json")
    old.write_text(json.dumps(json.loads(old.read_text()) | {"taken": "2000-01-01T00:00:00+00:00"}))
    young = {one.name: one.latency for one in small_models.small_models(verbose=0).models}
    assert young["MobileNet_0.25_192"] != {one.name: one.latency for one in mended.models}["MobileNet_0.25_192"]
    fresh = small_models.small_models(fresh=True, verbose=0)
    assert all(one.latency != before.latency for one, before in zip(fresh.models, mended.models, strict=True))


def test_a_disk_that_takes_nothing_costs_no_answer(few: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    few.write_text("a file where the cache should be")
    assert all(one.latency for one in small_models.small_models(verbose=0).models)


def test_without_its_runtime_no_time_is_told(few: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ai_edge_litert", None)  # Python's own way to say that it is not installed
    result = hati("--small")
    assert "Latency ms" not in result.stdout
    assert "MobileNet_0.25_224" in result.stdout
    assert 'LiteRT, which runs such files, is not installed: pip install ".[tflite]"' in result.stderr
    with pytest.raises(ArgumentError, match="tflite needs the package ai_edge_litert"):
        small_models.small_models(calibrate=few)


def test_the_table_says_where_each_figure_comes_from(few: Path) -> None:
    result = hati("--small")
    lines = result.stdout.splitlines()
    assert lines[1].split() == [
        "Model",
        "int8",
        "MB",
        "Multiply-adds",
        "M",
        "Input",
        "Top-1",
        "%",
        *lines[1].split()[8:],
    ]
    assert "counted from the network. Top-1: of the float model, as published." in result.stdout
    assert "one thread, LiteRT 2" in result.stdout
    assert "measured on this machine" in result.stdout
    told = json.loads(hati("--small", "--json").stdout)
    assert {one["name"] for one in told["models"]} == SMALLEST
    assert all(one["latency"]["median"] > 0 and one["latency"]["taken"] <= told["asked"] for one in told["models"])


@pytest.mark.parametrize("options", [("--calibrate", "photos"), ("--fresh",)])
def test_options_of_small_models_go_with_them(options: tuple[str, ...]) -> None:
    result = hati(*options)
    assert result.exit_code == 2
    assert "--calibrate and --fresh go with --small" in result.stderr


def test_agreement_is_measured_where_weights_are_here_and_kept(
    few: Path, shared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetch_from(shared, monkeypatch)
    photos = tmp_path / "photos"
    photos.mkdir()
    for photo in sorted((shared / "imagenet_ccby").glob("*.jpg"))[:60]:
        shutil.copy(photo, photos)
    result = hati("--small", "--calibrate", photos)
    assert result.exit_code == 0, result.stderr
    assert f"MobileNet_0.25_224: measured here on {photos}" in result.stdout
    kept = {one.name: one for one in small_models.small_models(verbose=0).models}
    found = kept["MobileNet_0.25_224"].agreement
    assert found is not None
    assert (found.photos, found.calibrated_on) == (40, 20)
    assert 0.7 < found.share <= 1
    assert found.interval[0] < found.share < found.interval[1]
    card = next(card for card in list_models() if card.name == "MobileNet_0.25_224")
    other = replace(card, weights=replace(card.weights, checksum="md5:0"))
    assert Int8Benchmark(str(small_models.small_models(verbose=0).runtime)).agreement(other) is None, "of other weights"


def test_too_few_photos_are_refused(few: Path, shared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fetch_from(shared, monkeypatch)
    with pytest.raises(ArgumentError, match="at least 20 are needed"):
        small_models.small_models(calibrate=tmp_path, verbose=0)


@pytest.mark.parametrize("row", agreement.shipped().values())
def test_what_came_with_hati_makes_sense(row: Agreement) -> None:
    assert 0.5 < row.interval[0] <= row.share <= row.interval[1] <= 1
    assert row.photos >= 200
    assert row.source.startswith("came with hati: measured on ")


@pytest.mark.skipif(DEFAULT not in agreement.shipped(), reason="no figures have been measured yet")
@pytest.mark.parametrize(
    ("name", "share", "better"),
    [
        pytest.param("MobileNet_0.25_224", 0.5, DEFAULT, id="of any size, where none is near"),
        pytest.param("MobileNetV2", 0.5, DEFAULT, id="the nearest"),
        pytest.param("EfficientNetB1", 0.5, "EfficientNetLite2", id="the nearest of several"),
        pytest.param(DEFAULT, 0.5, "EfficientNetLite1", id="another one, not itself"),
        pytest.param("MobileNetV2", 1.0, None, id="none is better"),
    ],
)
def test_the_nearest_of_those_that_are_better_is_named(name: str, share: float, better: str | None) -> None:
    said = agreement.better_in_int8(load(name, None), share)
    assert (said is None) if better is None else (said or "").startswith(f"{better} in int8 named ")
