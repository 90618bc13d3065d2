"""The house from the outside: who imports whom, and what `import hati` does not."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest
from rooms import ROOMS

import hati

ROOT = Path(hati.__file__).parent

Module = tuple[str, ...]  # ("network", "graph") is hati.network.graph


def modules() -> dict[Module, Path]:
    """Every module of hati but its front page, which has no imports but lazy ones."""
    found = {}
    for path in sorted(ROOT.rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        found[parts[:-1] if parts[-1] == "__init__" else parts] = path
    del found[()]
    return {module: path for module, path in found.items() if "on_device" not in module}


def imported(module: Module) -> Iterator[Module]:
    """What a module imports of hati, wherever in it: in functions, and for the type checker, too."""
    path, known = modules()[module], modules()
    package = module if path.name == "__init__.py" else module[:-1]
    for node in ast.walk(ast.parse(path.read_text())):
        if not isinstance(node, ast.ImportFrom) or not node.level:
            continue
        base = (*package[: len(package) - node.level + 1], *(node.module.split(".") if node.module else ()))
        for alias in node.names:
            yield (*base, alias.name) if (*base, alias.name) in known else base


@pytest.mark.parametrize("module", modules(), ids=".".join)
def test_imports_go_one_way(module: Module) -> None:
    climbing = {found[0] for found in imported(module) if found and ROOMS.index(found[0]) > ROOMS.index(module[0])}
    assert not climbing


def test_no_two_modules_need_each_other() -> None:
    arrows = {module: {found for found in imported(module) if found not in ((), module)} for module in modules()}
    try:
        TopologicalSorter(arrows).prepare()
    except CycleError as error:
        pytest.fail(" -> ".join(".".join(module) for module in error.args[1]))


def test_the_listing_is_the_architecture() -> None:
    entries = {path.name for path in ROOT.iterdir() if path.name != "__pycache__"}
    assert {entry.removesuffix(".py") for entry in entries} - {"__init__", "data", "py.typed"} == set(ROOMS)
    assert len(entries) <= 24


HEAVY = (
    "onnx", "onnxruntime", "h5py", "PIL", "numpy", "requests", "rich", "safetensors", "torch", "tqdm", "keras", "click",
)  # fmt: skip


@pytest.mark.parametrize(
    ("statement", "free"),
    [
        ("import hati", HEAVY),
        ("import hati.cli", tuple(set(HEAVY) - {"click"})),
        ("import hati; hati.load", ("onnx", "onnxruntime", "h5py", "requests", "rich", "safetensors")),
        ("import hati.network.graph, hati.network.layers", HEAVY),
    ],
)
def test_an_import_brings_only_what_it_needs(statement: str, free: tuple[str, ...]) -> None:
    check = f"{statement}; import sys; print(*(name for name in {free!r} if name in sys.modules))"
    found = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)
    assert found.stdout.split() == []


def test_no_file_is_longer_than_a_chapter() -> None:
    """Longer ones give their reason in their first line."""
    tree = [*modules().values(), *Path(__file__).parent.rglob("*.py")]
    assert not [path for path in tree if len(path.read_text().splitlines()) > 400]
