"""What the tests share: the folder of real data, a cache of their own, and Keras as the oracle."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

os.environ["KERAS_BACKEND"] = "torch"
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ["OMP_NUM_THREADS"] = "1"  # PyTorch's threads would take the other process' core, three times as slow

# no example has to be quick; CI tries the same ones each time, and whoever works on the code others
settings.register_profile(
    "hati",
    deadline=None,
    derandomize="CI" in os.environ,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("hati")

SHARED = Path(__file__).parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder with real photos and weights beside the project, where there is one."""
    if not SHARED.is_dir():
        pytest.skip("../shared/data is not beside this checkout: its photos and weights are not part of the project")
    return SHARED


@pytest.fixture(autouse=True, scope="session")
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """No test reads or fills the cache of whoever runs them."""
    folder = tmp_path_factory.mktemp("cache")
    os.environ["HATI_CACHE"] = str(folder)
    return folder


@pytest.fixture
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache that nothing was put into yet."""
    monkeypatch.setenv("HATI_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every time passes for one of a quiet machine, however busy this one is."""
    from hati.tools import measuring

    monkeypatch.setattr(measuring, "MOST_WAITING", float("inf"))
    monkeypatch.setattr(measuring, "MOST_APART", float("inf"))


@pytest.fixture(scope="session")
def cat() -> Path:
    """A real photo of a cat that scikit-image ships."""
    from skimage import data

    return Path(data.__file__).parent / "chelsea.png"


@pytest.fixture
def one_thread() -> Iterator[None]:
    """PyTorch by one thread: several would wait for each other on a machine that does something else as well."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
