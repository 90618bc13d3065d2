"""The limit: the time that a network's multiply-adds take at the rate of a large float32 matrix product."""

from .network_times import LIMIT, PRODUCTS, piece_name
from .networks import SIDE
from .results import Results


def rate(results: Results) -> float | None:
    """Multiply-adds in a second, of whoever multiplies the large matrices faster."""
    found = [results.median(LIMIT, name) for name in PRODUCTS]
    return max((SIDE**3 / seconds for seconds in found if seconds), default=None)


def limit(results: Results, network: str, batch: int) -> float | None:
    """Seconds for a batch of pictures."""
    work, speed = results.about.get("multiply_adds", {}).get(network), rate(results)
    return batch * work / speed if work and speed else None


def times_the_limit(results: Results, network: str, batch: int) -> float | None:
    bound, found = limit(results, network, batch), results.median(piece_name(network, batch), "hati")
    return found / bound if bound and found else None
