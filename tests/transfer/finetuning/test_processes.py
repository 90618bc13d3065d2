"""Two processes that learn together, started by PyTorch's own launcher."""

import json
import os
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import tiny_body

from hati.transfer.finetuning import Recipe

RECIPE = Recipe(epochs=2, batch_size=2, rate=1e-3, head_rate=1e-2, dropout=False, mixup=0.3)

LAUNCHER = ("-m", "torch.distributed.run", "--nproc-per-node", "2", "--standalone")


def run(folder: Path, name: str, recipe: Recipe, *launcher: str) -> str:
    arguments = [str(folder), str(folder / name), str(folder / f"{name}.npz"), json.dumps(asdict(recipe))]
    done = subprocess.run(
        [sys.executable, *launcher, tiny_body.__file__, *arguments],
        capture_output=True,
        text=True,
        timeout=600,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stderr


def test_two_processes_learn_what_one_learns_with_the_same_photos_at_once(tmp_path: Path) -> None:
    alone = run(tmp_path, "alone", replace(RECIPE, batch_size=4))
    two = run(tmp_path, "two", RECIPE, *LAUNCHER)
    one, other = (np.load(tmp_path / f"{name}.npz") for name in ("alone", "two"))
    for name in one:
        np.testing.assert_allclose(other[name], one[name], atol=1e-4, err_msg=name)
    assert [said.count("epoch 2:") for said in (alone, two)] == [1, 1], "only the first process speaks"
    assert "Warning" not in two
    assert len(list((tmp_path / "two").iterdir())) == 1
    again = run(tmp_path, "two", RECIPE, *LAUNCHER)
    assert again.count("it went on after epoch 2") == 1
