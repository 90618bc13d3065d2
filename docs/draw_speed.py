"""Draw docs/speed.png: one picture through networks, here and in every peer, as `benchmarks/run` measured it.

python docs/draw_speed.py, with matplotlib installed.
"""

import json
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt

DOCS = Path(__file__).parent
NETWORKS = ("ResNet50", "MobileNetV2", "EfficientNetLite0")
OWN, OTHER, INK = "#e8590c", "#ced4da", "#343a40"


def main() -> None:
    results = json.loads((DOCS.parent / "benchmarks" / "results.json").read_text())
    figure, panels = plt.subplots(1, len(NETWORKS), figsize=(11, 3.4), dpi=120, sharey=True)
    for axes, network in zip(panels, NETWORKS, strict=True):
        draw(axes, network, results["pieces"][f"{network}, batch 1"])
    machine = results["about"]["machine"]
    caption = f"one picture, ms, the median; {machine['processor']}, {machine['cores']} cores"
    figure.suptitle(caption, fontsize=9, color=INK, x=0.01, ha="left")
    figure.tight_layout()
    figure.savefig(DOCS / "speed.png")


def draw(axes: Any, network: str, rows: dict[str, dict[str, Any]]) -> None:
    measured = {name: 1000 * row["median"] for name, row in rows.items() if "median" in row}
    names = list(reversed(measured))
    colours = [OWN if name == "hati" else OTHER for name in names]
    bars = axes.barh(names, [measured[name] for name in names], color=colours)
    axes.bar_label(bars, fmt="%.1f", padding=3, fontsize=7, color=INK)
    axes.set_title(network, fontsize=9, color=INK, loc="left")
    axes.tick_params(labelsize=8, length=0)
    axes.set_xticks([])
    axes.margins(x=0.15)
    axes.spines[["top", "right", "bottom"]].set_visible(False)


if __name__ == "__main__":
    main()
