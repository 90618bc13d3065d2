"""Trainings that end amid their work, by a kill, by Ctrl-C, on a full disk or by a loss that is no number."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny_body
from disks import on_a_disk
from PIL import Image
from tiny_body import School, arrays_of, same, school

from hati.errors import TrainingError, TrainingStopped
from hati.photos.sets import from_labels
from hati.transfer.finetuning import Finetuned, Recipe, finetune
from hati.transfer.finetuning.checkpoints import Checkpoint, fingerprint, marks

pytestmark = pytest.mark.usefixtures("one_thread")

RECIPE = Recipe(epochs=4, batch_size=6, rate=1e-3, head_rate=1e-2, average=0.5, batch_norm="trained", mixup=0.5)


def taught(given: School, kept: Path | None, recipe: Recipe = RECIPE, seed: int = 0) -> Finetuned:
    sets = (given.train, given.validation)
    return finetune(given.body, given.head, *sets, recipe, seed=seed, checkpoints=kept, device="cpu", verbose=0)


def begun(folder: Path, kept: Path, recipe: Recipe) -> subprocess.Popen[str]:
    """A training in a process of its own, that tells each epoch on standard error."""
    out = folder / "outcome.npz"
    return subprocess.Popen(
        [sys.executable, tiny_body.__file__, folder, kept, out, json.dumps(asdict(recipe))],
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler) and None,
    )


def hit(folder: Path, kept: Path, recipe: Recipe, blow: signal.Signals) -> str:
    """What a training still says, after it is hit once its third epoch was judged."""
    with begun(folder, kept, recipe) as process:
        assert process.stderr is not None
        assert any(line.startswith("epoch 3:") for line in process.stderr)
        process.send_signal(blow)
        return process.stderr.read()


def test_a_training_that_was_killed_ends_as_if_it_had_not_been(tmp_path: Path) -> None:
    recipe = replace(RECIPE, epochs=40, patience=40)
    hit(tmp_path, tmp_path / "kept", recipe, signal.SIGKILL)
    assert not (tmp_path / "outcome.npz").exists()
    given = school(tmp_path)
    resumed, straight = taught(given, tmp_path / "kept", recipe), taught(given, None, recipe)
    (note, *_) = resumed.notes
    assert int(re.fullmatch(r"it went on after epoch (\d+), which an earlier run had reached", note)[1]) in range(2, 40)  # type: ignore[index]
    assert resumed.epochs == straight.epochs
    arrays = arrays_of(resumed.body, resumed.head)
    assert same(arrays, arrays_of(straight.body, straight.head)) == arrays.keys()


def test_a_finished_training_is_not_done_again(tmp_path: Path) -> None:
    given = school(tmp_path)
    first = taught(given, tmp_path / "kept")
    assert first.checkpoint is not None
    (tmp_path / "before").hardlink_to(first.checkpoint)  # a checkpoint that is written again is another file
    again = taught(given, tmp_path / "kept")
    assert first.checkpoint.samefile(tmp_path / "before")
    assert again.epochs == first.epochs
    arrays = arrays_of(first.body, first.head)
    assert same(arrays, arrays_of(again.body, again.head)) == arrays.keys()


@pytest.mark.parametrize(
    "change",
    [
        lambda given: {"recipe": replace(RECIPE, epochs=3)},
        lambda given: {"seed": 1},
        lambda given: {"given": replace(given, train=given.train.take(np.arange(1, 12)))},
        lambda given: {"given": replace(given, train=replace(given.train, targets=given.train.targets[::-1]))},
        lambda given: {"given": replace(given, body=tiny_body.body_of(tiny_body.few_layers(), seed=1))},
        lambda given: {"given": replace(given, head=replace(given.head, bias=given.head.bias + 1))},
    ],
    ids=["recipe", "seed", "photos", "labels", "body", "head"],
)
def test_another_training_does_not_take_the_checkpoint(
    tmp_path: Path, change: Callable[[School], dict[str, Any]]
) -> None:
    given = school(tmp_path)
    first = taught(given, tmp_path / "kept", replace(RECIPE, epochs=1))
    arguments: dict[str, Any] = {"given": given, "recipe": replace(RECIPE, epochs=1)} | change(given)
    other = taught(arguments["given"], tmp_path / "kept", arguments["recipe"], arguments.get("seed", 0))
    assert other.checkpoint != first.checkpoint
    assert "it went on" not in " ".join(other.notes)


def test_what_a_kill_left_amid_a_write_is_swept_away(tmp_path: Path) -> None:
    checkpoint = Checkpoint(tmp_path / "few.pt")
    checkpoint.write({"epochs": [1]})
    for name in (".few.pt.1234abcd.part", ".other.pt.1234abcd.part"):
        (tmp_path / name).write_bytes(b"half")
    assert checkpoint.read() == {"epochs": [1]}
    assert {path.name for path in tmp_path.iterdir()} == {"few.pt", ".other.pt.1234abcd.part"}


def test_a_photo_that_changed_makes_another_training(tmp_path: Path) -> None:
    given = school(tmp_path)
    first = taught(given, tmp_path / "kept", replace(RECIPE, epochs=1))
    os.utime(str(given.train.photos[0]), ns=(1, 1))
    assert taught(given, tmp_path / "kept", replace(RECIPE, epochs=1)).checkpoint != first.checkpoint


@pytest.mark.parametrize("damage", [b"", b"no checkpoint", None], ids=["empty", "text", "cut"])
def test_a_damaged_checkpoint_is_named(tmp_path: Path, damage: bytes | None) -> None:
    given = school(tmp_path)
    kept = taught(given, tmp_path / "kept", replace(RECIPE, epochs=1)).checkpoint
    assert kept is not None
    kept.write_bytes(kept.read_bytes()[:-3000] if damage is None else damage)
    with pytest.raises(TrainingError, match=rf"{kept}: it is no checkpoint, or a damaged one .*; remove it"):
        taught(given, tmp_path / "kept", replace(RECIPE, epochs=1))


def test_ctrl_c_says_what_is_safe(tmp_path: Path) -> None:
    said = hit(tmp_path, tmp_path / "kept", replace(RECIPE, epochs=500, patience=500), signal.SIGINT)
    assert re.search(
        rf"TrainingStopped: stopped in epoch \d+ of 500; epochs 1 to \d+ are safe in {tmp_path}/kept/few-\w+\.pt; "
        "the same call goes on from there$",
        said.strip(),
    )


def test_ctrl_c_without_checkpoints_says_that_nothing_is_kept(tmp_path: Path) -> None:
    given = school(tmp_path)
    interrupting = replace(given.train, photos=(Interrupting(), *given.train.photos[1:]))
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(TrainingStopped, match="stopped in epoch 1 of 4; nothing of it is kept; give a folder"):
            taught(replace(given, train=interrupting), None)
    finally:
        signal.signal(signal.SIGINT, before)


class Interrupting(os.PathLike[str]):
    """A photo at whose sight somebody presses Ctrl-C."""

    def __fspath__(self) -> str:
        signal.raise_signal(signal.SIGINT)
        return "/nowhere.png"


def test_a_loss_that_is_no_number_ends_it_and_the_epochs_before_are_kept(tmp_path: Path) -> None:
    given = school(tmp_path)
    wild = replace(RECIPE, rate=10, head_rate=10, weight_decay=10, optimiser="sgd", epochs=30, warm_up=0.9, patience=30)
    with pytest.raises(TrainingError, match=r"epoch \d+, step \d: the loss or a weight is no number") as told:
        taught(given, tmp_path / "kept", wild)
    assert str(told.value).endswith("begin anew with lower ones, such as rate=1 and head_rate=1")
    (kept,) = (tmp_path / "kept").iterdir()
    state = Checkpoint(kept).read()
    assert state is not None
    assert all(tensor.isfinite().all() for tensor in state["network"].values())


FULL = """
import sys, torch
from pathlib import Path
from hati.errors import TrainingError
from hati.transfer.finetuning.checkpoints import Checkpoint
checkpoint = Checkpoint(Path(sys.argv[1], "few.pt"))
checkpoint.write({"epochs": [1], "network": {"w": torch.ones(1000)}})
try:
    checkpoint.write({"epochs": [1, 2], "network": {"w": torch.ones(1_000_000)}})
except TrainingError as error:
    print("Error:", error, file=sys.stderr)
assert checkpoint.read()["epochs"] == [1]
"""


def test_a_full_disk_is_one_message_and_leaves_the_checkpoint_before(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    said, left = on_a_disk(disk, "size=300k", "true", [sys.executable, "-c", FULL, str(disk)])
    assert re.fullmatch(
        rf"Error: {disk}/few\.pt: the checkpoint cannot be written \(.+\); the one before is safe there\. "
        "Make room, or give another folder, and run the same again",
        said.strip(),
    )
    assert left == ["few.pt"]


def test_photos_in_memory_are_told_by_what_they_show() -> None:
    dark, light = (np.full((4, 4, 3), value, np.uint8) for value in (0, 255))
    for show in (np.asarray, Image.fromarray, np.ndarray.tobytes):
        one, same_again, other = (marks(from_labels([show(x), show(x)], [("a",), ("b",)])) for x in (dark, dark, light))
        assert one == same_again
        assert one != other


def test_a_fingerprint_tells_arrays_apart_that_print_alike() -> None:
    many = np.zeros(10_000)
    other = many.copy()
    other[5000] = 1
    assert repr(many) == repr(other)
    assert fingerprint(many) != fingerprint(other)
    assert fingerprint("ab", "c") != fingerprint("a", "bc")
