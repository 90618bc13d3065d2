"""A file on its way: written aside, measured there, and moved to its place whole."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from ..errors import WeightsError
from ..int8.ranking import Ranking
from ..tools.files import take_place, workshop
from . import gate
from .formats import Format, Order
from .gate import Measured
from .trial import Trial


@dataclass(frozen=True)
class Draft:
    """An order, its place, and the photos that judge whether what comes of it may stand there."""

    found: Format
    order: Order
    place: Path
    trial: Trial
    shop: Path  # a folder of its own beside the place

    @property
    def file(self) -> Path:
        return self.shop / "written" / self.place.name

    def write(self) -> None:
        self.file.parent.mkdir()
        with writing_to(self.place):
            self.found.write(self.order, self.file)

    def measured(self) -> Measured:
        pixels = self.trial.checking
        return gate.measured(self.found, self.file, self.order, pixels, gate.expected(self.order.model, pixels))

    def ranking(self) -> Ranking:
        """Of its layers in int8, by the photos that it was calibrated on."""
        pixels = self.trial.calibrating
        return gate.ranking(self.found, self.order, pixels, gate.expected(self.order.model, pixels), self.shop)

    def move(self) -> None:
        """To its place, with whatever was written beside it."""
        with writing_to(self.place):
            for written in self.file.parent.iterdir():
                take_place(written, self.place.parent / written.name)


@contextmanager
def drafted(found: Format, order: Order, place: Path, trial: Trial) -> Iterator[Draft]:
    """What is not moved is gone afterwards. Raises WeightsError where the disk is full or may not be written."""
    with ExitStack() as stack:
        with writing_to(place):
            shop = stack.enter_context(workshop(place))
        draft = Draft(found, order, place, trial, shop)
        draft.write()
        yield draft


@contextmanager
def writing_to(place: Path) -> Iterator[None]:
    """What a disk refuses, as a WeightsError that says where."""
    try:
        yield
    except OSError as error:
        raise WeightsError(f"{place} cannot be written: {error.strerror or error}") from None
