"""Why a model was picked, or why none was, and what else should be known, in words."""

from collections.abc import Iterator, Mapping, Sequence

from ..photos.sets import some
from ..tools.measuring import Spread
from .candidates import Bounds, Candidate, failing
from .own_photos import OwnPhotos


def why(pick: Candidate, found: Sequence[Candidate], bounds: Bounds) -> str:
    rivals = [one for one in found if one.latency and bool(one.on_photos) == bool(pick.on_photos)]
    able = sum(not bounds.missed_by(one) for one in rivals)
    within = "within the bounds" if bounds.told() else "measured"
    place = f"the most accurate of {able} models {within}" if able > 1 else f"the only model {within}"
    told = pick.told()
    source = f"on {pick.on_photos.photos:,} photos" if pick.on_photos else "as published"
    return f"{pick.name} is {place}: top-1 {told['top-1']} {source}, {told['latency']}, {told['size']}"


def why_not(near: Sequence[Candidate], found: Sequence[Candidate], bounds: Bounds) -> str:
    words = bounds.told()
    *others, last = (words[name] for name in failing(found, bounds))
    together = f"{', '.join(others)} and {last} together" if others else last
    names = ", ".join(f"{one.name} ({_missing(one, bounds)})" for one in near)
    return f"nothing meets {together}; the nearest: {names}"


def notes(found: Sequence[Candidate], own: OwnPhotos | None, too_large: Sequence[Candidate]) -> Iterator[str]:
    for one in found:
        if one.fault:
            yield f"{one.name}: random weights served, for its own could not: {one.fault}"
        if one.accuracy is None:
            yield f"{one.name}: no accuracy is published"
    yield from busy({one.name: one.latency for one in found})
    for one in too_large:
        yield f"{one.name}: not measured, this machine's memory is too small for it"
    if own is not None:
        yield from _about_photos(found, own)


def measured(latency: Spread | None, asked: str) -> str:
    """Of a kept one, how long before it was asked for it was measured; of any, whether it is noisy."""
    if latency is None:
        return ""
    age = latency.age(asked)
    return ", ".join(filter(None, (f"{age} ago" if age else "", "noisy" if latency.noisy else "")))


def busy(times: Mapping[str, Spread | None]) -> Iterator[str]:
    """Which latencies are none of the work alone, by the names of what they are of."""
    noisy = [name for name, latency in times.items() if latency and latency.noisy]
    if noisy:
        yield (
            "this machine was busy with something else while these latencies were taken; "
            f"the next call takes them again: {some(noisy)}"
        )


def _about_photos(found: Sequence[Candidate], own: OwnPhotos) -> Iterator[str]:
    tested = [one.on_photos for one in found if one.on_photos]
    left_out = tested[0].left_out if tested else len(own.unreadable)
    if left_out:
        which = f"; one of them: {own.unreadable[0]}" if own.unreadable else ""
        yield f"{left_out:,} of {len(own.photos):,} photos could not be read and were left out{which}"
    if tested and any(one.latency and not one.on_photos for one in found):
        yield "accuracies on your photos and published ones are not of one scale, and are not held against each other"


def _missing(one: Candidate, bounds: Bounds) -> str:
    told, missed = one.told(), bounds.missed_by(one)
    return ", ".join(f"{name} {told[name]}" for name in bounds.told() if name in missed)
