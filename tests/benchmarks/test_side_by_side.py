"""The benchmark beside the peers, with those of them that the tests' own environment has."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import oracle
import pytest
from PIL import Image
from side_by_side import environments, goals, network_times, photo_files, photo_times, processes, report, results
from side_by_side.__main__ import carry_out, chosen_from
from side_by_side.asking import PeerError, Team, Worker, in_turns
from side_by_side.environments import Environment, all_environments
from side_by_side.limits import times_the_limit
from side_by_side.networks import SIDE, Network, write_class_names
from side_by_side.plan import FULL, QUICK, WAYS, Effort
from side_by_side.results import Results, Row
from side_by_side.running import Job, Run

from hati import photos
from hati.errors import ArgumentError

SMALL = Network("MobileNet_0.25_128")
MOMENT = Effort(
    seconds=0.02,
    rounds=2,
    own_calls=3,
    processes=1,
    photos=10,
    calls=100,
    passes=1,
    enlarged=2,
    networks=(SMALL,),
    slow=False,
)
HERE = {"hati", "onnxruntime", "keras_torch", "torch"}  # the tests' own environment serves for these
PRESENT = tuple(way for way in WAYS if way.environment in HERE and not way.slow)


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("side by side")


@pytest.fixture
def team(work: Path) -> Iterator[Team]:
    found = {name: replace(there, folder=Path(sys.prefix)) for name, there in all_environments(work).items()}
    with Team(found, work / "logs") as team:
        yield team


@pytest.fixture
def run(team: Team, work: Path) -> Run:
    return Run(team, work, MOMENT)


def test_every_peer_here_answers_as_hati_does_and_has_its_times(run: Run) -> None:
    piece = network_times.side_by_side(run, SMALL, 2, PRESENT)
    assert list(piece) == [way.name for way in PRESENT]
    for row in piece.values():
        assert not row.failed
        assert not row.note
        assert row.median is not None
        assert row.difference is not None
        assert row.difference < 1e-5


def test_an_answer_that_differs_is_marked() -> None:
    way, ready = PRESENT[0], network_times.Ready(np.array([0.5, 0.4]))
    row = network_times.row_of(way, ready, Row(1.0, 1.0, 1.0), np.array([0.5, 0.1]))
    assert row.difference == pytest.approx(0.6)
    assert row.note == "answers differ by 6.0e-01"


def test_a_peer_that_cannot_gives_its_reason_and_the_others_go_on(run: Run) -> None:
    absent = replace(PRESENT[1], name="absent", environment="openvino", module="in_openvino")
    run.team.missing["openvino"] = "not installed: no such release"
    unknown = replace(PRESENT[1], name="unknown", module="in_nothing")
    piece = network_times.side_by_side(run, SMALL, 1, (PRESENT[0], absent, unknown))
    assert piece["hati"].median is not None
    assert piece["absent"] == Row(failed="not installed: no such release")
    assert "No module named 'side_by_side.peers.in_nothing'" in piece["unknown"].failed


def test_a_worker_that_dies_is_a_failed_row_and_starts_again(run: Run) -> None:
    way, folder = PRESENT[1], run.folder(SMALL)
    run.prepare(way, folder)

    def killed() -> list[float]:
        [worker] = run.team.workers.values()
        assert worker.process is not None
        os.kill(worker.process.pid, signal.SIGKILL)
        return run.measure(way, 0.01)

    piece = in_turns({"killed": killed, "well": lambda: [1.0]}, 2)
    assert piece == {"killed": Row(failed="its process ended (SIGKILL)"), "well": Row(1.0, 1.0, 1.0)}
    assert run.prepare(way, folder)["answer"]


def test_a_worker_that_does_not_answer_is_given_up(work: Path) -> None:
    worker = Worker(Environment("here", Path(sys.prefix)), "side_by_side.peers", work / "log", patience=0.0)
    with pytest.raises(PeerError, match="no answer within 0 s"):
        worker.ask("forget")
    assert worker.process is None


def test_what_a_library_prints_does_not_reach_the_answers(work: Path) -> None:
    (work / "chatty.py").write_text("print('hello')\nWORKS = {'two': lambda: print('again') or 2}\n")
    environment = Environment("here", Path(sys.prefix), {"PYTHONPATH": f"{work}:{environments.HERE.parent}"})
    worker = Worker(environment, "chatty", work / "chatty.log")
    assert worker.ask("work", name="two") == {"found": 2}
    worker.close()
    assert (work / "chatty.log").read_text().split() == ["hello", "again"]


def test_what_predict_adds_to_onnx_runtime_is_measured(run: Run) -> None:
    [row] = network_times.added(run, [SMALL]).values()
    assert row.median is not None
    assert row.median > 0


def test_a_photo_and_a_folder_of_them_get_their_times_and_a_missing_peer_its_reason(run: Run) -> None:
    photo = photo_times.photo_to_answer(run, SMALL, photo_files.SMALL)
    folder = photo_times.folder_to_answers(run, SMALL)
    for row in (photo["hati"], *(row for name, row in folder.items() if name.startswith("hati"))):
        assert row.median is not None
    for row in (photo["Keras on TensorFlow"], folder["Keras on TensorFlow, photos"]):
        assert row.failed == ("its process ended (exit status 1): ModuleNotFoundError: No module named 'tensorflow'")


def test_many_calls_neither_grow_nor_answer_wrongly(run: Run) -> None:
    piece = photo_times.many_calls(run)
    assert piece[photo_times.RIGHT].median == 1
    assert (piece[photo_times.GROWN].median or 0) < 20


def test_enlarged_photos_are_named_alike_at_a_part_of_their_size(run: Run) -> None:
    [row] = photo_times.reduced_decoding(run).values()
    assert (row.median, row.note) == (1.0, "2 photos of 3000×3000")


def test_a_killed_run_keeps_its_pieces_and_goes_on_after_them(tmp_path: Path) -> None:
    measured: list[str] = []

    def measure(name: str, fails: bool = False) -> Callable[[], dict[str, Row]]:
        def piece() -> dict[str, Row]:
            if fails:
                raise KeyboardInterrupt
            measured.append(name)
            return {"hati": Row.of([1.0, 2.0])}

        return piece

    path = tmp_path / "results.json"
    with pytest.raises(KeyboardInterrupt):
        carry_out([Job("a", (), measure("a")), Job("b", (), measure("b", fails=True))], results.read(path))
    kept = results.read(path)
    assert kept.pieces == {"a": {"hati": Row(1.5, 1.25, 1.75)}}
    carry_out([Job("a", (), measure("a")), Job("b", (), measure("b"))], kept)
    assert measured == ["a", "b"]
    assert results.read(path).pieces.keys() == {"a", "b"}


@pytest.mark.parametrize(
    ("names", "chosen"),
    [(None, ["matrix product", "x"]), (["x"], ["x"]), (["y"], ["y"]), (["limit", "y"], ["matrix product", "y"])],
)
def test_only_what_is_named_is_measured(names: list[str] | None, chosen: list[str]) -> None:
    jobs = [Job("matrix product", ("all", "limit"), dict), Job("x", ("all", "x"), dict), Job("y", ("y",), dict)]
    assert [job.name for job in chosen_from(jobs, names)] == chosen


def test_a_quick_run_measures_fewer_networks() -> None:
    assert {network.name for network in QUICK.networks} < {network.name for network in FULL.networks}


ONE = "ResNet50, batch 1"


@pytest.mark.parametrize(
    ("key", "pieces", "word", "value"),
    [
        ("keras_predict", {ONE: {"hati": 10, "Keras on TensorFlow, predict": 35}}, "yes", 3.5),
        ("keras_predict", {ONE: {"hati": 10, "Keras on TensorFlow, predict": 25}}, "NO", 2.5),
        ("keras_predict", {ONE: {"hati": 10}}, "not measured", None),
        ("keras_predict", {}, "not measured", None),
        ("openvino", {ONE: {"hati": 10, "OpenVINO, float32": 10}}, "yes", 1.0),
        ("openvino", {ONE: {"hati": 12, "OpenVINO, float32": 10}}, "NO", 1.2),
        ("predict_adds", {"what predict adds": {"ResNet50": 0.0001, "VGG16": 0.0004}}, "yes", 0.4),
        ("predict_adds", {"what predict adds": {"ResNet50": 0.0001, "VGG16": 0.0006}}, "NO", 0.6),
        ("import", {"imports": {"import hati": 0.030}}, "yes", 30.0),
        ("installed", {"installed size": {"hati": 301.0}}, "NO", 301.0),
        ("int8", {"int8": {"float32": 0.030, "int8": 0.015}}, "yes", 2.0),
    ],
)
def test_a_goal_is_reached_or_not(
    key: str, pieces: dict[str, dict[str, float]], word: str, value: float | None
) -> None:
    [verdict] = [verdict for verdict in goals.verdicts(found(pieces)) if verdict.goal.key == key]
    assert (verdict.word, verdict.value) == (word, pytest.approx(value) if value is not None else None)


def found(pieces: dict[str, dict[str, float]]) -> Results:
    rows = {name: {peer: Row.of([value]) for peer, value in piece.items()} for name, piece in pieces.items()}
    return Results(pieces=rows)


@pytest.mark.parametrize(("key", "word", "value"), [("start_keras", "yes", 14.0), ("start_keras_torch", "NO", 10.0)])
def test_the_start_is_compared_with_keras_on_each_backend(key: str, word: str, value: float) -> None:
    rows = {"hati, ResNet50": 0.5, "Keras on TensorFlow, ResNet50": 7.0, "Keras on PyTorch, ResNet50": 5.0}
    measured = found({processes.ANSWERS: rows})
    [verdict] = [verdict for verdict in goals.verdicts(measured) if verdict.goal.key == key]
    assert (verdict.value, verdict.word) == (value, word)


def test_a_folder_is_compared_with_the_network_at_its_fastest() -> None:
    rows = {"hati, photos": 0.020, "hati, network alone, batch 8": 0.018, "hati, network alone, batch 32": 0.016}
    measured = found({"folder, ResNet50": rows})
    [verdict] = [verdict for verdict in goals.verdicts(measured) if verdict.goal.key == "folder_ResNet50"]
    assert verdict.value == pytest.approx(0.8)


def test_a_reason_stands_beside_the_goal_that_was_missed_and_no_other(tmp_path: Path) -> None:
    reasons = tmp_path / "reasons.toml"
    reasons.write_text('installed = "onnx is large"\nimport = "never said"\n')
    measured = found({"imports": {"import hati": 0.03}, "installed size": {"hati": 301.0}})
    told = {verdict.goal.key: verdict.reason for verdict in goals.verdicts(measured, reasons)}
    assert (told["installed"], told["import"]) == ("onnx is large", "")


def test_every_goal_has_a_key_of_its_own_and_every_reason_a_goal() -> None:
    keys = [goal.key for goal in goals.goals()]
    assert len(keys) == len(set(keys))
    assert all(verdict.goal.key in keys for verdict in goals.verdicts(Results()))


def test_the_limit_is_the_work_at_the_rate_of_the_faster_product() -> None:
    measured = found({"matrix product": {"NumPy": 2.0, "ONNX Runtime": 1.0}, ONE: {"hati": 0.3}})
    measured.about["multiply_adds"] = {"ResNet50": SIDE**3 / 10}
    assert times_the_limit(measured, "ResNet50", 1) == pytest.approx(3.0)


ABOUT = {
    "date": "2026-01-01",
    "quick": False,
    "threads": 2,
    "machine": {"processor": "A processor", "memory": 8 << 30, "system": "Linux"},
    "versions": {"hati": {"hati": "0.1.0", "numpy": "2"}, "torch": {"torch": "2.13.0", "numpy": "2"}},
    "multiply_adds": {"ResNet50": 3_857_973_248},
}


def test_the_report_shows_times_ratios_failures_and_goals() -> None:
    row = Row.of([0.010, 0.012, 0.011])
    measured = found({"matrix product": {"NumPy": 0.1}, "installed size": {"hati": 250}})
    measured.about = ABOUT
    measured.pieces[ONE] = {"hati": row, "slow": Row.of([0.022]), "LiteRT": Row(failed="ValueError: no file")}
    shown = report.text(measured)
    for line in (
        r"A processor, 8 GiB, Linux. 2 threads each; one works at a time, in turns. hati 0.1.0, numpy 2, torch 2.13.0.",
        r"  hati +11.0  1.00×\n +10.5 – 11.5\n  slow +22.0  2.00×",
        r"  LiteRT +failed",
        r"\* LiteRT: failed: ValueError: no file",
        r"  the limit +44.9  4.08×",
        r"installed size, with all dependencies +≤ 300 MB +250 MB   yes",
        r"On a GPU: not measured",
    ):
        assert re.search(line, shown), line


def test_a_run_without_results_reports_its_goals_as_not_measured() -> None:
    assert report.text(Results()).count("not measured") == len(list(goals.goals())) + 1


def test_the_gpus_rows_are_shown_where_there_are_any(tmp_path: Path) -> None:
    row = {"network": "ResNet50", "batch": 1, "engine": "hati", "with_transfers": 900.0, "alone": 1000.0, "reason": ""}
    absent = row | {"engine": "other", "with_transfers": None, "alone": None, "reason": "not here"}
    path = tmp_path / "gpu.json"
    path.write_text(json.dumps({"gpu": "Some GPU", "precision": "float16", "rows": [row, absent]}))
    shown = report.text(Results(), path)
    assert "On Some GPU, float16" in shown
    assert re.search(r"ResNet50   hati +900 / 1,000", shown)
    assert re.search(r"ResNet50   other +not measured", shown)
    assert "* other: not here" in shown


@pytest.mark.parametrize("after", ["", "\n## Next\n"])
def test_a_page_keeps_what_is_not_between_the_marks(tmp_path: Path, after: str) -> None:
    page = tmp_path / "README.md"
    page.write_text("# Measured\n")
    report.put_into(page, "first")
    page.write_text(page.read_text() + after)
    report.put_into(page, "second")
    assert page.read_text() == f"# Measured\n\n{report.HEADING}\n\n{report.BEGIN}\nsecond\n{report.END}\n{after}"


def test_a_new_process_is_measured_without_the_memory_of_this_one(run: Run, work: Path) -> None:
    ballast = np.ones(100_000_000)
    environment = run.team.environments["hati"]
    small = processes.Command(environment, ("python", "-c", "pass"))
    large = processes.Command(environment, ("python", "-c", "x = b'1' * 100_000_000"))
    wrong = processes.Command(environment, ("python", "-c", "raise ValueError('no')"))
    piece = processes.in_new_processes(run, {"small": small, "large": large, "wrong": wrong})
    assert ballast.nbytes == 800_000_000
    assert piece["small"].memory is not None
    assert piece["small"].memory < 50
    assert piece["large"].memory is not None
    assert piece["large"].memory - piece["small"].memory > 90
    assert piece["wrong"].failed == "exit status 1: ValueError: no"


def test_photos_have_their_sizes_and_are_made_once(tmp_path: Path) -> None:
    for size in (photo_files.SMALL, photo_files.LARGE):
        path = photo_files.one(tmp_path, size)
        made = path.stat().st_mtime_ns
        assert photos.read(path).size == size
        assert photo_files.one(tmp_path, size).stat().st_mtime_ns == made
    files = sorted(photo_files.many(tmp_path, 6).iterdir())
    assert [photos.read(file).size for file in files] == 6 * [photo_files.SMALL]
    assert len({file.read_bytes() for file in files}) == 6


def test_the_users_own_photos_are_taken_if_they_can_be_read(tmp_path: Path) -> None:
    (tmp_path / "broken.png").write_bytes(b"no photo")
    with pytest.raises(ArgumentError, match="holds no photos"):
        photo_files.one(tmp_path / "made", (40, 30), tmp_path)
    Image.new("RGB", (40, 30), "red").save(tmp_path / "red.png")
    made = photos.read(photo_files.one(tmp_path / "made", (40, 30), tmp_path))
    assert np.asarray(made).mean((0, 1)).argmax() == 0


def test_keras_finds_the_names_of_classes_without_a_network(tmp_path: Path) -> None:
    write_class_names(tmp_path)
    code = (
        "import numpy as np; from keras.applications.imagenet_utils import decode_predictions;"
        "print(decode_predictions(np.eye(1, 1000), top=1)[0][0][1])"
    )
    variables = os.environ | {"KERAS_HOME": str(tmp_path), "HTTPS_PROXY": "http://localhost:1"}
    told = subprocess.run([sys.executable, "-c", code], env=variables, capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "tench"


def test_every_environment_is_made_from_pinned_requirements(work: Path) -> None:
    for name in all_environments(work).keys() - {"hati"}:
        lines = (environments.HERE / "requirements" / f"{name}.txt").read_text().split()
        assert lines
        assert all("==" in line for line in lines)


def test_every_way_has_its_module_and_environment(work: Path) -> None:
    for way in WAYS:
        assert (environments.HERE / "peers" / f"{way.module}.py").exists()
        assert way.environment in all_environments(work)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--only", "NoSuchNetwork"), "invalid choice: 'NoSuchNetwork'"),
        (("--photos", "{folder}"), "holds no photos; --photos takes a folder with some"),
        (("--work", "{folder}", "--only", "limit", "--resume"), "holds no results of benchmarks/run"),
    ],
)
def test_what_cannot_be_done_is_told_in_one_sentence(tmp_path: Path, arguments: tuple[str, ...], told: str) -> None:
    (tmp_path / "results.json").write_text("[]")
    command = [sys.executable, "-m", "side_by_side", *(argument.format(folder=tmp_path) for argument in arguments)]
    variables = os.environ | {"PYTHONPATH": f"{environments.HERE.parent}{os.pathsep}{Path(oracle.__file__).parent}"}
    done = subprocess.run(command, env=variables, capture_output=True, text=True)
    assert (done.returncode, "Traceback" in done.stderr) == (2, False)
    assert told in done.stderr
