"""The results as text: tables that go between two marks of a page."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from hati.tools.tables import table

from . import gpu_report, limits
from .goals import Verdict, verdicts
from .network_times import ADDED, INT8, LIMIT, piece_name
from .networks import SIDE
from .photo_files import LARGE, SMALL
from .photo_times import CALLS, PHOTOS, REDUCED, folder_name, photo_name
from .plan import BATCHES, DEFAULT, RESNET
from .processes import ANSWERS, IMPORTS, SIZES
from .results import Piece, Results, Row

BEGIN, END = "<!-- side by side: begin -->", "<!-- side by side: end -->"
HEADING = "## Beside its peers"
NOTHING = "–"


def text(results: Results, gpu: Path | None = None) -> str:
    """Everything that was measured; what was not is left out, but not among the goals."""
    parts = [
        about(results),
        *of_networks(results),
        *of_photos(results),
        *of_the_rest(results),
        of_goals(verdicts(results)),
        gpu_report.text(gpu),
    ]
    return "\n\n".join(filter(None, parts))


def put_into(page: Path, content: str, begin: str = BEGIN, end: str = END, heading: str = HEADING) -> None:
    """Replace what lies between two marks, or add them at the end."""
    before, _, rest = page.read_text().partition(begin)
    after = rest.partition(end)[2]
    if not rest:
        before = f"{before.rstrip()}\n\n{heading}\n\n"
    page.write_text(f"{before}{begin}\n{content}\n{end}{after or chr(10)}")


def about(results: Results) -> str:
    """When, where, and with what."""
    found = results.about
    if not found:
        return ""
    machine, effort = found["machine"], "a quick run, " if found["quick"] else ""
    versions = dict.fromkeys(f"{name} {version}" for own in found["versions"].values() for name, version in own.items())
    return (
        f"`benchmarks/run`, {effort}{found['date']}. {machine['processor']}, {machine['memory'] / 2**30:.0f} GiB, "
        f"{machine['system']}. {found['threads']} threads each; one works at a time, in turns. {', '.join(versions)}."
    )


def of_networks(results: Results) -> Iterator[str]:
    """One table for each batch: a row for each peer, a column for each network."""
    for batch in BATCHES:
        names = [name for name in results.about.get("multiply_adds", {}) if piece_name(name, batch) in results.pieces]
        pieces = {name: results.pieces[piece_name(name, batch)] for name in names}
        bounds = ("the limit", *(bound(results, name, batch) for name in names))
        title = f"A batch of {batch}: ms, and times as long as hati; below them, the quartiles."
        yield stacked(title, pieces, last=[bounds])
    yield sentence_of_the_limit(results)


def bound(results: Results, network: str, batch: int) -> str:
    seconds, part = limits.limit(results, network, batch), limits.times_the_limit(results, network, batch)
    return f"{digits(1e3 * seconds)}  {1 / part:.2f}×" if seconds and part else NOTHING


def sentence_of_the_limit(results: Results) -> str:
    rates = [
        f"{SIDE**3 / row.median / 1e9:.0f} G with {name}" for name, row in piece(results, LIMIT).items() if row.median
    ]
    if not rates:
        return ""
    return (
        f"The limit is the time of a network's multiply-adds in a float32 product of two {SIDE}×{SIDE} matrices on the "
        f"same cores, by the faster of two libraries: {', '.join(rates)} a second."
    )


def of_photos(results: Results) -> Iterator[str]:
    names = [photo_name(network, size) for network in (DEFAULT, RESNET) for size in (SMALL, LARGE)]
    title = "From a JPEG's path to its three names: ms, and times as long as hati; below them, the quartiles."
    yield stacked(title, {name: results.pieces[name] for name in names if name in results.pieces})
    for network in (RESNET, DEFAULT):
        name = folder_name(network)
        yield listed(f"A folder of JPEGs with {network.name}: ms for each.", piece(results, name), PHOTOS)


def of_the_rest(results: Results) -> Iterator[str]:
    title = "A new process, from its start to the printed answer: ms."
    yield listed(title, piece(results, ANSWERS), "hati, ResNet50")
    yield listed("A new process that only imports, or prints its help: ms.", piece(results, IMPORTS), "import hati")
    yield listed("Installed: MB, without pip and setuptools.", piece(results, SIZES), "hati", unit=1)
    yield listed("What `predict` takes besides the call of ONNX Runtime inside it: ms.", piece(results, ADDED))
    yield listed("Large JPEGs decoded at a part of their size.", piece(results, REDUCED), unit=1)
    yield listed("ResNet50 in int8, one picture: ms.", piece(results, INT8), "float32")
    yield listed("Many calls of `predict`.", piece(results, CALLS), unit=1)


def piece(results: Results, name: str) -> Piece:
    return results.pieces.get(name, {})


def stacked(title: str, pieces: Mapping[str, Piece], last: Sequence[tuple[str, ...]] = ()) -> str:
    """A column for each piece and a row for each peer, in two lines."""
    if not pieces:
        return ""
    peers = dict.fromkeys(peer for piece in pieces.values() for peer in piece)
    rows = [(peer, *(in_two_lines(piece, peer) for piece in pieces.values())) for peer in peers]
    headers = ("", *(name.replace(", ", "\n") for name in pieces))
    return titled(title, table(headers, [*rows, *last], right=range(1, len(headers))), notes(pieces))


def in_two_lines(piece: Piece, peer: str, beside: str = "hati") -> str:
    """`31.2  2.10×`, and the quartiles below."""
    row = piece.get(peer, Row())
    if row.median is None:
        return "failed" if row.failed else NOTHING
    mark = "≠ " if "differ" in row.note else ""
    return f"{mark}{digits(row.median * 1e3)}  {ratio(piece, peer, beside)}\n{quartiles(row, 1e3)}"


def listed(title: str, piece: Piece, beside: str = "", *, unit: float = 1e3) -> str:
    """A row for each peer, in one line; columns without a figure are left out."""
    if not piece:
        return ""
    headers = ("", "median", "quartiles", f"× {beside}", "peak MB")
    rows = [
        (
            peer,
            "failed" if row.median is None else digits(row.median * unit),
            quartiles(row, unit),
            ratio(piece, peer, beside),
            "" if row.memory is None else digits(row.memory),
        )
        for peer, row in piece.items()
    ]
    kept = [number for number in range(len(headers)) if any(row[number] for row in rows)]
    cells = [tuple(row[number] for number in kept) for row in rows]
    drawn = table([headers[number] for number in kept], cells, right=range(1, len(kept)))
    return titled(title, drawn, notes({title: piece}))


def quartiles(row: Row, unit: float) -> str:
    """None where there was but one measurement."""
    if row.low is None or row.high is None or row.low == row.high:
        return ""
    return f"{digits(row.low * unit)} – {digits(row.high * unit)}"


def ratio(piece: Piece, peer: str, beside: str) -> str:
    first, own = piece.get(beside, Row()).median, piece[peer].median
    return f"{own / first:.2f}×" if first and own is not None else ""


def notes(pieces: Mapping[str, Piece]) -> list[str]:
    """What a cell has no room for: why a peer failed, and what is strange about its answer."""
    found: dict[str, list[str]] = {}
    for name, piece in pieces.items():
        for peer, row in piece.items():
            if row.failed or row.note:
                what = f"failed: {row.failed}" if row.failed else row.note
                found.setdefault(f"* {peer}: {what}", []).append(name)
    return [f"{what} ({', '.join(names)})" if len(pieces) > 1 else what for what, names in found.items()]


def of_goals(found: Sequence[Verdict]) -> str:
    rows = [
        (
            verdict.goal.sentence,
            f"{'≥' if verdict.goal.at_least else '≤'} {with_unit(verdict.goal.bound, verdict.goal.unit)}",
            NOTHING if verdict.value is None else with_unit(verdict.value, verdict.goal.unit),
            verdict.word,
            verdict.reason,
        )
        for verdict in found
    ]
    return titled("The goals.", table(("Goal", "Bound", "Measured", "Reached", "Why not"), rows, right=(1, 2)), [])


def with_unit(value: float, unit: str) -> str:
    return f"{digits(value)}{unit}" if unit in ("×", "") else f"{digits(value)} {unit}"


def digits(value: float) -> str:
    """Three that count; whole numbers from a hundred on, and nothing below a thousandth."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}" if abs(value) >= 1 else f"{value:.3f}"


def titled(title: str, drawn: str, below: Sequence[str]) -> str:
    return "\n".join((title, "", "```text", drawn, "```", *(["", *below] if below else [])))
