"""An environment for hati and one for each peer, made from pinned requirements: where they are, what they weigh."""

import hashlib
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).parent
PROJECT = HERE.parents[1]
CONSTRAINTS = PROJECT / "constraints.txt"
TOOLS = ("pip", "setuptools", "pkg_resources", "_distutils_hack", "distutils-precedence")  # of every environment


class InstallError(Exception):
    """An environment that could not be made, and why."""


@dataclass(frozen=True)
class Environment:
    """A Python with one library in it, and the variables that it runs under."""

    name: str
    folder: Path
    variables: dict[str, str] = field(default_factory=dict)

    @property
    def python(self) -> Path:
        return self.folder / "bin" / "python"

    @property
    def packages(self) -> Path:
        return next((self.folder / "lib").glob("python3*")) / "site-packages"

    def command(self, *arguments: str) -> list[str]:
        return [str(self.python), *arguments]

    def surroundings(self) -> dict[str, str]:
        """The variables for its processes: this one's, and its own."""
        return os.environ | {"PYTHONPATH": str(HERE.parent)} | self.variables

    def megabytes(self) -> float:
        """All files of its packages, without pip and setuptools."""
        own = [path for path in self.packages.iterdir() if not path.name.startswith(TOOLS)]
        files = (file for path in own for file in ([path] if path.is_file() else path.rglob("*")))
        return sum(file.lstat().st_size for file in files if file.is_file()) / 1e6

    def versions(self) -> dict[str, str]:
        """Of every package that its requirements name."""
        code = (
            "import importlib.metadata as m, platform, sys; print('Python', platform.python_version());"
            "[print(name, m.version(name)) for name in sys.argv[1:]]"
        )
        told = subprocess.run(self.command("-c", code, *named(self.name)), capture_output=True, text=True, check=True)
        return dict(line.split(" ", 1) for line in told.stdout.splitlines())


def all_environments(work: Path) -> dict[str, Environment]:
    """By name; none of them need exist yet."""
    keras = {"KERAS_HOME": str(work / "keras"), "TF_CPP_MIN_LOG_LEVEL": "2"}
    variables = {
        "hati": {"HATI_CACHE": str(work / "cache"), "HATI_OFFLINE": "1"},
        "onnxruntime": {},
        "tensorflow": keras | {"KERAS_BACKEND": "tensorflow"},
        "keras_torch": keras | {"KERAS_BACKEND": "torch"},
        # hati's own network as a PyTorch module, from the sources here: PyTorch's environment stays PyTorch's
        "torch": {
            "PYTHONPATH": os.pathsep.join(map(str, (HERE.parent, PROJECT / "src"))),
            "TORCHINDUCTOR_CACHE_DIR": str(work / "compiled"),
        },
        "openvino": {"OPENVINO_TELEMETRY": "0"},
        "litert": {},
    }
    return {name: Environment(name, work / "environments" / name, own) for name, own in variables.items()}


def install(environment: Environment) -> None:
    """Make it where it is missing, or was made from other requirements. Raises InstallError with pip's last words."""
    stamp = environment.folder / f"installed-{_digest(environment.name)}"
    if stamp.exists():
        return
    print(f"installing {environment.name} …", file=sys.stderr)
    pip = environment.command("-m", "pip", "install", "--quiet", "--disable-pip-version-check")
    _run([sys.executable, "-m", "venv", "--clear", str(environment.folder)])
    _run([*pip, "--constraint", str(CONSTRAINTS), "pip"])
    _run([*pip, *_requirements(environment.name)])
    stamp.touch()


def named(name: str) -> list[str]:
    """The packages that an environment is made for."""
    if name == "hati":
        return ["hati", "onnxruntime", "numpy", "pillow"]
    return [line.partition("==")[0] for line in _file(name).read_text().split() if not line.startswith("setuptools")]


def _requirements(name: str) -> list[str]:
    if name == "hati":
        constraints = ("--constraint", str(CONSTRAINTS), "--build-constraint", str(CONSTRAINTS))
        return [*constraints, str(PROJECT)]
    return ["--requirement", str(_file(name))]


def _file(name: str) -> Path:
    return HERE / "requirements" / f"{name}.txt"


def _digest(name: str) -> str:
    """Of everything that an environment is made from; of hati's, the library itself."""
    sources = [_file(name)]
    if name == "hati":
        sources = [CONSTRAINTS, PROJECT / "pyproject.toml", *sorted((PROJECT / "src").rglob("*.[pct][ysx]*"))]
    return hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()[:16]


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        last = " ".join(done.stderr.split("\n")[-3:]).strip() or f"exit status {done.returncode}"
        raise InstallError(f"{' '.join(command[-2:])}: {last}")
