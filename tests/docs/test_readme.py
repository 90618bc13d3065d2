"""The README shows what really happens."""

import doctest
import re
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from hati.cli import main

README = Path(__file__).parents[2] / "README.md"
PAGES = (README, README.parent / "docs" / "transfer.md", README.parent / "docs" / "devices.md")
LINK = re.compile(r"\]\(([^)#]+)\)")


@pytest.fixture
def beside_a_cat(tmp_path: Path, cat: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copy(cat, tmp_path / "cat.png")
    monkeypatch.chdir(tmp_path)


@pytest.mark.usefixtures("beside_a_cat")
def test_its_python_prints_what_it_says() -> None:
    failures, tried = doctest.testfile(str(README), module_relative=False)
    assert (failures, tried) == (0, 4)


@pytest.mark.usefixtures("beside_a_cat")
@pytest.mark.parametrize(
    "command", [("classify", "cat.png"), ("save", "EfficientNetLite0", "mine.safetensors")], ids=" ".join
)
def test_its_command_prints_what_it_says(command: tuple[str, ...]) -> None:
    shown = re.search(
        rf"\$ hati {re.escape(' '.join(command))}(?: +#[^\n]*)?\n(.*?)\n\n", README.read_text(), re.DOTALL
    )
    assert shown
    assert CliRunner().invoke(main, command).stdout.strip() == shown.group(1).strip()


@pytest.mark.parametrize(("page", "path"), [(page, path) for page in PAGES for path in LINK.findall(page.read_text())])
def test_its_links_lead_somewhere(page: Path, path: str) -> None:
    assert (page.parent / path).exists()
