"""Weights as the models hold them: read when they are needed, let go of when not, and named by their content."""

import os
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from hati.errors import WeightsError
from hati.network.architectures import efficientnet_lite
from hati.network.architectures.blocks import Top
from hati.network.architectures.mobilenet import mobilenet
from hati.network.graph import Graph
from hati.network.layers import BatchNormalization, Conv2D, Dense, DepthwiseConv2D, Flatten, InputLayer
from hati.weights import Arrays, Weights, from_arrays, from_file, random


def small(head: Top = Top(classes=5)) -> Graph:
    return mobilenet((32, 32, 3), head, alpha=0.25)


def stored(path: Path, seed: int = 0) -> Path:
    with path.open("wb") as file:
        np.savez(file, **random(small(), seed).arrays())  # type: ignore[arg-type]
    return path


def assert_same(found: Arrays, expected: Arrays) -> None:
    assert list(found) == list(expected)
    for name, array in expected.items():
        np.testing.assert_array_equal(found[name], array, err_msg=name)


def counted(read: Callable[[], Arrays]) -> tuple[Weights, list[int]]:
    """Weights that note each time they are read."""
    reads: list[int] = []

    def noting() -> Arrays:
        reads.append(1)
        return read()

    return Weights(noting), reads


def test_weights_are_read_at_their_first_use_and_kept() -> None:
    weights, reads = counted(lambda: {"a": np.zeros(1)})
    assert not reads
    assert weights.arrays() is weights.arrays()
    assert len(reads) == 1


def test_weights_that_were_let_go_of_are_read_again() -> None:
    weights, reads = counted(lambda: {"a": np.zeros(1)})
    weights.arrays()
    weights.release()
    weights.release()
    weights.arrays()
    assert len(reads) == 2


def test_a_part_has_the_arrays_of_its_graph_and_lets_go_of_the_others() -> None:
    weights, reads = counted(random(small(), 0).arrays)
    part = small().cut("conv_pw_3_relu")
    body = weights.of(part)
    assert not reads
    assert_same(body.arrays(), {name: random(small(), 0).arrays()[name] for name in part.weights()})
    weights.arrays()
    assert len(reads) == 2


def test_a_part_has_the_identity_of_the_whole(tmp_path: Path) -> None:
    weights = from_file(stored(tmp_path / "a.npz"), small())
    assert weights.identity is not None
    assert weights.of(small().cut("conv1_relu")).identity == weights.identity
    assert random(small()).of(small()).identity is None


def test_a_file_is_verified_and_read_only_when_its_arrays_are_needed(tmp_path: Path) -> None:
    steps: list[str] = []
    path = tmp_path / "a.npz"
    weights = from_file(path, small(), verify=lambda: steps.append("verified"))
    assert not steps
    stored(path)
    assert_same(weights.arrays(), random(small(), 0).arrays())
    assert steps == ["verified"]


def test_a_file_that_is_not_verified_is_not_read(tmp_path: Path) -> None:
    def refuse() -> None:
        raise WeightsError("not what was expected")

    (tmp_path / "a.npz").write_bytes(b"no weights")
    with pytest.raises(WeightsError, match=r"^not what was expected$"):
        from_file(tmp_path / "a.npz", small(), verify=refuse).arrays()


def test_a_file_that_does_not_fit_is_refused_by_its_path(tmp_path: Path) -> None:
    path = stored(tmp_path / "a.npz")
    with pytest.raises(WeightsError) as refused:
        from_file(path, small(Top(classes=6))).arrays()
    assert str(refused.value).startswith(f"{path}: conv_preds: its kernel is (1, 1, 256, 5) there")


def test_a_file_with_a_classifier_serves_a_body(tmp_path: Path) -> None:
    path, body = stored(tmp_path / "a.npz"), small(Top(include_top=False))
    arrays = from_file(path, body, body_only=True).arrays()
    assert_same(arrays, {name: random(small(), 0).arrays()[name] for name in body.weights()})
    with pytest.raises(WeightsError, match="for include_top=True"):
        from_file(path, body).arrays()


def test_a_file_with_pytorchs_names_needs_them(tmp_path: Path) -> None:
    graph = Graph(Dense(2)(InputLayer((3,))(), name="predictions"))
    np.savez(tmp_path / "a.npz", **{"_fc.weight": np.arange(6).reshape(2, 3), "_fc.bias": np.ones(2)})  # type: ignore[arg-type]
    names = efficientnet_lite.pytorch_names(graph)
    arrays = from_file(tmp_path / "a.npz", graph, names).arrays()
    assert arrays["predictions/kernel"].tolist() == [[0, 3], [1, 4], [2, 5]]
    with pytest.raises(WeightsError, match="predictions has no kernel there"):
        from_file(tmp_path / "a.npz", graph).arrays()


def test_arrays_are_checked_when_they_are_given() -> None:
    arrays = random(small(), 3).arrays()
    weights = from_arrays(arrays, small())
    assert_same(weights.arrays(), arrays)
    assert weights.identity is None
    with pytest.raises(WeightsError, match=r"^the arrays given: conv1 has no kernel there"):
        from_arrays({name: array for name, array in arrays.items() if name != "conv1/kernel"}, small())


def test_random_weights_are_the_same_for_a_seed_and_after_a_release() -> None:
    weights = random(small())
    before = weights.arrays()
    weights.release()
    assert_same(weights.arrays(), before)
    assert_same(random(small(), 7).arrays(), random(small(), 7).arrays())
    for other in (random(small(), 8), random(small())):
        assert (other.arrays()["conv1/kernel"] != random(small(), 7).arrays()["conv1/kernel"]).all()


def test_random_weights_are_spread_as_keras_spreads_them() -> None:
    """Each initialiser that Keras names as the layer's default gives the same ranges."""
    import keras

    keras.utils.set_random_seed(0)
    x = InputLayer((8, 8, 6))()
    x = DepthwiseConv2D(3)(Conv2D(64, 5)(x, name="conv"), name="depthwise")
    x = Dense(4)(Flatten()(BatchNormalization()(x, name="bn")), name="dense")
    twin = keras.Sequential(
        [
            keras.Input((8, 8, 6)),
            keras.layers.Conv2D(64, 5, name="conv"),
            keras.layers.DepthwiseConv2D(3, name="depthwise"),
            keras.layers.BatchNormalization(name="bn"),
            keras.layers.Flatten(),
            keras.layers.Dense(4, name="dense"),
        ]
    )
    theirs = {variable.path.partition("/")[2]: np.asarray(variable) for variable in twin.weights}
    ours = random(Graph(x), 0).arrays()
    assert [array.shape for array in ours.values()] == [array.shape for array in theirs.values()]
    for name, array in zip(ours, theirs.values(), strict=True):
        assert ours[name].dtype == np.float32
        np.testing.assert_allclose(ours[name].max(), array.max(), rtol=0.1, err_msg=name)
        np.testing.assert_allclose(ours[name].min(), array.min(), rtol=0.1, err_msg=name)
        np.testing.assert_allclose(ours[name].std(), array.std(), rtol=0.15, err_msg=name)


def identity(path: Path) -> object:
    return from_file(path, small()).identity


def later(path: Path) -> None:
    """Wait until the file system's clock, a few milliseconds coarse, has moved on since the file changed."""
    clock = path.with_name("clock")
    while not clock.exists() or clock.stat().st_ctime_ns <= path.stat().st_ctime_ns:
        time.sleep(0.001)
        clock.unlink(missing_ok=True)
        clock.touch()


def rewritten(path: Path) -> None:
    path.write_bytes(path.read_bytes()[::-1])


def replaced(path: Path) -> None:
    other = path.with_name("other")
    other.write_bytes(path.read_bytes()[::-1])
    other.replace(path)


def one_byte(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(1000)
        file.write(b"\xff")


def longer(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b"x")


@pytest.mark.parametrize("change", [rewritten, replaced, one_byte, longer])
@pytest.mark.parametrize("put_back", [False, True], ids=["", "and its time put back"])
def test_the_identity_changes_with_the_content(tmp_path: Path, change: Callable[[Path], None], put_back: bool) -> None:
    path = stored(tmp_path / "a.npz")
    before, state = identity(path), path.stat()
    later(path)
    change(path)
    if put_back:
        os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))
        assert path.stat().st_mtime_ns == state.st_mtime_ns
    assert (path.stat().st_size == state.st_size) == (change is not longer)
    assert identity(path) != before


def test_the_identity_stays_where_nothing_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = stored(tmp_path / "a.npz")
    before = identity(path)
    path.read_bytes()
    monkeypatch.chdir(tmp_path)
    (tmp_path / "link.npz").symlink_to(path)
    assert identity(path) == identity(Path("a.npz")) == identity(Path("link.npz")) == before


def test_two_files_have_two_identities(tmp_path: Path) -> None:
    assert identity(stored(tmp_path / "a.npz")) != identity(stored(tmp_path / "b.npz"))


def test_a_file_that_is_gone_has_another_identity(tmp_path: Path) -> None:
    path = stored(tmp_path / "a.npz")
    before = identity(path)
    path.unlink()
    assert identity(path) != before
    with pytest.raises(WeightsError, match="there is no such file"):
        from_file(path, small()).arrays()


@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf])
def test_a_file_with_numbers_that_are_none_is_refused(tmp_path: Path, number: float) -> None:
    graph = small()
    arrays = {name: np.zeros(shape, np.float32) for name, shape in graph.weights().items()}
    name = list(arrays)[-1]
    arrays[name].flat[-1] = number
    path = tmp_path / "damaged.npz"
    np.savez(path, **arrays)  # type: ignore[arg-type]
    layer, _, key = name.rpartition("/")
    with pytest.raises(WeightsError, match=f"damaged.npz: {layer}: its {key} holds NaN or infinity; take another file"):
        from_file(path, graph).arrays()


@pytest.mark.parametrize("change", [rewritten, replaced])
def test_a_file_that_is_another_by_now_is_refused(tmp_path: Path, change: Callable[[Path], None]) -> None:
    path = stored(tmp_path / "a.npz")
    weights = from_file(path, small())
    assert weights.arrays()
    weights.release()
    change(path)
    with pytest.raises(WeightsError, match=r"a\.npz: the file was changed since this model was loaded"):
        weights.arrays()
