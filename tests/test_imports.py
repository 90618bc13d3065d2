"""The house from the outside: who imports whom, and what `import hati` does not."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import hati

ROOT = Path(hati.__file__).parent

# Lowest first: a module imports from lines above its own, or from its own line.
FLOORS = (
    {"errors", "cache", "measuring", "pipeline", "pictures"},
    {"graph", "notebook", "progress", "tables"},
    {"layers", "summary"},
    {"labels", "download", "graph_json", "taught"},
    {"photos"},
    {"photo_set"},
    {"preprocessing"},
    {"passes", "architectures", "catalog", "inputs", "quantisation", "tflite"},
    {"weights"},
    {"engines"},
    {"model", "calibration", "int8_agreement"},
    {"applications", "optimising", "exporting"},
    {"loading"},
    {"choosing", "evaluating", "small_models"},
    {"transfer"},
    {"sklearn"},
    {"cli", "__main__"},
)
FLOOR = {module: number for number, floor in enumerate(FLOORS) for module in floor}


def modules() -> list[Path]:
    return sorted(path for path in ROOT.rglob("*.py") if path != ROOT / "__init__.py")


def home(path: Path) -> str:
    """The module or package right under hati that a file belongs to."""
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


def imported(path: Path) -> set[str]:
    """The modules right under hati that a file imports, wherever in it."""
    depth = len(path.relative_to(ROOT).parts)
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.level == depth:
            found |= {node.module.partition(".")[0]} if node.module else {alias.name for alias in node.names}
    return found & {home(module) for module in modules()}


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_go_one_way(path: Path) -> None:
    climbing = {name for name in imported(path) if FLOOR[name] > FLOOR[home(path)]}
    assert not climbing


def test_every_module_has_its_floor() -> None:
    assert {home(path) for path in modules()} <= FLOOR.keys()


HEAVY = ("onnx", "onnxruntime", "h5py", "PIL", "numpy", "requests", "rich", "safetensors", "torch", "keras", "click")


@pytest.mark.parametrize(
    ("statement", "free"),
    [
        ("import hati", HEAVY),
        ("import hati.cli", tuple(set(HEAVY) - {"click"})),
        ("import hati; hati.load", ("onnx", "onnxruntime", "h5py", "requests", "rich", "safetensors")),
        ("import hati.graph, hati.layers", HEAVY),
    ],
)
def test_an_import_brings_only_what_it_needs(statement: str, free: tuple[str, ...]) -> None:
    check = f"{statement}; import sys; print(*(name for name in {free!r} if name in sys.modules))"
    found = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)
    assert found.stdout.split() == []


def test_no_file_is_longer_than_a_chapter() -> None:
    """Longer ones give their reason in their first line."""
    tree = [*modules(), *Path(__file__).parent.rglob("*.py")]
    assert not [path for path in tree if len(path.read_text().splitlines()) > 400]
