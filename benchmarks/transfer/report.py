"""The results as text: tables that go between two marks of a page."""

from collections.abc import Iterator, Sequence
from statistics import mean, median
from typing import Any

from side_by_side.report import NOTHING, digits, titled

from hati.tools.measuring import Spread
from hati.tools.tables import table

from .beside_keras import PEERS, best_epoch, first_reached, quickest_peer, to_accuracy, ways_of_hati
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
    """hati's scripts and Keras': how long each takes, and how many times as long Keras does."""
    group = f"keras/{name}"
    peer = quickest_peer(results, group)
    rows = [_way(results, way, peer, known=name in SETS) for way in ways_of_hati(results, group)]
    rows += [row for one in PEERS for row in _peer(results, f"{group}/{one}", one, known=name in SETS)]
    what = f"{name}, MobileNet a quarter as wide" if name in SETS else f"{name}, for the time alone"
    title = f"Beside Keras' recipe: {what}; a new process from its start to the saved model, medians."
    return _drawn(title, ("", "Accuracy", "Seconds", "Keras to its end", "Keras to as accurate"), rows, left=1)


def _way(results: Results, way: str, peer: str | None, *, known: bool) -> Cells:
    """One of hati's scripts; `known` is whether its accuracy means something."""
    accuracy, seconds = results.middle(way, "accuracy"), results.middle(way, "seconds")
    whole = until = NOTHING
    if peer is not None:
        whole = f"{results.middle(peer, 'seconds') / seconds:.1f}×"
        until = _until(results, peer, accuracy, seconds) if known else NOTHING
    return way.rpartition("/")[2], f"{accuracy:.4f}" if known else NOTHING, digits(seconds), whole, until


def _until(results: Results, peer: str, accuracy: float, seconds: float) -> str:
    """How many times as long Keras takes to an accuracy; runs that never reach it count to their end."""
    reached = sum(first_reached(run["epochs"], accuracy) is not None for run in results.under(peer))
    times = median(to_accuracy(results, peer, accuracy)) / seconds
    return f"{times:.1f}×, in {reached} of {len(results.under(peer))} runs" if reached else "never"


def _peer(results: Results, group: str, peer: str, *, known: bool) -> Iterator[Cells]:
    """Keras' recipe as it is, and as short as it could be."""
    runs = results.under(group)
    if runs:
        accuracy = f"{results.middle(group, 'accuracy'):.4f}" if known else NOTHING
        yield f"{peer}, its 20 epochs", accuracy, digits(results.middle(group, "seconds")), "", ""
    if runs and known:
        seconds, accuracies = zip(*(best_epoch(run["epochs"]) for run in runs), strict=True)
        yield f"{peer}, to its best epoch", f"{median(accuracies):.4f}", digits(median(seconds)), "", ""


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
