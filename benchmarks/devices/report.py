"""The results as text: tables that go between two marks of a page."""

from collections.abc import Iterator, Sequence
from statistics import mean
from typing import Any

from side_by_side.report import NOTHING, titled
from transfer.measuring import Results

from hati.tools.tables import table

from .goals import SHORT, verdicts
from .plan import REAL
from .speed import THREADS

MARKS = "<!-- devices: begin -->", "<!-- devices: end -->"
HEADING = "## Devices"
DIFFERENCES = ("float32", "float32, tflite-runtime")
CORRELATIONS = ("int8", "int8, tflite-runtime", "int8, TFLite Micro")
Cells = tuple[str, ...]


def text(results: Results) -> str:
    parts = [
        about(results.about),
        of_goals(results),
        of_files(results),
        of_partings(results),
        of_ways(results),
        of_layers(results),
        *(of_speed(results, name) for name in REAL),
        of_runtimes(results),
        of_micro(results),
        of_phones(results),
        of_families(results),
        *(f"* {name} failed: {why}" for name, why in results.failures().items()),
    ]
    return "\n\n".join(filter(None, parts))


def about(found: dict[str, Any]) -> str:
    if not found:
        return ""
    machine, effort = found["machine"], "a quick run, " if found["quick"] else ""
    versions = ", ".join(f"{name} {version}" for name, version in found["versions"].items())
    return (
        f"`benchmarks/run_devices`, {effort}{found['date']}. {machine['processor']}, "
        f"{machine['memory'] / 2**30:.0f} GiB, {machine['system']}. {versions}."
    )


def of_goals(results: Results) -> str:
    rows = [(one.sentence, one.bound, one.measured, one.word) for one in verdicts(results)]
    return titled("The goals.", table(("Goal", "Bound", "Measured", "Reached"), rows), [])


def of_files(results: Results) -> str:
    rows = [row for name in REAL for row in _files(results, name)]
    headers = ("Model", "Precision", "MB", "Named alike", "of", "Shift", "1 thread, ms", "2 threads, ms", "Memory, MB")
    return _drawn(
        "Files, as `hati export` writes and measures them; memory is that of a new process.", headers, rows, 2
    )


def _files(results: Results, name: str) -> Iterator[Cells]:
    for precision in ("float32", "float16", "int8"):
        found = results.figures.get(f"files/{name}/{precision}", {})
        if "bytes" in found:
            times = [_times(found["latency"][threads]) for threads in ("1", "2")]
            yield (
                name,
                precision,
                f"{found['bytes'] / 1e6:.2f}",
                f"{found['agreement']:.3f}",
                str(found["photos"]),
                f"{found['shift']:.2g}",
                *times,
                NOTHING if found["memory"] is None else f"{found['memory'] / 1e6:.0f}",
            )


def _times(spread: dict[str, float]) -> str:
    return f"{1000 * spread['median']:.2f} ({1000 * spread['low']:.2f}–{1000 * spread['high']:.2f})"


def of_partings(results: Results) -> str:
    rows = []
    for name in REAL:
        runs = results.under(f"int8/{name}")
        if runs:
            columns = [[run[key] for run in runs] for key in ("float", "int8", "agreement", "uncorrected")]
            rows.append((name, str(len(runs)), *(_spread(column) for column in columns)))
    title = "int8 on photos that were not calibrated on: mean, and lowest – highest, over ways to part the photos."
    headers = ("Model", "Partings", "Top-1, float", "Top-1, int8", "Named alike", "Without bias correction")
    return _drawn(title, headers, rows, 1)


def _spread(found: list[float]) -> str:
    return f"{mean(found):.3f}  {min(found):.3f} – {max(found):.3f}"


def of_ways(results: Results) -> str:
    found = {name: results.figures.get(f"ways/{name}", {}) for name in SHORT}
    ways = list(dict.fromkeys(way for own in found.values() for way in own if way != "failed"))
    rows = [(way, *(f"{own[way]:.3f}" if way in own else NOTHING for own in found.values())) for way in ways]
    return _drawn(
        "int8, named alike: by the way that finds ranges, and by fewer photos.", ("", *SHORT.values()), rows, 1
    )


def of_layers(results: Results) -> str:
    rows = [
        (short, layer, f"{hurt:.2g}")
        for name, short in SHORT.items()
        for layer, hurt in results.figures.get(f"hurts/{name}", {}).get("layers", [])
    ]
    title = "The layers that cost most in int8: mean squared change of log-probabilities, that layer alone."
    return _drawn(title, ("Model", "Layer", "Harm"), rows, 2)


def of_speed(results: Results, name: str) -> str:
    found = {key: spread for key, spread in results.figures.get(f"beside/{name}", {}).items() if key != "failed"}
    rows = []
    for title in dict.fromkeys(key.rpartition(", ")[0] for key in found):
        own = [found[f"{title}, {threads}"] for threads in THREADS]
        base = [found[f"LiteRT, float32, {threads}"] for threads in THREADS]
        pairs = zip(own, base, strict=True)
        cells = ((_times(one), f"{one['median'] / other['median']:.2f}×") for one, other in pairs)
        rows.append((title, *(cell for both in cells for cell in both)))
    headers = ("", "1 thread, ms", "× LiteRT, float32", "2 threads, ms", "× LiteRT, float32")
    return _drawn(f"{name}, one picture in bytes, in turns: medians and quartiles.", headers, rows, 1)


def of_runtimes(results: Results) -> str:
    rows = []
    for name, short in SHORT.items():
        for title in results.children(f"runtimes/{name}"):
            own = results.figures[f"runtimes/{name}/{title}"]
            if "steps" in own:
                rows.append((short, title, f"{own['float32']:.1g}", f"{own['differing']:.2%}", str(own["steps"])))
    headers = ("Model", "Runtime", "float32, difference", "int8, scores that differ", "by 1/256, most")
    return _drawn("The same files in other runtimes, beside LiteRT here.", headers, rows, 2)


def of_micro(results: Results) -> str:
    rows = [
        (
            name,
            f"{own['arena'] / 1000:.1f}",
            f"{own['estimate'] / 1000:.1f}",
            f"{own['differing']:.2%}",
            str(own["steps"]),
        )
        for name in results.children("micro")
        if "arena" in (own := results.figures[f"micro/{name}"])
    ]
    headers = ("Model", "Arena, kB", "as hati estimates", "scores that differ", "by 1/256, most")
    return _drawn("TFLite Micro, int8 in and out: the smallest arena that it runs in.", headers, rows, 1)


def of_phones(results: Results) -> str:
    rows = []
    for name, short in SHORT.items():
        for kind, own in results.figures.get(f"phones/{name}", {}).items():
            if kind != "failed":
                mean_, deviation = (_numbers(own["normalisation"][key]) for key in ("mean", "std"))
                alike = "yes" if own["alike"] else "no"
                rows.append((short, kind, str(own["labels"]), mean_, deviation, alike, f"{own['shift']:.2g}"))
    headers = ("Model", "Takes", "Labels", "Mean", "Deviation", "Named alike", "Shift")
    return _drawn(
        "The Task Library of phones, tflite-support 0.4.4: what it reads in a file, and a cat.", headers, rows, 2
    )


def _numbers(found: Sequence[float]) -> str:
    return ", ".join(f"{number:g}" for number in dict.fromkeys(found))


def of_families(results: Results) -> str:
    """Beside hati: float32 by the largest difference, int8 by the correlation of what goes into the softmax."""
    rows = [
        (name, *(f"{own[way]:.1g}" for way in DIFFERENCES), *(_correlation(own.get(way)) for way in CORRELATIONS))
        for name in results.children("families")
        if "float32" in (own := results.figures[f"families/{name}"])
    ]
    headers = ("Architecture", *DIFFERENCES, *CORRELATIONS)
    title = (
        "Architectures with random weights, beside hati. float32: the largest difference, as a part of the largest "
        "score. int8: the correlation of scores before the softmax, of the worst picture; TFLite Micro gets files of "
        "less than 10 MB."
    )
    return _drawn(title, headers, rows, 1)


def _correlation(found: float | None) -> str:
    return NOTHING if found is None else f"{found:.5f}"


def _drawn(title: str, headers: Cells, rows: Sequence[Cells], left: int) -> str:
    return titled(title, table(headers, rows, right=range(left, len(headers))), []) if rows else ""
