"""The results as text: tables that go between two marks of a page."""

from collections.abc import Iterator, Sequence
from statistics import mean, median
from typing import Any

from side_by_side.report import NOTHING, digits, titled

from hati.measuring import Spread
from hati.tables import table

from .beside_keras import PEERS, best_epoch, first_reached
from .goals import verdicts
from .measuring import Results
from .plan import METHODS, SETS

MARKS = "<!-- transfer: begin -->", "<!-- transfer: end -->"
HEADING = "## Transfer"
Cells = tuple[str, ...]


def text(results: Results) -> str:
    """Everything that was measured; what was not is left out, but not among the goals."""
    parts = [
        about(results.about),
        of_goals(results),
        of_commands(results),
        of_curve(results),
        *(of_keras(results, name) for name in results.children("keras")),
        of_teaching(results),
        of_failures(results),
    ]
    return "\n\n".join(filter(None, parts))


def about(found: dict[str, Any]) -> str:
    """When, where, and with what."""
    if not found:
        return ""
    machine, effort = found["machine"], "a quick run, " if found["quick"] else ""
    versions = ", ".join(f"{name} {version}" for name, version in found["versions"].items())
    return (
        f"`benchmarks/run_transfer`, {effort}{found['date']}. {machine['processor']}, "
        f"{machine['memory'] / 2**30:.0f} GiB, {machine['system']}. {found['threads']} threads each. {versions}."
    )


def of_goals(results: Results) -> str:
    rows = [(one.sentence, one.bound, one.measured, one.word) for one in verdicts(results)]
    return titled(
        "The goals; the time is the longest run's.", table(("Goal", "Bound", "Measured", "Reached"), rows), []
    )


def of_commands(results: Results) -> str:
    rows = [
        row
        for name in SETS
        for method in results.children(f"commands/{name}")
        if (row := _command(results, name, method))
    ]
    headers = ("Photos", "Method", "Taken", "Runs", "Accuracy, mean", "lowest – highest", "Seconds", "Peak MB")
    return _drawn("`hati train`, a new process with an empty cache, to the written model.", headers, rows, left=3)


def _command(results: Results, name: str, method: str) -> Cells:
    group = f"commands/{name}/{method}"
    accuracies, seconds, memory = (results.column(group, what) for what in ("accuracy", "seconds", "memory"))
    if not accuracies:
        return ()
    taken = dict.fromkeys(run["method"] for run in results.under(group))
    spread = f"{min(accuracies):.4f} – {max(accuracies):.4f}"
    figures = f"{mean(accuracies):.4f}", spread, digits(median(seconds)), digits(median(memory))
    return (name, method, ", ".join(taken), str(len(accuracies)), *figures)


def of_curve(results: Results) -> str:
    counts = sorted({int(count) for method in METHODS for count in results.children(f"curve/{method}")})
    rows = [(str(count), *(_point(results, method, count) for method in METHODS)) for count in counts]
    title = "Flowers: accuracy by the photos of each class; the mean, the quartiles, and how many draws of the photos."
    return _drawn(title, ("Photos", *METHODS), rows, left=0)


def _point(results: Results, method: str, count: int) -> str:
    found = results.column(f"curve/{method}/{count}", "accuracy")
    if not found:
        return NOTHING
    spread = Spread.of(found)
    return f"{mean(found):.3f}  {spread.low:.3f} – {spread.high:.3f}  {len(found):2}"


def of_keras(results: Results, name: str) -> str:
    """hati's scripts, and Keras' as a whole, as short as they could be, and until they are as accurate."""
    group = f"keras/{name}"
    own = results.column(f"{group}/hati, probe", "seconds")
    accuracies = results.column(f"{group}/hati, probe", "accuracy")
    if not own:
        return ""
    rows = [_script(results, group, way) for way in results.children(group) if results.under(f"{group}/{way}")]
    if name in SETS:
        for peer in PEERS:
            rows += _shorter(results, f"{group}/{peer}", peer, median(accuracies))
    cells = [
        (
            way,
            NOTHING if accuracy is None or name not in SETS else f"{accuracy:.4f}",
            NOTHING if seconds is None else digits(seconds),
            NOTHING if seconds is None else f"{seconds / median(own):.1f}×",
        )
        for way, accuracy, seconds in rows
    ]
    what = f"{name}, MobileNet a quarter as wide" if name in SETS else f"{name}, for the time alone"
    title = f"Beside Keras' recipe: {what}; a new process from its start to the saved model, medians."
    return _drawn(title, ("", "Accuracy", "Seconds", "× hati, probe"), cells, left=1)


Script = tuple[str, float | None, float | None]  # what, accuracy, seconds


def _script(results: Results, group: str, way: str) -> Script:
    name = f"{way}, its 20 epochs" if way in PEERS else way
    accuracies, seconds = (results.column(f"{group}/{way}", what) for what in ("accuracy", "seconds"))
    return name, median(accuracies), median(seconds)


def _shorter(results: Results, group: str, peer: str, accuracy: float) -> Iterator[Script]:
    runs = results.under(group)
    if not runs:
        return
    seconds, accuracies = zip(*(best_epoch(run["epochs"]) for run in runs), strict=True)
    yield f"{peer}, to its best epoch", median(accuracies), median(seconds)
    reached = [found for run in runs if (found := first_reached(run["epochs"], accuracy)) is not None]
    which = f"in {len(reached)} of {len(runs)} runs"
    yield f"{peer}, to hati's accuracy ({which})", accuracy if reached else None, median(reached) if reached else None


def of_teaching(results: Results) -> str:
    rows = [
        (f"{method}, {_shots(count)}", *_taught(results, f"teach/{method}/{count}"))
        for method in METHODS
        for count in results.children(f"teach/{method}")
    ]
    rows += [
        (f"`hati teach`, a new process, {_shots(count)}", "", "", digits(median(seconds)))
        for count in results.children("teach/command")
        if (seconds := results.column(f"teach/command/{count}", "seconds"))
    ]
    title = "Flowers: a class that comes later, each in turn, to a model of the four others."
    return _drawn(title, ("", "Accuracy, all classes", "Recall, the new class", "Seconds"), rows, left=1)


def _shots(count: str) -> str:
    return "all classes at once" if count == "all" else f"from {count} photo{'' if count == '1' else 's'}"


def _taught(results: Results, group: str) -> tuple[str, str, str]:
    columns = (results.column(group, what) for what in ("accuracy", "recall"))
    accuracy, recall = (f"{mean(found):.4f}" if found else NOTHING for found in columns)
    return accuracy, recall, ""


def of_failures(results: Results) -> str:
    return "\n".join(f"* {name} failed: {why}" for name, why in results.failures().items())


def _drawn(title: str, headers: Cells, rows: Sequence[Cells], *, left: int) -> str:
    """A table whose first columns are words; nothing where it has no rows."""
    return titled(title, table(headers, rows, right=range(left, len(headers))), []) if rows else ""
