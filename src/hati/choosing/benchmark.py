"""Takes the time of candidates on this machine, and keeps every figure in the cache as soon as it is there."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, astuple, dataclass, replace
from functools import cached_property
from itertools import cycle

import numpy as np

from .. import __version__
from ..errors import WeightsError
from ..labels import imagenet
from ..loading import load
from ..model import Model
from ..tools.arrays import Array
from ..tools.machine import Machine, machine
from ..tools.measurement_cache import MeasurementCache
from ..tools.measuring import Spread, Work, side_by_side
from .candidates import Candidate
from .own_photos import Accuracy, OwnPhotos

QUICK, THOROUGH = 0.5, 1.5  # seconds for each candidate
TOGETHER = 5  # candidates side by side,
MEGABYTES_TOGETHER = 400.0  # and their weights
MEMORY_TAKEN = 3  # bytes for each byte of weights, while random ones are made and compiled


@dataclass(frozen=True)
class Benchmark:
    """Measures one picture at a time: array to scores, or with photos, photo to answer."""

    photos: OwnPhotos | None = None
    fresh: bool = False  # measure again what was measured before

    def measure(self, candidate: Candidate) -> Candidate:
        """The candidate with its latency and, where its photos are labelled and its weights here, its accuracy."""
        kept = candidate if self.fresh else self._kept(candidate)
        if kept.latency and (kept.on_photos or not self._labelled(candidate)):
            return kept
        try:
            model = _load(candidate)
        except WeightsError as error:
            return self.measure(replace(candidate, random_weights=True, fault=str(error)))
        if kept.latency is None:
            [latency] = side_by_side({"alone": self._work(model)}, seconds=QUICK, rounds=3).values()
            kept = self._timed(kept, latency, compared=False)
        return kept if kept.on_photos else self._judged(kept, model)

    def compare(self, rivals: Sequence[Candidate]) -> list[Candidate]:
        """The rivals with latencies that were taken in turns."""
        works = {rival.name: self._work(_load(rival)) for rival in rivals}
        times = side_by_side(works, seconds=THOROUGH)
        return [self._timed(rival, times[rival.name], compared=True) for rival in rivals]

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

    def _labelled(self, candidate: Candidate) -> list[tuple[str, int]]:
        """The photos to judge it by, with their classes; none where they or its weights are missing."""
        if self.photos is None or self.photos.classes is None or candidate.random_weights:
            return []
        return list(zip(self.photos.photos, self.photos.classes, strict=True))

    def _judged(self, candidate: Candidate, model: Model) -> Candidate:
        labelled = self._labelled(candidate)
        if not labelled:
            return candidate
        answers = zip(model.answers([photo for photo, _ in labelled], top=1), labelled, strict=True)
        hits = [
            answer.predictions[0].synset == imagenet()[right].synset
            for answer, (_, right) in answers
            if not answer.error
        ]
        accuracy = Accuracy(sum(hits), len(hits), len(labelled) - len(hits))
        self._cache.keep(_accuracy_of(candidate), asdict(accuracy))
        return replace(candidate, on_photos=accuracy)

    def _timed(self, candidate: Candidate, latency: Spread, *, compared: bool) -> Candidate:
        self._cache.keep_time(_latency_of(candidate, compared), latency)
        return replace(candidate, latency=latency, compared=compared)

    def _kept(self, candidate: Candidate) -> Candidate:
        """With what was measured before and may serve: of its latencies alone and beside others, the later one."""
        if self._labelled(candidate):
            candidate = replace(candidate, on_photos=self._kept_accuracy(candidate))
        times = [(compared, self._cache.kept_time(_latency_of(candidate, compared))) for compared in (True, False)]
        serving = [(compared, latency) for compared, latency in times if latency]
        if not serving:
            return candidate
        compared, latency = max(serving, key=lambda one: one[1].taken or "")
        return replace(candidate, latency=latency, compared=compared)

    def _kept_accuracy(self, candidate: Candidate) -> Accuracy | None:
        try:
            return Accuracy(**self._cache.kept(_accuracy_of(candidate)))
        except TypeError:
            return None  # nothing is kept, or something else

    @cached_property
    def _cache(self) -> MeasurementCache:
        """For figures of this machine, these versions and these photos."""
        import onnxruntime

        versions = __version__, onnxruntime.__version__
        return MeasurementCache((astuple(self.machine), *versions, self.photos and self.photos.fingerprint))


def groups(rivals: Sequence[Candidate]) -> Iterator[list[Candidate]]:
    """A few at a time, as memory allows, with neighbours in latency together."""
    group: list[Candidate] = []
    for rival in sorted(rivals, key=lambda rival: rival.seconds):
        if len(group) == TOGETHER or sum(one.megabytes for one in [*group, rival]) > MEGABYTES_TOGETHER:
            yield from [group] if group else []
            group = []
        group.append(rival)
    yield from [group] if group else []


def _latency_of(candidate: Candidate, compared: bool) -> str:
    weights = "random" if candidate.random_weights else "own"
    return f"{candidate.name}.{weights}.{'compared' if compared else 'alone'}"


def _accuracy_of(candidate: Candidate) -> str:
    return f"{candidate.name}.accuracy"


def _load(candidate: Candidate) -> Model:
    return load(candidate.name, None if candidate.random_weights else "imagenet")


def _picture(model: Model) -> Array:
    """A batch of one picture of noise, as the model's preprocessing gives it."""
    pixels = np.random.default_rng(0).integers(0, 256, (1, *model.size, 3), dtype=np.uint8)
    return model.normalisation(pixels)
