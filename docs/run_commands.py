"""Run the commands of a page and put what they print below them: python docs/run_commands.py docs/transfer.md

A block marked `console` has commands behind a $; one marked `python` is run where a block marked `text` follows it.
The commands run in an empty folder, with an empty cache, beside links to the folders of photos that --photos names.
"""

import os
import re
import subprocess
import sys
import tempfile
from argparse import ArgumentParser
from pathlib import Path

BLOCK = re.compile(r"```(console)\n(.*?)```|```(python)\n(.*?)```\n\n```text\n.*?```", re.DOTALL)
COMMAND = re.compile(r"^\$ (.*(?:\\\n.*)*)$", re.MULTILINE)
WIDTH = "120"


def renewed(page: str, folder: Path, environment: dict[str, str]) -> str:
    """The page with what its commands print today."""

    def block(found: re.Match[str]) -> str:
        if found[1]:
            parts = [f"$ {command}\n{run(command, folder, environment)}" for command in COMMAND.findall(found[2])]
            return "```console\n" + "\n".join(parts) + "```"
        printed = run([sys.executable, "-c", found[4]], folder, environment)
        return f"```python\n{found[4]}```\n\n```text\n{printed}```"

    return BLOCK.sub(block, page)


def run(command: str | list[str], folder: Path, environment: dict[str, str]) -> str:
    """What a command prints, as a person sees it who has no colours."""
    print(f"$ {command if isinstance(command, str) else 'python …'}", flush=True)
    done = subprocess.run(
        command,
        shell=isinstance(command, str),
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    text = "\n".join(line.rstrip() for line in done.stdout.splitlines()).strip("\n")
    return f"{text}\n" if text else ""


def main() -> None:
    arguments = ArgumentParser(description=__doc__)
    arguments.add_argument("page", type=Path)
    arguments.add_argument("--photos", type=Path, default=Path(__file__).parents[2] / "shared" / "data")
    given = arguments.parse_args()
    page = given.page.resolve()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "work"
        folder.mkdir()
        for photos in filter(Path.is_dir, given.photos.iterdir()):
            (folder / photos.name).symlink_to(photos.resolve())
        binaries = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        environment = os.environ | {"PATH": binaries, "HATI_CACHE": f"{place}/cache", "COLUMNS": WIDTH}
        text = renewed(page.read_text(encoding="utf-8"), folder, environment)
        for picture in folder.glob("*.png"):
            if f"]({picture.name})" in text:
                picture.replace(page.with_name(picture.name))
    page.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
