"""The ladder of methods: each rung is dearer than the one before, and the next one is tried as long as it pays.

All of them, `imprint`, `probe` and `finetune`, end in the same kind of model: a body with a head.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from os import environ
from pathlib import Path
from typing import Literal, get_args

from ..errors import ArgumentError
from ..evaluating import Evaluation
from ..network.taught import FINETUNE, IMPRINT, PROBE
from ..tools.cache import folder
from . import finetuning, probing
from .body import Body
from .finetuning import Recipe
from .heads import Head
from .imprinting import imprint
from .lesson import Lesson
from .probing import probe

Method = Literal["auto", "imprint", "probe", "finetune"]


@dataclass(frozen=True)
class Rung:
    """One method, tried."""

    method: str
    body: Body
    head: Head
    settings: dict[str, str]
    evaluation: Evaluation | None  # on the validation photos; None where there are none
    notes: tuple[str, ...] = ()
    checkpoint: Path | None = None

    def pays(self, before: Rung) -> bool:
        """Whether the validation photos say that this dearer method is better."""
        if self.evaluation is None or before.evaluation is None:
            return False
        return self.evaluation.accuracy > before.evaluation.accuracy


def check(method: Method) -> None:
    """Refuse what cannot work before a photo is opened."""
    if method not in get_args(Method):
        raise ArgumentError(f"method is {method!r}; it can be {', '.join(get_args(Method))}")
    if method in (PROBE, FINETUNE) and not has("sklearn"):
        raise ArgumentError(probing.MISSING)
    if method == FINETUNE and not has("torch"):
        raise ArgumentError(finetuning.MISSING)
    if method == "auto" and environ.get("WORLD_SIZE", "1") != "1":
        raise ArgumentError("several processes learn together by the method finetune alone; say so instead of auto")


def has(library: str) -> bool:
    return find_spec(library) is not None


def climb(lesson: Lesson, method: Method, recipe: Recipe, device: str, seed: int) -> Iterator[Rung]:
    """One rung after the other, up to the method that was asked for; `auto` goes on while it pays."""
    imprinted = _imprinted(lesson)
    if method in (IMPRINT, "auto"):
        yield imprinted
        if method == IMPRINT or not (len(lesson.validation) and has("sklearn")):
            return
    probed = _probed(lesson, seed)
    yield probed
    if method == PROBE or (method == "auto" and not (probed.pays(imprinted) and has("torch"))):
        return
    yield _finetuned(lesson, imprinted if imprinted.pays(probed) else probed, recipe, device, seed)


def best(rungs: list[Rung], method: Method) -> Rung:
    """The one that was asked for; by `auto`, the last one that paid."""
    if method != "auto":
        return rungs[-1]
    found = rungs[0]
    for rung in rungs[1:]:
        found = rung if rung.pays(found) else found
    return found


def _imprinted(lesson: Lesson) -> Rung:
    head = imprint(lesson.seen.first, lesson.train.targets, multi_label=lesson.train.multi_label)
    return Rung(IMPRINT, lesson.body, head, {}, lesson.measured(lesson.body, head))


def _probed(lesson: Lesson, seed: int) -> Rung:
    found = probe(
        lesson.seen.vectors,
        lesson.train.targets,
        multi_label=lesson.train.multi_label,
        seed=seed,
        verbose=lesson.verbose,
    )
    return Rung(PROBE, lesson.body, found.head, found.settings, lesson.measured(lesson.body, found.head))


def _finetuned(lesson: Lesson, start: Rung, recipe: Recipe, device: str, seed: int) -> Rung:
    found = finetuning.finetune(
        lesson.body,
        start.head,
        lesson.train,
        lesson.validation if len(lesson.validation) else None,
        recipe,
        seed=seed,
        checkpoints=folder("finetuning"),
        device=device,
        verbose=lesson.verbose,
    )
    settings = {name: str(value) for name, value in asdict(recipe).items()}
    settings |= {"from": start.method, "taken": f"{found.taken:g}", "best epoch": str(found.best), "seed": str(seed)}
    evaluation = lesson.measured(found.body, found.head)
    return Rung(FINETUNE, found.body, found.head, settings, evaluation, found.notes, found.checkpoint)
