"""`hati choose`: its units, its table, its picture, and its exit status."""

import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner, Result
from PIL import Image

from hati.choosing import benchmark, choose
from hati.cli import main
from hati.cli.choose import megabytes, percent, seconds

DEFAULT = "EfficientNetLite0"
ONE = ("--top1", "75", "--size", "20MB")  # the default model alone
TINY = ("--size", "2MB")  # three models; their weights are not here


@pytest.fixture(autouse=True)
def quick(quiet: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Figures need not be good ones here."""
    monkeypatch.setattr(benchmark, "QUICK", 0.03)
    monkeypatch.setattr(benchmark, "THOROUGH", 0.05)


def hati(*arguments: str | Path) -> Result:
    result = CliRunner().invoke(main, ["choose", *map(str, arguments)])
    assert isinstance(result.exception, SystemExit | None), result.exc_info
    return result


@pytest.mark.parametrize(
    ("unit", "text", "value"),
    [
        (percent, "75", 75),
        (percent, "75%", 75),
        (percent, "75.5 %", 75.5),
        (seconds, "30ms", 0.03),
        (seconds, "0.03s", 0.03),
        (seconds, ".03 S", 0.03),
        (seconds, "500us", 0.0005),
        (seconds, "500µs", 0.0005),
        (megabytes, "20MB", 20),
        (megabytes, "20mb", 20),
        (megabytes, "1.5GB", 1500),
        (megabytes, "800 kB", 0.8),
        (megabytes, "1MiB", 1.048576),
    ],
)
def test_units_are_understood(unit: Callable[..., float], text: str, value: float) -> None:
    assert unit(None, None, text) == pytest.approx(value, rel=1e-12)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--latency", "30"], "Invalid value for '--latency': '30': the unit is missing; write it as 30ms or 0.03s"),
        (["--latency", "30 years"], "there is no unit 'years' here; write it as 30ms or 0.03s, in s, ms, us, µs"),
        (["--latency", "-3ms"], "'-3ms' is not understood; write it as 30ms or 0.03s"),
        (["--latency", "0ms"], "latency is 0; more than 0 was expected"),
        (["--size", "1,5GB"], "'1,5GB' is not understood; write it as 20MB or 1.5GB"),
        (["--size", "20"], "'20': the unit is missing; write it as 20MB or 1.5GB"),
        (["--size", "20Mb/s"], "there is no unit 'Mb/s' here"),
        (["--size", "nan"], "'nan' is not understood"),
        (["--size", ""], "'' is not understood"),
        (["--top1", "0.75"], "top-1 is 0.75 %; a percentage from 1 to 100 was expected"),
        (["--top1", "seventy"], "'seventy' is not understood; write it as 75 or 75%"),
        (["--photos", "gone"], "gone: there is no such folder"),
        (["--out", "front.pdf"], "front.pdf: a picture is written as .png or .svg"),
        (["--out", "gone/front.png"], "gone/front.png: there is no folder gone; make it first"),
    ],
)
def test_what_is_not_understood_is_said_before_anything_is_measured(arguments: list[str], said: str) -> None:
    result = hati(*arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert said in result.stderr


@pytest.mark.usefixtures("empty_cache")
def test_the_front_is_a_table_and_the_pick_a_sentence() -> None:
    result = hati(*ONE)
    title, headers, _, row, _, reason = result.stdout.splitlines()
    assert (result.exit_code, result.stderr) == (0, "")
    assert title.startswith("Latency: one picture, on ")
    assert headers.split() == ["Model", "Top-1", "%", "Latency", "ms", "MB", "Weights"]
    arrow, name, top1, *_, size, weights = row.split()
    assert (arrow, name, top1, size, weights) == ("→", DEFAULT, "75.1", "18.8", "here")
    assert reason.startswith(f"{DEFAULT} is the only model within the bounds: top-1 75.1 % as published, ")


def test_random_weights_are_marked_and_the_way_to_the_real_ones_is_told() -> None:
    result = hati(*TINY)
    lines = result.stdout.splitlines()
    rows = [line for line in lines if re.search(r"MobileNet.*\(", line)]
    assert all(row.endswith("random") for row in rows)
    assert rows
    assert lines[-1] == "Its weights are not on this machine: hati weights fetch MobileNet_0.25_192"


def test_where_nothing_is_within_the_bounds_the_nearest_are_told() -> None:
    result = hati(*ONE, "--latency", "0.1us")
    assert result.exit_code == 1
    assert result.stderr.startswith(
        "hati: nothing meets top-1 ≥ 75 %, latency ≤ 0.0001 ms and size ≤ 20 MB together; the nearest: "
        f"{DEFAULT} (latency "
    )
    (row,) = (line for line in result.stdout.splitlines() if DEFAULT in line)
    assert row.split()[-1] == "latency"


def test_json_tells_all() -> None:
    result = hati(*TINY, "--json")
    told: dict[str, Any] = json.loads(result.stdout)
    measured = [one for one in told["candidates"] if one["latency"]]
    assert told["pick"] == "MobileNet_0.25_192"
    assert told["bounds"] == {"top1": None, "latency": None, "megabytes": 2}
    assert {one["name"] for one in measured if one["on_front"]} == {*told["front"]}
    assert all(one["latency"]["median"] > 0 and one["latency"]["taken"] and one["misses"] == [] for one in measured)
    assert len(told["candidates"]) > 80


@pytest.fixture
def matplotlib() -> None:
    pytest.importorskip("matplotlib", reason="pictures are drawn with matplotlib, the extra plots")


@pytest.mark.usefixtures("matplotlib")
def test_the_picture_is_a_png(tmp_path: Path) -> None:
    assert hati(*ONE, "--latency", "10s", "--out", tmp_path / "front.PNG").exit_code == 0
    with Image.open(tmp_path / "front.PNG") as picture:
        assert picture.format == "PNG"
        assert min(picture.size) > 500
        assert len(picture.convert("RGB").getcolors(1 << 20) or ()) > 50
    assert [path.name for path in tmp_path.iterdir()] == ["front.PNG"]


@pytest.mark.usefixtures("matplotlib")
@pytest.mark.parametrize("bounds", [TINY, (*TINY, "--latency", "0.1us")], ids=["met", "missed"])
def test_the_picture_is_an_svg_that_holds_the_names_as_text(tmp_path: Path, bounds: tuple[str, ...]) -> None:
    path = tmp_path / "front.svg"
    told = json.loads(hati(*bounds, "--json", "--out", path).stdout)
    words = "\n".join(
        "".join(text.itertext()) for text in ElementTree.parse(path).iter("{http://www.w3.org/2000/svg}text")
    )
    assert told["front"]
    for name in told["front"]:
        assert name in words
    assert "size ≤ 2 MB" in words
    assert ("No model within all bounds" in words) == (told["pick"] is None)


@pytest.mark.usefixtures("matplotlib")
def test_a_picture_drawn_twice_is_the_same(tmp_path: Path) -> None:
    choice = choose(megabytes=2)
    for name in ("one.svg", "two.svg"):
        choice.draw(tmp_path / name)
    assert (tmp_path / "one.svg").read_bytes() == (tmp_path / "two.svg").read_bytes()


def test_without_matplotlib_the_way_to_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)  # Python's own way to say that it is not installed
    result = hati("--out", "front.png")
    assert result.exit_code == 2
    assert 'front.png: drawing needs matplotlib: pip install ".[plots]" in ' in result.stderr
