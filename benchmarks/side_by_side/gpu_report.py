"""The rows that benchmarks/on_gpu.py has written, where it has."""

import json
from pathlib import Path
from typing import Any

from hati.tools.tables import table

Found = dict[str, Any]


def text(path: Path | None) -> str:
    """Images per second; a column for each batch, a row for each engine on each network."""
    if path is None or not path.exists():
        return "On a GPU: not measured; `python benchmarks/on_gpu.py` does, where there is one."
    found = json.loads(path.read_text())
    rows: list[Found] = found["rows"]
    batches = list(dict.fromkeys(row["batch"] for row in rows))
    engines = dict.fromkeys((row["network"], row["engine"]) for row in rows)
    headers = ("Network", "Engine", *(f"batch {batch}" for batch in batches))
    cells = [(*engine, *(cell(rows, *engine, batch) for batch in batches)) for engine in engines]
    gpu, precision = found["gpu"] or "a GPU", found["precision"]
    title = f"On {gpu}, {precision}: images a second with their transfers / the network alone."
    drawn = table(headers, cells, right=range(2, len(headers)))
    return "\n".join((title, "", "```text", drawn, "```", *reasons(rows)))


def cell(rows: list[Found], network: str, engine: str, batch: int) -> str:
    for row in rows:
        if (row["network"], row["engine"], row["batch"]) == (network, engine, batch) and row["with_transfers"]:
            return f"{row['with_transfers']:,.0f} / {row['alone']:,.0f}"
    return "not measured"


def reasons(rows: list[Found]) -> list[str]:
    """Why rows were not measured, each reason once; who it concerns, where not all."""
    found: dict[str, dict[str, None]] = {}
    for row in rows:
        if row["reason"]:
            found.setdefault(row["reason"], {})[row["engine"]] = None
    engines = {row["engine"] for row in rows}
    lines = [
        f"* {reason}" if who.keys() == engines else f"* {', '.join(who)}: {reason}" for reason, who in found.items()
    ]
    return ["", *lines] if lines else []
