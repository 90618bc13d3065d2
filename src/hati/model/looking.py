"""How a network looks at photos: a few by one call, many by one call on each core; a bad one stops no others."""

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import chain, islice

import numpy as np
from numpy.typing import NDArray

from ..engines import Session
from ..errors import ImageError, light
from ..photos import Photo
from ..tools.arrays import Array
from ..tools.machine import cores
from ..tools.pipeline import batches, in_order

Prepare = Callable[[Photo], Array]  # a photo -> what the network takes of it; ImageError where it cannot be read
Seen = tuple[Photo, NDArray[np.float32] | ImageError]  # what the network gives for it, or why nothing

BATCH = 8  # photos that one call of the engine takes,
BATCH_OF_EACH = 2  # and each of several calls at once, so that reading and computing take turns often


def outputs(photos: Iterable[Photo], prepare: Prepare, session: Callable[[bool], Session]) -> Iterator[Seen]:
    """Each photo with what is seen in it, in order, as soon as it is known.

    `session` gives what computes: for one call by all cores or, of True, for calls that each have a core of their own.
    """
    waiting = iter(photos)
    for batch in batches(islice(waiting, BATCH), BATCH):
        yield from _of_batch(session(False), prepare, batch)
    for photo in islice(waiting, 1):
        work = partial(_of_batch, session(True), prepare)
        for seen in in_order(work, batches(chain([photo], waiting), BATCH_OF_EACH), cores()):
            yield from seen


def _of_batch(session: Session, prepare: Prepare, batch: list[Photo]) -> list[Seen]:
    pictures = [_prepared(prepare, photo) for photo in batch]
    readable = [picture for picture in pictures if isinstance(picture, np.ndarray)]
    found = iter(session(np.stack(readable)) if readable else ())
    return [
        (photo, picture if isinstance(picture, ImageError) else next(found))
        for photo, picture in zip(batch, pictures, strict=True)
    ]


def _prepared(prepare: Prepare, photo: Photo) -> Array | ImageError:
    try:
        return prepare(photo)
    except ImageError as error:
        return light(error)
