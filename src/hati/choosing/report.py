"""What was found as a person reads it."""

from collections.abc import Sequence

from ..tools.tables import table
from .candidates import Candidate
from .findings import Findings
from .reasons import measured


def text(found: Findings) -> str:
    """The front, why one of it was picked, and what else should be known."""
    return "\n\n".join(part for part in (listed(found), found.reason, "\n".join(found.notes)) if part)


def listed(found: Findings, *, everything: bool = False) -> str:
    """A table of the front, of the nearest where nothing is within the bounds, or of everything that was measured."""
    wanted = found.candidates if everything else dict.fromkeys(found.front + found.nearest)
    shown = [one for one in wanted if one.latency]
    return _table(sorted(shown, key=lambda one: one.seconds), found) if shown else ""


def _table(shown: Sequence[Candidate], found: Findings) -> str:
    columns = {
        "": ["→" if one == found.pick else "" for one in shown],
        "Model": [one.name for one in shown],
        "Top-1 %": ["" if one.published is None else f"{one.published:.1f}" for one in shown],
        "On your photos %": [_on_photos(one) for one in shown],
        "Latency ms": [one.latency.milliseconds(1) if one.latency else "" for one in shown],
        "Measured": [measured(one.latency, found.asked) for one in shown],
        "MB": [f"{one.megabytes:,.1f}" for one in shown],
        "Weights": ["random" if one.random_weights else "here" for one in shown],
        "Misses": [", ".join(sorted(found.bounds.missed_by(one))) for one in shown],
    }
    kept = {header: cells for header, cells in columns.items() if any(cells)}
    numbers = tuple(place for place, header in enumerate(kept) if header.endswith(("%", "ms", "MB")))
    what = "a photo to its answer" if found.photos else "one picture"
    title = f"Latency: {what}, on {found.machine}"
    return table(tuple(kept), list(zip(*kept.values(), strict=True)), right=numbers, title=title)


def _on_photos(one: Candidate) -> str:
    if one.on_photos is None:
        return ""
    low, high = one.on_photos.interval
    return f"{one.on_photos.percent:.1f} ({low:.1f}–{high:.1f})"
