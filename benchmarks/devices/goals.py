"""What was asked for, and whether it was reached: a miss is told as a miss."""

from collections.abc import Iterator
from statistics import mean

from transfer.goals import Verdict
from transfer.measuring import Results

from .plan import DEFAULT, SMALLEST

SHORT = {SMALLEST: "MobileNet 0.25", DEFAULT: "EfficientNetLite0"}
AGREEING = {SMALLEST: 0.85, DEFAULT: 0.93}  # in int8, at the least
POINTS = 1.0  # of top-1, that the default model may lose
HALF_AGREEING = 0.985
DIFFERENCE = 1e-5
SIZES = {"float16": (0.45, 0.55), "int8": (0.2, 0.35)}  # of the float32 file's: "about 0.5" and "about 0.25"


def verdicts(results: Results) -> Iterator[Verdict]:
    yield lost(results)
    for name, least in AGREEING.items():
        yield agreeing(results, name, least)
    for name in SHORT:
        yield of_file(results, name, "float16", "agreement", HALF_AGREEING)
        yield of_file(results, name, "float32", "shift", DIFFERENCE)
        for precision in SIZES:
            yield of_size(results, name, precision)


def lost(results: Results) -> Verdict:
    """Points of top-1, the mean over all ways to part the photos."""
    sentence, bound = f"{SHORT[DEFAULT]}, int8: top-1 beside float, mean of the partings", f"≤ {POINTS:g} point less"
    runs = results.under(f"int8/{DEFAULT}")
    points = [100 * (run["float"] - run["int8"]) for run in runs]
    if not points:
        return Verdict(sentence, bound, "–", None)
    measured = f"{mean(points):+.2f} less ({min(points):+.2f} – {max(points):+.2f})"
    return Verdict(sentence, bound, measured, mean(points) <= POINTS)


def agreeing(results: Results, name: str, least: float) -> Verdict:
    sentence, bound = f"{SHORT[name]}, int8: named as in float, the worst parting", f"≥ {least:g}"
    shares = results.column(f"int8/{name}", "agreement")
    if not shares:
        return Verdict(sentence, bound, "–", None)
    return Verdict(sentence, bound, f"{min(shares):.3f} (mean {mean(shares):.3f})", min(shares) >= least)


def of_file(results: Results, name: str, precision: str, what: str, bound: float) -> Verdict:
    least = what == "agreement"
    sentence = f"{SHORT[name]}, {precision}: {'named alike' if least else 'largest difference of a score'}"
    told = f"≥ {bound:g}" if least else f"≤ {bound:g}"
    found = results.figures.get(f"files/{name}/{precision}", {})
    if what not in found:
        return Verdict(sentence, told, "–", None)
    return Verdict(sentence, told, f"{found[what]:.3g}", found[what] >= bound if least else found[what] <= bound)


def of_size(results: Results, name: str, precision: str) -> Verdict:
    sentence, (low, high) = f"{SHORT[name]}, {precision}: size beside float32", SIZES[precision]
    bound = f"{low:g} – {high:g}"
    own, whole = (results.figures.get(f"files/{name}/{one}", {}).get("bytes") for one in (precision, "float32"))
    if own is None or whole is None:
        return Verdict(sentence, bound, "–", None)
    ratio = own / whole
    return Verdict(sentence, bound, f"{ratio:.3f}", low <= ratio <= high)
