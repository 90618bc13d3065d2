"""Draw docs/transfer_curve.png: accuracy by the number of photos, as `benchmarks/run_transfer` measured it.

python docs/draw_transfer.py, with matplotlib installed.
"""

import json
from pathlib import Path
from statistics import mean, quantiles
from typing import Any

import matplotlib.pyplot as plt

DOCS = Path(__file__).parent
COLOURS = {"imprint": "#868e96", "probe": "#228be6", "finetune": "#e8590c"}
INK, GRID = "#343a40", "#e9ecef"
APART = 1.04  # times as far right as the method before, so that spreads do not cover each other
LETTER = 1.6  # per cent that a letter is high

Points = dict[int, list[float]]  # by the photos of each class: the accuracy of each draw


def main() -> None:
    results = json.loads((DOCS.parent / "benchmarks" / "transfer_results.json").read_text())
    figure = drawn({method: points(results["figures"], method) for method in COLOURS}, results["about"]["machine"])
    figure.savefig(DOCS / "transfer_curve.png")


def points(figures: dict[str, dict[str, Any]], method: str) -> Points:
    found: Points = {}
    for name, own in figures.items():
        group, *rest = name.split("/")
        if group == "curve" and rest[0] == method and "accuracy" in own:
            found.setdefault(int(rest[1]), []).append(100 * own["accuracy"])
    return dict(sorted(found.items()))


def drawn(curves: dict[str, Points], machine: dict[str, Any]) -> Any:
    """The mean of each point, and its quartiles as a line through it."""
    figure, axes = plt.subplots(figsize=(7, 4), dpi=144)
    for number, (method, curve) in enumerate(curves.items()):
        draw(axes, method, curve, APART**number)
    tell_ends(axes, curves)
    counts = sorted({count for curve in curves.values() for count in curve})
    axes.set_xscale("log")
    axes.set_xticks(counts, [str(count) for count in counts])
    axes.minorticks_off()
    axes.yaxis.set_major_formatter("{x:g} %")
    axes.tick_params(labelsize=8, length=0, colors=INK)
    axes.grid(color=GRID, linewidth=0.8)
    axes.spines[:].set_visible(False)
    axes.legend(frameon=False, fontsize=9, loc="lower right")
    axes.set_xlabel("photos of each class", fontsize=8, color=INK)
    title = f"five kinds of flowers, named rightly: mean and quartiles of {draws(curves)} draws of the photos"
    title = f"{title}; {machine['processor']}, {machine['cores']} cores"
    axes.set_title(title, fontsize=8.5, color=INK, loc="left")
    figure.tight_layout()
    return figure


def draw(axes: Any, method: str, curve: Points, apart: float) -> None:
    x = [count * apart for count in curve]
    quartiles = [quantiles(own * 2 if len(own) == 1 else own, n=4, method="inclusive") for own in curve.values()]
    axes.vlines(x, [own[0] for own in quartiles], [own[2] for own in quartiles], color=COLOURS[method], alpha=0.5)
    means = [mean(own) for own in curve.values()]
    axes.plot(x, means, marker="o", markersize=4, linewidth=1.6, color=COLOURS[method], label=method)


def tell_ends(axes: Any, curves: dict[str, Points]) -> None:
    """The last mean of each curve, beside it; one above the other where they would touch."""
    ends = sorted((mean(curve[max(curve)]), max(curve), method) for method, curve in curves.items() if curve)
    height = float("-inf")
    for end, count, method in ends:
        height = max(end, height + LETTER)
        place = count * APART ** len(curves), height
        axes.annotate(f"{end:.1f}", place, (4, -2), textcoords="offset points", fontsize=7, color=COLOURS[method])


def draws(curves: dict[str, Points]) -> str:
    """Of how many draws a point is the mean; from the fewest to the most."""
    counts = sorted({len(own) for curve in curves.values() for own in curve.values()})
    return "–".join(map(str, dict.fromkeys((counts[0], counts[-1]))))


if __name__ == "__main__":
    main()
