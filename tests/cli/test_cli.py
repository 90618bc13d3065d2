"""The command line: answers on standard output, faults on standard error, and the exit status of each."""

import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from hati import __version__
from hati.cli import main

WEIGHTS = "mobilenet_2_5_224_tf.h5"
NO_PICTURE = "this is no picture of a format known here"


def hati(*arguments: str | Path, sent: bytes = b"") -> Result:
    result = CliRunner().invoke(main, list(map(str, arguments)), input=sent)
    assert isinstance(result.exception, SystemExit | None), result.exc_info
    return result


def process(*arguments: str | Path, sent: bytes = b"", **environment: str) -> subprocess.CompletedProcess[bytes]:
    """A run as from a shell, in a process of its own."""
    command = [sys.executable, "-m", "hati", *map(str, arguments)]
    return subprocess.run(command, input=sent, capture_output=True, timeout=600, env=os.environ | environment)


def answers(result: Result) -> list[dict[str, Any]]:
    return [json.loads(line) for line in result.stdout.splitlines()]


@pytest.fixture
def folder(cat: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with two photos, deep down a third, and a page of text that is none."""
    (tmp_path / "deep" / "down").mkdir(parents=True)
    shutil.copy(cat, tmp_path / "cat.png")
    shutil.copy(cat.with_name("coffee.png"), tmp_path / "coffee.png")
    shutil.copy(cat.with_name("rocket.jpg"), tmp_path / "deep" / "down" / "rocket.jpg")
    (tmp_path / "page.jpg").write_text("<html>")
    monkeypatch.chdir(tmp_path)
    return tmp_path


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def server(folder: Path) -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder))) as listening:
        threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.01}).start()
        yield f"http://127.0.0.1:{listening.server_port}"
        listening.shutdown()


def test_a_photo_is_named_in_a_table(folder: Path) -> None:
    result = hati("classify", "coffee.png")
    title, headers, _, first, *rest = result.stdout.splitlines()
    assert (result.exit_code, result.stderr, title) == (0, "", "coffee.png")
    assert headers.split() == ["Name", "Score", "Synset"]
    assert first.split()[::2] == ["espresso", "n07920052"]
    assert 0.5 < float(first.split()[1]) <= 1
    assert len([line for line in rest if line]) == 2


def test_many_photos_stand_below_one_header(folder: Path) -> None:
    result = hati("classify", "--top", "1", "coffee.png", "none.jpg", "deep")
    assert (result.exit_code, result.stderr) == (1, "hati: none.jpg: there is no such file\n")
    headers, rule, *photos = result.stdout.splitlines()
    assert headers.split() == ["Name", "Score", "Synset"]
    assert [line.split()[0] for line in photos if line] == ["coffee.png", "espresso", "deep/down/rocket.jpg", "missile"]
    assert {len(line) for line in photos if line.startswith("  ")} == {len(rule) - 1}
    assert result.stdout.endswith("\n\n")


def test_photos_that_cannot_be_read_have_no_table(folder: Path) -> None:
    assert hati("classify", "none.jpg", "page.jpg").stdout == ""


@pytest.mark.parametrize(
    ("places", "photos"),
    [
        (["cat.png"], ["cat.png"]),
        (["coffee.png", "cat.png"], ["coffee.png", "cat.png"]),
        (["deep"], ["deep/down/rocket.jpg"]),
        (["*.png"], ["cat.png", "coffee.png"]),
        (["**/r*.jpg", "cat.png"], ["deep/down/rocket.jpg", "cat.png"]),
    ],
)
def test_places_are_searched_and_all_photos_named(folder: Path, places: list[str], photos: list[str]) -> None:
    result = hati("classify", "--json", *places)
    assert (result.exit_code, result.stderr) == (0, "")
    assert [answer["photo"] for answer in answers(result)] == photos


def test_each_line_of_json_is_an_answer(folder: Path) -> None:
    (answer,) = answers(hati("classify", "--json", "--top", "2", "coffee.png"))
    assert (answer["photo"], answer["model"]) == ("coffee.png", "efficientnet_lite0")
    assert [list(found) for found in answer["predictions"]] == [["synset", "name", "score"]] * 2
    best, second = answer["predictions"]
    assert (best["synset"], best["name"]) == ("n07920052", "espresso")
    assert 1 >= best["score"] >= second["score"] >= 0


def test_each_bad_photo_has_its_line_of_json_too(folder: Path) -> None:
    result = hati("classify", "--json", "--top", "1", "none.jpg", "cat.png", "page.jpg")
    first, cat, page = answers(result)
    assert first == {"photo": "none.jpg", "model": "efficientnet_lite0", "error": "none.jpg: there is no such file"}
    assert (cat["photo"], "error" in cat) == ("cat.png", False)
    assert (page["photo"], "predictions" in page) == ("page.jpg", False)
    assert result.stderr == f"hati: {first['error']}\nhati: {page['error']}\n"
    assert result.exit_code == 1


@pytest.mark.parametrize(("top", "names"), [("1", 1), ("7", 7), ("2000", 1000)])
def test_top_is_how_many_names_there_are(folder: Path, top: str, names: int) -> None:
    (answer,) = answers(hati("classify", "--json", "--top", top, "cat.png"))
    assert len(answer["predictions"]) == names


def test_a_dash_reads_standard_input(folder: Path) -> None:
    result = hati("classify", "--json", "-", "cat.png", sent=Path("coffee.png").read_bytes())
    names = [answer["predictions"][0]["name"] for answer in answers(result)]
    assert (result.exit_code, names[0], len(names)) == (0, "espresso", 2)


def test_a_url_is_fetched(folder: Path, server: str) -> None:
    result = hati("classify", "--json", f"{server}/coffee.png", f"{server}/none.png")
    answer, bad = answers(result)
    assert (answer["photo"], answer["predictions"][0]["name"]) == (f"{server}/coffee.png", "espresso")
    fault = f"{server}/none.png: the server answered 404 File not found"
    assert (bad["error"], result.stderr) == (fault, f"hati: {fault}\n")
    assert result.exit_code == 1


@pytest.mark.parametrize("as_json", [["--json"], []])
def test_bad_photos_do_not_stop_the_good_ones(folder: Path, as_json: list[str]) -> None:
    result = hati("classify", *as_json, "none.jpg", "cat.png", "page.jpg", "*.bmp", "coffee.png")
    assert result.exit_code == 1
    assert [line.partition(" (")[0] for line in result.stderr.splitlines()] == [
        "hati: none.jpg: there is no such file",
        f"hati: page.jpg: {NO_PICTURE}, or its beginning is damaged",
        "hati: *.bmp: there is no such file",
    ]
    assert "espresso" in result.stdout
    assert "Egyptian_cat" in result.stdout


def test_a_folder_without_photos_is_a_fault(folder: Path) -> None:
    (folder / "deep" / "down" / "rocket.jpg").unlink()
    result = hati("classify", "deep")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == "hati: deep: there is no photo in this folder\n"


@pytest.mark.parametrize(
    ("arguments", "status", "fault"),
    [
        (["classify"], 2, "Missing argument 'PHOTO...'"),
        (["classify", "--top", "0", "cat.png"], 2, "0 is not in the range x>=1"),
        (["classify", "--top", "many", "cat.png"], 2, "'many' is not a valid integer"),
        (["classify", "--model", "ResNet", "cat.png"], 2, "no model called 'ResNet'; did you mean ResNet50"),
        (["classify", "--model", "qqq", "cat.png"], 2, "no model called 'qqq'; `hati models` lists all"),
        (["classify", "--weights", "none.h5", "cat.png"], 2, "weights is 'none.h5'; it can be 'imagenet'"),
        (["classify", "--weights", "page.jpg", "cat.png"], 1, "hati: page.jpg: "),
        (["classify", "--colour", "cat.png"], 2, "No such option"),
        (["summary"], 2, "Missing argument 'MODEL'"),
        (["summary", "VGG-16"], 2, "did you mean VGG16"),
        (["name", "cat.png"], 2, "there is no command 'name'; `main --help` lists them all"),
    ],
)
def test_wrong_use_is_one_message(folder: Path, arguments: list[str], status: int, fault: str) -> None:
    result = hati(*arguments)
    assert (result.exit_code, result.stdout) == (status, "")
    assert fault in result.stderr
    assert (result.stderr.startswith("hati: "), result.stderr.count("\n")) == (True, 1)


def test_weights_and_model_of_choice(shared: Path) -> None:
    options = ["-m", "mobilenet_0.25_224", "--weights", str(shared / WEIGHTS), "--json"]
    (answer,) = answers(hati("classify", *options, shared / "elephant-224.png"))
    found = {prediction["name"]: prediction["score"] for prediction in answer["predictions"]}
    assert answer["model"] == "mobilenet_0.25_224"
    assert list(found) == ["tusker", "African_elephant", "Indian_elephant"]
    assert found["tusker"] == pytest.approx(0.6423565, abs=1e-4)


def test_the_odd_folder_is_answered_with_one_line_for_each_fault(shared: Path) -> None:
    result = hati("classify", "--json", shared / "odd")
    faults = result.stderr.splitlines()
    assert result.exit_code == 1
    assert len(answers(result)) == 98  # of the 99, one has no suffix to be known by
    assert sum("error" in answer for answer in answers(result)) == len(faults)
    assert all(line.startswith(f"hati: {shared / 'odd'}") for line in faults)
    assert len(faults) == 24


def test_models_are_listed_in_a_table() -> None:
    result = hati("models")
    headers, _, *rows = [line for line in result.stdout.splitlines() if line]
    assert result.exit_code == 0
    assert headers.split()[:3] == ["Model", "Parameters", "MB"]
    assert [row.split()[0] for row in rows] == [card["name"] for card in json.loads(hati("models", "--json").stdout)]
    assert any(row.split()[:2] == ["ResNet50", "25,636,712"] for row in rows)


def test_models_are_listed_as_json() -> None:
    cards = {card["name"]: card for card in json.loads(hati("models", "--json").stdout)}
    assert cards["EfficientNetLite0"]["on_this_machine"] is True
    assert cards["ResNet50"]["on_this_machine"] is False
    assert (cards["VGG16"]["parameters"], cards["VGG16"]["size"]) == (138_357_544, 224)


def test_a_summary_ends_with_its_totals() -> None:
    result = hati("summary", "resnet50")
    assert result.exit_code == 0
    assert "conv5_block3_out (Activation)" in result.stdout
    for total in ("Total params: 25,636,712", "Trainable params: 25,583,592", "Non-trainable params: 53,120"):
        assert total in result.stdout


def test_a_summary_as_json_holds_layers_and_totals() -> None:
    found = json.loads(hati("summary", "ResNet50", "--json").stdout)
    assert found["totals"] == {"parameters": 25_636_712, "trainable": 25_583_592, "non_trainable": 53_120}
    assert (found["model"], len(found["layers"])) == ("resnet50", 177)
    assert sum(layer["parameters"] for layer in found["layers"]) == 25_636_712


def test_the_version_is_the_librarys() -> None:
    assert hati("--version").stdout == f"hati, version {__version__}\n"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], ["classify", "models", "summary", "weights", "--version"]),
        (["classify"], ["PHOTO...", "--model", "--weights", "--top", "--json", "Exit status: 0", "EfficientNetLite0"]),
        (["models"], ["--json", "accuracy"]),
        (["summary"], ["MODEL", "--json", "totals"]),
    ],
)
@pytest.mark.parametrize("option", ["--help", "-h"])
def test_help_tells_of_everything(arguments: list[str], words: list[str], option: str) -> None:
    result = hati(*arguments, option)
    assert result.exit_code == 0
    assert [word for word in words if word not in result.stdout] == []


def test_a_process_reads_a_photo_and_says_nothing_else(folder: Path) -> None:
    done = process("classify", "--json", "-", "page.jpg", sent=Path("coffee.png").read_bytes())
    named, bad = map(json.loads, done.stdout.splitlines())
    assert (named["predictions"][0]["name"], bad["photo"]) == ("espresso", "page.jpg")
    assert (done.returncode, done.stderr.count(b"\n")) == (1, 1)
    assert done.stderr.startswith(f"hati: page.jpg: {NO_PICTURE}".encode())


@pytest.mark.parametrize("encoding", ["utf-8:strict", "ascii:strict", "cp1252:strict"])
def test_a_name_that_cannot_be_shown_is_spelt_out(folder: Path, encoding: str) -> None:
    names = [b"caf\xe9.png", "হাতি.png".encode()]
    for name in names:
        shutil.copy(b"coffee.png", name)
    done = process("classify", "--top", "1", *map(os.fsdecode, names), PYTHONIOENCODING=encoding)
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.count(b"espresso") == 2


def test_the_command_is_installed(folder: Path) -> None:
    script = Path(sys.executable).with_name("hati")
    if not script.exists():
        pytest.skip("hati is not installed beside this Python")
    done = subprocess.run([script, "classify", "none.jpg"], capture_output=True, text=True, timeout=600)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "hati: none.jpg: there is no such file\n"


@pytest.mark.usefixtures("folder")
def test_a_saved_model_names_a_photo_as_the_model_itself() -> None:
    saved = hati("save", "EfficientNetLite0", "mine.safetensors")
    assert (saved.exit_code, saved.stdout) == (
        0,
        "mine.safetensors: efficientnet_lite0, 4,694,024 parameters, 18.9 MB\n",
    )
    found, expected = hati("classify", "cat.png", "--model", "mine.safetensors"), hati("classify", "cat.png")
    assert (found.exit_code, found.stdout) == (0, expected.stdout)
    assert hati("summary", "mine.safetensors").stdout == hati("summary", "EfficientNetLite0").stdout


@pytest.mark.usefixtures("folder")
def test_weights_alone_are_saved_for_keras_and_read_again() -> None:
    assert hati("save", "EfficientNetLite0", "mine.weights.h5").exit_code == 0
    found = hati("classify", "cat.png", "--weights", "mine.weights.h5")
    assert found.stdout == hati("classify", "cat.png").stdout


def test_a_model_is_not_saved_under_a_name_that_says_nothing(tmp_path: Path) -> None:
    result = hati("save", "EfficientNetLite0", tmp_path / "mine.model")
    assert (result.exit_code, list(tmp_path.iterdir())) == (2, [])
    assert "ends in .safetensors" in result.stderr
