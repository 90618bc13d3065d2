"""What a person could do for a better model, told by how this one does."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ..evaluating import Evaluation
from ..tools.arrays import Array
from ..tools.measuring import likely_share
from .heads import Standardisation, class_means, unit
from .ladder import Rung
from .lesson import Lesson

FEW = 20  # photos of a class, up to which each one more is worth much (benchmarks/README.md)
WEAK = 0.1  # of recall below the mean of all classes
GOOD = 0.97  # accuracy that leaves little to win
WORTH = 0.01  # of accuracy, that twice the photos would bring
DRAWS = 10  # halves of the photos that are tried


def advice(lesson: Lesson, best: Rung) -> tuple[str, ...]:
    """One sentence for each thing that would help, the surest first."""
    found = best.evaluation
    sentences = [*_few_photos(lesson)]
    if found is not None and not lesson.train.multi_label:
        sentences += [*_weak_classes(found), *_confused(found), *_photos_or_body(lesson, best, found)]
    return tuple(sentences)


def _few_photos(lesson: Lesson) -> Iterator[str]:
    few = {name: count for name, count in lesson.train.counts.items() if count < FEW}
    if few:
        named = ", ".join(f"{name} ({count})" for name, count in sorted(few.items(), key=lambda item: item[1])[:5])
        yield f"More photos of {named}: up to {FEW} of a class each one more is worth much."


def _weak_classes(found: Evaluation) -> Iterator[str]:
    """Classes that are missed more than chance explains."""
    mean = float(np.mean([one.recall for one in found.by_class if one.photos]))
    weak = [
        one
        for one in found.by_class
        if one.photos
        and one.recall < mean - WEAK
        and likely_share(round(one.recall * one.photos), one.photos)[1] < mean
    ]
    for one in sorted(weak, key=lambda one: one.recall)[:3]:
        yield f"More photos of {one.name}, as varied as can be: {one.recall:.0%} of its {one.photos} were recognised."


def _confused(found: Evaluation) -> Iterator[str]:
    """The two classes that are taken for each other most."""
    assert found.confusion is not None, "a photo has one class here"
    both = np.triu(found.confusion + found.confusion.T, 1)
    first, second = np.unravel_index(both.argmax(), both.shape)
    times = int(both[first, second])
    if times > 2:
        names = f"{found.classes[first]} and {found.classes[second]}"
        yield f"Look at {names}: {times} photos were taken for the other; are all of them sorted rightly?"


def _photos_or_body(lesson: Lesson, best: Rung, found: Evaluation) -> Iterator[str]:
    """Where the photos learnt from are themselves hard to tell apart, the body is too weak; else photos are too few."""
    if found.accuracy >= GOOD:
        yield "A bigger body would bring little: there is hardly anything left to win."
        return
    half, whole = _with_half(lesson), _imprinted_accuracy(lesson, np.ones(len(lesson.train), bool))
    if whole - half > WORTH:
        yield (
            f"More photos of every class: by their means alone {whole:.1%} were named rightly, "
            f"with half of the photos {half:.1%}."
        )
    head = best.head
    seen = best.body.see(lesson.train.photos, verbose=0) if best.body is not lesson.body else lesson.seen
    learnt = (head.scores(seen.first).argmax(1) == lesson.train.numbers).mean()
    if learnt < GOOD:
        yield f"A bigger body, or fine-tuning: even of the photos learnt from, only {learnt:.1%} are named rightly."
    elif whole - half <= WORTH:
        yield ("A bigger body may help; more photos would hardly, and those learnt from are named rightly already.")


def _with_half(lesson: Lesson) -> float:
    halves = [~lesson.train.held(0.5, seed) for seed in range(DRAWS)]
    return float(np.mean([_imprinted_accuracy(lesson, half) for half in halves]))


def _imprinted_accuracy(lesson: Lesson, chosen: Array) -> float:
    """Of the nearest class mean, on the validation photos."""
    vectors = lesson.seen.first[chosen]
    standardisation = Standardisation.of(vectors)
    means = class_means(standardisation(vectors), lesson.train.targets[chosen])
    said = (unit(standardisation(lesson.validation_seen.first)) @ means.T).argmax(1)
    return float((said == lesson.validation.numbers).mean())
