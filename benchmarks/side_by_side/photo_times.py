"""From a photo's file to its names, and a folder of photos beside the network alone."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

from . import photo_files
from .asking import PeerError, in_turns
from .environments import PROJECT
from .networks import Network
from .plan import DEFAULT, HATI, RESNET, WAYS, Way
from .results import Piece, Row
from .running import Job, Run

KERAS = next(way for way in WAYS if way.environment == "tensorflow")
READERS = (replace(HATI, name="hati", way="photo"), replace(KERAS, name="Keras on TensorFlow", way="photo"))
BATCHES = (8, 32)
PHOTOS, KERAS_PHOTOS, CALLS = "hati, photos", "Keras on TensorFlow, photos", "many calls"
REDUCED, AGREEMENT = "reduced decoding", "top-1 agreement"
LABELLED = PROJECT.parent / "shared" / "data" / "imagenet_ccby"  # where it is beside the checkout
LARGE_SIDE, AT_ONCE = 3000, 50
GROWN, THREADED, RIGHT = "MB that memory grew by", "eight threads' time by one's", "right answers, as a part of all"
FINDINGS = {"grown": GROWN, "threads": THREADED, "right": RIGHT}


def jobs(run: Run) -> Iterator[Job]:
    for network in (DEFAULT, RESNET):
        for size in (photo_files.SMALL, photo_files.LARGE):
            yield Job(photo_name(network, size), ("all", "photos"), partial(photo_to_answer, run, network, size))
    for network in (DEFAULT, RESNET):
        yield Job(folder_name(network), ("all", "folder"), partial(folder_to_answers, run, network))
    yield Job(REDUCED, ("all", "reduced"), partial(reduced_decoding, run))
    yield Job(CALLS, ("all", "calls"), partial(many_calls, run))


def photo_name(network: Network, size: tuple[int, int]) -> str:
    return f"photo of {size[0]}×{size[1]}, {network.name}"


def folder_name(network: Network) -> str:
    return f"folder, {network.name}"


def photo_to_answer(run: Run, network: Network, size: tuple[int, int]) -> Piece:
    """Seconds from a JPEG's path to three names."""
    photo = photo_files.one(run.work / "photos", size, run.photos)
    folder = run.folder(network)
    share = run.effort.seconds / run.effort.rounds
    works = {way.name: partial(named, run, way, folder, photo, share) for way in READERS}
    piece = in_turns(works, run.effort.rounds)
    run.team.forget()
    return piece


def named(run: Run, way: Way, folder: str, photo: Path, seconds: float) -> list[float]:
    run.prepare(way, folder, photo=str(photo))
    return run.measure(way, seconds)


def folder_to_answers(run: Run, network: Network) -> Piece:
    """Seconds for each photo of a folder, and for each picture of the network alone in batches."""
    folder, photos = run.folder(network), photo_files.many(run.work / "photos", run.effort.photos, run.photos)
    few = photo_files.many(run.work / "photos", run.effort.photos // 5, run.photos)

    def through(way: Way, name: str, **settings: object) -> list[float]:
        return [run.work_of(way, name, folder=folder, **settings)]

    works = {PHOTOS: partial(through, HATI, "through_folder", photos_folder=str(photos))}
    for batch in BATCHES:
        works[f"hati, network alone, batch {batch}"] = partial(
            through, HATI, "through_network", batch=batch, count=run.effort.photos // 2
        )
    works[KERAS_PHOTOS] = partial(through, KERAS, "through_folder", photos_folder=str(few))
    piece = in_turns(works, run.effort.passes)
    run.team.forget()
    return piece


def reduced_decoding(run: Run) -> Piece:
    """The part of enlarged photos whose first name stays the same where they are decoded at a part of their size."""
    photos = run.photos or (LABELLED if LABELLED.is_dir() else None)
    if photos is None:
        photos = photo_files.many(run.work / "photos", run.effort.photos)
    found: list[bool] = []
    for start in range(0, run.effort.enlarged, AT_ONCE):
        count = min(AT_ONCE, run.effort.enlarged - start)
        found += run.work_of(HATI, "agreeing", photos_folder=str(photos), start=start, count=count, side=LARGE_SIDE)
    return {AGREEMENT: Row.of([sum(found) / len(found)], note=f"{len(found)} photos of {LARGE_SIDE}×{LARGE_SIDE}")}


def many_calls(run: Run) -> Piece:
    """What `in_hati.many_calls` finds, each a row."""
    try:
        calls = run.effort.calls
        found = run.work_of(HATI, "many_calls", folder=run.folder(DEFAULT), calls=calls, threaded=calls // 5)
    except PeerError as error:
        return {GROWN: Row(failed=str(error))}
    return {title: Row.of([found[name]]) for name, title in FINDINGS.items()}
