"""Draw docs/speed.png: one picture through networks, here and in every peer, as `benchmarks/run` measured it.

python docs/draw_speed.py, with matplotlib installed.
"""

import json
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from hati.tools import pictures
from hati.tools.pictures import GREY, GRID, INK

DOCS = Path(__file__).parent
NETWORKS = ("ResNet50", "MobileNetV2", "EfficientNetLite0")
OWN = "#d55e00"
MILLISECONDS = (1, 3, 10, 30, 100)


def main() -> None:
    results = json.loads((DOCS.parent / "benchmarks" / "results.json").read_text())
    figure = Figure(figsize=(9.5, 4.2), dpi=144)
    panels = figure.subplots(1, len(NETWORKS), sharex=True, sharey=True)
    figure.subplots_adjust(left=0.265, right=0.99, bottom=0.07, top=0.79, wspace=0.06)
    for axes, network in zip(panels, NETWORKS, strict=True):
        draw(axes, network, results["pieces"][f"{network}, batch 1"])
    machine = results["about"]["machine"]
    figure.text(0.015, 0.93, "One picture, from array to scores", fontsize=11, fontweight="bold", color=INK)
    caption = f"the median in milliseconds, on one logarithmic scale; {machine['processor']}, {machine['cores']} cores"
    figure.text(0.015, 0.88, caption, fontsize=8.5, color=GREY)
    pictures.write(figure, DOCS / "speed.png")


def draw(axes: Any, network: str, rows: dict[str, dict[str, Any]]) -> None:
    """A dot for each peer, at its time; a line where hati's is."""
    measured = {name: 1000 * row["median"] for name, row in reversed(rows.items()) if "median" in row}
    colours = [OWN if name == "hati" else GREY for name in measured]
    axes.axvline(measured["hati"], color=OWN, linewidth=0.9, alpha=0.5, zorder=1)
    axes.scatter([*measured.values()], range(len(measured)), color=colours, s=42, zorder=3)
    for row, (name, time) in enumerate(measured.items()):
        words = {"color": OWN, "fontweight": "bold"} if name == "hati" else {"color": INK}
        away, side = (-7, "right") if time < measured["hati"] else (7, "left")  # from the line
        axes.annotate(f"{time:.1f}", (time, row), (away, -3), textcoords="offset points", ha=side, fontsize=8, **words)
    axes.set_title(network, fontsize=10, color=INK, loc="left", pad=8)
    axes.set_yticks(range(len(measured)), [*measured])
    axes.set_xscale("log")
    axes.set_xlim(0.6, 500)
    axes.set_xticks(MILLISECONDS, [str(time) for time in MILLISECONDS])
    axes.minorticks_off()
    axes.tick_params(labelsize=8.5, length=0, colors=INK)
    axes.grid(color=GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.spines[:].set_visible(False)


if __name__ == "__main__":
    with pictures.style():
        main()
