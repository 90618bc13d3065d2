import os
from pathlib import Path

import numpy as np
import pytest

from hati.architectures.blocks import Head
from hati.architectures.mobilenet import mobilenet
from hati.errors import WeightsError
from hati.graph import Graph
from hati.weights import Weights, from_arrays, from_file, random


def small() -> Graph:
    return mobilenet((32, 32, 3), Head(classes=5), alpha=0.25)


def stored(path: Path, seed: int = 1) -> Path:
    np.savez(path, **random(small(), seed).arrays())  # type: ignore[arg-type]
    return path


def equal(a: Weights, b: Weights) -> bool:
    return all(np.array_equal(x, y) for x, y in zip(a.arrays().values(), b.arrays().values(), strict=True))


def test_a_file_is_read_when_its_arrays_are_asked_for_and_once(tmp_path: Path) -> None:
    path = stored(tmp_path / "weights.npz")
    calls: list[str] = []
    weights = from_file(path, small(), verify=lambda: calls.append("verified"))
    assert calls == []
    assert weights.arrays() is weights.arrays()
    assert calls == ["verified"]
    assert equal(weights, random(small(), 1))


def test_released_arrays_are_read_again(tmp_path: Path) -> None:
    weights = from_file(stored(tmp_path / "weights.npz"), small())
    before = weights.arrays()
    weights.release()
    assert weights.arrays() is not before


def test_a_part_of_the_graph_has_its_part_of_the_arrays(tmp_path: Path) -> None:
    weights, part = from_file(stored(tmp_path / "weights.npz"), small()), small().cut("conv_pw_3_relu")
    assert list(weights.of(part).arrays()) == list(part.weights())
    assert weights.of(part).identity == weights.identity


def test_a_missing_file_is_refused_when_it_is_read(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"nothing\.h5: there is no such file"):
        from_file(tmp_path / "nothing.h5", small()).arrays()


def test_the_identity_changes_with_the_content_also_behind_equal_size_and_time(tmp_path: Path) -> None:
    path = stored(tmp_path / "weights.npz")
    before, state = from_file(path, small()).identity, path.stat()
    assert from_file(path, small()).identity == before
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))
    assert from_file(path, small()).identity != before


def test_a_copy_elsewhere_is_another_file(tmp_path: Path) -> None:
    first, second = (stored(tmp_path / name) for name in ("a.npz", "b.npz"))
    assert from_file(first, small()).identity != from_file(second, small()).identity


def test_arrays_and_random_weights_have_no_identity() -> None:
    assert random(small()).identity is None
    assert from_arrays(random(small()).arrays(), small()).identity is None


def test_random_weights_follow_their_seed_and_keras_rules() -> None:
    assert equal(random(small(), 1), random(small(), 1))
    assert not equal(random(small(), 1), random(small(), 2))
    arrays = random(small(), 1).arrays()
    assert (arrays["conv1_bn/gamma"] == 1).all()
    assert (arrays["conv1_bn/beta"] == 0).all()
    limit = (6 / (9 * (3 + 8))) ** 0.5  # Glorot's for a 3 by 3 kernel of 3 channels and 8 filters
    kernel = np.abs(arrays["conv1/kernel"])
    assert 0.9 * limit < kernel.max() <= limit
    assert np.float32 == arrays["conv1/kernel"].dtype
