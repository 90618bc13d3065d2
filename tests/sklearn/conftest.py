"""What the tests of the estimators share: files of pictures, and one thread for each regression."""

from collections.abc import Iterator

import pytest
from PIL import Image
from small_model import PICTURES
from threadpoolctl import threadpool_limits


@pytest.fixture(autouse=True, scope="module")
def one_thread_each() -> Iterator[None]:
    """Regressions by one thread: several would wait for each other on a machine that does something else as well."""
    with threadpool_limits(1):
        yield


@pytest.fixture(scope="module")
def paths(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    folder = tmp_path_factory.mktemp("pictures")
    found = [str(folder / f"{number}.png") for number in range(len(PICTURES))]
    for path, picture in zip(found, PICTURES, strict=True):
        Image.fromarray(picture).save(path)
    return found
