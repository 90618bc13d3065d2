"""Takes the time of candidates on this machine, and keeps every figure in the cache as soon as it is there."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from itertools import cycle

import numpy as np

from .. import __version__
from ..errors import WeightsError
from ..labels import imagenet
from ..loading import load
from ..model import Model
from ..tools.machine import Machine, machine
from ..tools.measuring import Spread, Work, side_by_side
from ..tools.notebook import Notebook
from .candidates import Candidate
from .own_photos import Accuracy, OwnPhotos

QUICK, THOROUGH = 0.5, 1.5  # seconds for each candidate
TOGETHER = 5  # candidates side by side,
MEGABYTES_TOGETHER = 400.0  # and their weights
MEMORY_TAKEN = 3  # bytes for each byte of weights, while random ones are made and compiled


@dataclass(frozen=True)
class Measurements:
    """Measures one picture at a time: array to scores, or with photos, photo to answer."""

    photos: OwnPhotos | None = None
    fresh: bool = False  # measure again what was measured before

    def measure(self, candidate: Candidate) -> Candidate:
        """The candidate with its latency and, where its photos are labelled and its weights here, its accuracy."""
        kept = None if self.fresh else self._kept(candidate)
        if kept:
            return kept
        try:
            model = _load(candidate)
        except WeightsError as error:
            return self.measure(replace(candidate, random_weights=True, fault=str(error)))
        times = side_by_side({"quick": self._work(model)}, seconds=QUICK, rounds=3)
        return self._keep(replace(candidate, latency=times["quick"], on_photos=self._accuracy(candidate, model)))

    def compare(self, rivals: Sequence[Candidate]) -> list[Candidate]:
        """The rivals with latencies that were taken in turns."""
        works = {rival.name: self._work(_load(rival)) for rival in rivals}
        times = side_by_side(works, seconds=THOROUGH)
        return [self._keep(replace(rival, latency=times[rival.name], compared=True)) for rival in rivals]

    def has_memory_for(self, candidate: Candidate) -> bool:
        return self.machine.memory == 0 or MEMORY_TAKEN * candidate.megabytes * 1e6 <= self.machine.memory

    @cached_property
    def machine(self) -> Machine:
        return machine()

    def _work(self, model: Model) -> Work:
        if self.photos is None:
            x = _picture(model)
            return lambda: model.predict(x, verbose=0)
        photos = cycle(self.photos.sample)
        return lambda: model.classify(next(photos))

    def _accuracy(self, candidate: Candidate, model: Model) -> Accuracy | None:
        if self.photos is None or self.photos.classes is None or candidate.random_weights:
            return None
        answers = zip(model.answers(self.photos.photos, top=1), self.photos.classes, strict=True)
        hits = [
            answer.predictions[0].synset == imagenet()[right].synset for answer, right in answers if not answer.error
        ]
        return Accuracy(sum(hits), len(hits), len(self.photos.photos) - len(hits))

    @cached_property
    def _notebook(self) -> Notebook:
        """For figures of this machine, these versions and these photos."""
        import onnxruntime

        return Notebook((self.machine, __version__, onnxruntime.__version__, self.photos and self.photos.fingerprint))

    def _note(self, candidate: Candidate) -> str:
        return f"{candidate.name}.{'random' if candidate.random_weights else 'own'}"

    def _kept(self, candidate: Candidate) -> Candidate | None:
        try:
            told = self._notebook.kept(self._note(candidate))
            accuracy = told["on_photos"] and Accuracy(**told["on_photos"])
            return replace(candidate, latency=Spread(**told["latency"]), compared=told["compared"], on_photos=accuracy)
        except (TypeError, KeyError):
            return None

    def _keep(self, candidate: Candidate) -> Candidate:
        self._notebook.keep(self._note(candidate), asdict(candidate) | {"machine": asdict(self.machine)})
        return candidate


def groups(rivals: Sequence[Candidate]) -> Iterator[list[Candidate]]:
    """A few at a time, as memory allows, with neighbours in latency together."""
    group: list[Candidate] = []
    for rival in sorted(rivals, key=lambda rival: rival.seconds):
        if len(group) == TOGETHER or sum(one.megabytes for one in [*group, rival]) > MEGABYTES_TOGETHER:
            yield from [group] if group else []
            group = []
        group.append(rival)
    yield from [group] if group else []


def _load(candidate: Candidate) -> Model:
    return load(candidate.name, None if candidate.random_weights else "imagenet")


def _picture(model: Model) -> np.ndarray:
    """A batch of one picture of noise, as the model's preprocessing gives it."""
    pixels = np.random.default_rng(0).integers(0, 256, (1, *model.size, 3), dtype=np.uint8)
    return model.normalisation(pixels)
