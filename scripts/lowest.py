"""Print constraints: each dependency in the lowest release that pyproject.toml allows, or in the one that an argument
names, as torch==2.13.0; and the tools of the tests as constraints.txt pins them."""

import re
import sys
import tomllib
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).parents[1]
PIN = re.compile(r"^([\w.-]+)[>=]=([\w.]+)")


def pins(lines: Iterable[str]) -> dict[str, str]:
    """What `name>=version` and `name==version` say, by name."""
    return dict(found.groups() for line in lines if (found := PIN.match(line)))


def main() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    extras = settings["project"]["optional-dependencies"].values()
    known = pins((ROOT / "constraints.txt").read_text().splitlines())
    groups = settings["dependency-groups"].values()
    tools = {name: known[name] for group in groups for name in group if isinstance(name, str) and name in known}
    lowest = pins([*settings["project"]["dependencies"], *(line for extra in extras for line in extra)])
    for name, version in (tools | lowest | pins(sys.argv[1:])).items():
        print(f"{name}=={version}")


main()
