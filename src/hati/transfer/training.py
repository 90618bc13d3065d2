"""The ladder: the dearer method is taken as long as it pays.

Each rung of the ladder is dearer than the one before: `imprint`, `probe`, `finetune`. All of them end in the same kind
of model, a body with a head, and in one file.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from os import PathLike, environ, fspath
from pathlib import Path
from typing import Literal, get_args

from .. import DEFAULT_MODEL
from ..errors import ArgumentError, ImageError
from ..evaluating import Evaluation, measured
from ..loading import load
from ..model import Model
from ..network.taught import FINETUNE, IMPRINT, PROBE, Provenance, Score
from ..photos import sets
from ..photos.sets import PhotoSet
from ..tools.cache import folder
from ..tools.extras import brings
from ..tools.progress import Verbose
from . import advice, finetuning, probing
from .body import Body, Seen
from .duplicates import Pair, near_duplicates
from .finetuning import Recipe
from .finetuning.recipe import check_seed
from .heads import Head, joined
from .imprinting import imprint
from .origin import name_of, versions
from .probing import probe
from .views import View
from .views import views as looks

Method = Literal["auto", "imprint", "probe", "finetune"]

MOST_UNREADABLE = 0.2  # of a set's photos: with more, something else is wrong than single files
UNEVEN = 3  # times the photos of the smallest class, from which on it is said
SHARE = 0.2  # of the photos, that are kept apart for validation


@dataclass(frozen=True)
class Rung:
    """One method, tried."""

    method: str
    body: Body
    head: Head
    settings: tuple[tuple[str, str], ...]
    evaluation: Evaluation | None  # on the validation photos; None where there are none
    notes: tuple[str, ...] = ()
    checkpoint: Path | None = None


@dataclass(frozen=True)
class Trained:
    """A model that has learnt a person's classes, and what is to be known of it."""

    model: Model
    method: str
    learnt_from: int  # photos
    photos: dict[str, int]  # of them in each class; in several, where a photo can have several
    evaluation: Evaluation | None  # on photos that it did not learn from; None where there were none to spare
    tried: dict[str, float | None]  # every method that was tried, and its accuracy on the validation photos
    duplicates: tuple[Pair, ...]  # photos that lie in both sets, or all but
    unreadable: tuple[ImageError, ...]  # photos that were skipped
    notes: tuple[str, ...]  # what a person should know
    advice: tuple[str, ...]  # what a person could do
    checkpoint: Path | None = None  # from which fine-tuning would go on

    def save(self, path: str | PathLike[str], *, light: bool = False) -> None:
        """As `Model.save`; what was kept for going on after a kill is then removed."""
        self.model.save(Path(path), light=light)
        if self.checkpoint is not None:
            self.checkpoint.unlink(missing_ok=True)


@dataclass(frozen=True)
class Lesson:
    """What there is to learn, as a body sees it."""

    name: str  # of the model that the body is taken from
    body: Body
    train: PhotoSet
    seen: Seen
    validation: PhotoSet
    validation_seen: Seen
    verbose: Verbose

    @property
    def unreadable(self) -> tuple[ImageError, ...]:
        return self.seen.errors + self.validation_seen.errors

    def measured(self, body: Body, head: Head) -> Evaluation | None:
        """How a body and a head do on the validation photos."""
        if not len(self.validation):
            return None
        seen = self.validation_seen if body is self.body else body.see(self.validation.photos, verbose=self.verbose)
        scores = head.scores(head.standardisation(seen.first))
        return measured(self.validation, scores, self.validation_seen.errors, self.name)


def train(
    source: str | PathLike[str],
    *,
    model: str | PathLike[str] | Model = DEFAULT_MODEL,
    method: Method = "auto",
    validate: str | PathLike[str] | float = SHARE,
    multi_label: bool = False,
    size: int | None = None,
    views: int = 2,
    recipe: Recipe = finetuning.USUAL,
    device: str = "auto",
    seed: int = 0,
    verbose: Verbose = "auto",
) -> Trained:
    """A model for a person's own classes, from a folder with one folder of photos for each, or a CSV of path,label.

    `model` gives the body: a name of the catalog, a .safetensors file, or a Model. `method` is "imprint" (class means;
    one photo of each class will do), "probe" (a logistic regression on the body's vectors, which are computed once
    and kept), "finetune" (the body learns too; needs PyTorch), or "auto": the next method as long as the validation
    photos say that it pays. `validate` is another such folder or table, or the share of photos that is kept apart.
    `size` in pixels is that of the square picture that the body sees, where it is not its own: more for small things.
    `multi_label` lets a photo have several classes. `views` of each photo, 1 to 4, are learnt from: as it is, mirrored,
    nearer, nearer and mirrored. `recipe` and `device` are fine-tuning's. One `seed` gives one result.

    Raises ArgumentError for what cannot be learnt from, with what to change; photos that cannot be read are skipped,
    unless they are more than a fifth.
    """
    if method not in get_args(Method):
        raise ArgumentError(f"method is {method!r}; it can be {', '.join(get_args(Method))}")
    check_seed(seed)
    _check_installed(method)
    if method == "auto" and environ.get("WORLD_SIZE", "1") != "1":
        raise ArgumentError("several processes learn together by the method finetune alone; say so instead of auto")
    chosen = looks(1 if method == IMPRINT else views)
    lesson = _lesson(source, model, validate, size, multi_label, chosen, seed, verbose)
    rungs = list(_climb(lesson, method, recipe, device, seed))
    best = rungs[0]
    for rung in rungs[1:]:
        best = rung if method != "auto" or _pays(rung, best) else best
    return _trained(lesson, rungs, best, method)


def _lesson(
    source: str | PathLike[str],
    model: str | PathLike[str] | Model,
    validate: str | PathLike[str] | float,
    size: int | None,
    multi_label: bool,
    views: Sequence[View],
    seed: int,
    verbose: Verbose,
) -> Lesson:
    learnt, kept = _sets(source, validate, multi_label, seed)
    network = model if isinstance(model, Model) else load(model)
    body = Body.of(network, size)
    seen, kept_seen = body.see(learnt.photos, views, verbose), body.see(kept.photos, verbose=verbose)
    for found, what in ((seen, source), (kept_seen, validate)):
        _check_readable(found, what)
    learnt, kept = learnt.take(seen.readable), kept.take(kept_seen.readable)
    gone = [name for name, count in learnt.counts.items() if not count]
    if gone:
        raise ArgumentError(f"{fspath(source)}: no photo of the class {', '.join(gone)} can be read to learn from")
    return Lesson(name_of(model, network), body, learnt, seen, kept, kept_seen, verbose)


def _sets(
    source: str | PathLike[str], validate: str | PathLike[str] | float, multi_label: bool, seed: int
) -> tuple[PhotoSet, PhotoSet]:
    """Photos to learn from, and photos to validate with."""
    found = sets.read(source, multi_label=multi_label)
    if isinstance(validate, int | float):
        if not 0 <= validate < 1:
            raise ArgumentError(f"validate is {validate}; a share can be 0 up to less than 1, else give a folder")
        return found.split(validate, seed)
    kept = sets.read(validate, multi_label=multi_label, fewest=1)
    return found, sets.matched(kept, found.classes, fspath(validate))


def _check_readable(seen: Seen, what: object) -> None:
    bad, count = len(seen.errors), len(seen.readable)
    if bad > MOST_UNREADABLE * count:
        first = "\n  ".join(str(error) for error in seen.errors[: sets.SHOWN])
        raise ArgumentError(
            f"{what}: {bad} of {count} photos cannot be read, more than {MOST_UNREADABLE:.0%}; mend or remove them:"
            f"\n  {first}"
        )


def _climb(lesson: Lesson, method: Method, recipe: Recipe, device: str, seed: int) -> Iterator[Rung]:
    """One rung after the other, up to the method that was asked for; `auto` goes on while it pays."""
    imprinted = _imprinted(lesson)
    if method in (IMPRINT, "auto"):
        yield imprinted
        if method == IMPRINT or not (len(lesson.validation) and has("sklearn")):
            return
    probed = _probed(lesson, seed)
    yield probed
    if method == PROBE or (method == "auto" and not (_pays(probed, imprinted) and has("torch"))):
        return
    yield _finetuned(lesson, imprinted if _pays(imprinted, probed) else probed, recipe, device, seed)


def _imprinted(lesson: Lesson) -> Rung:
    head = imprint(lesson.seen.first, lesson.train.targets, multi_label=lesson.train.multi_label)
    return Rung(IMPRINT, lesson.body, head, (), lesson.measured(lesson.body, head))


def _probed(lesson: Lesson, seed: int) -> Rung:
    found = probe(
        lesson.seen.vectors,
        lesson.train.targets,
        multi_label=lesson.train.multi_label,
        seed=seed,
        verbose=lesson.verbose,
    )
    settings = {"strength": f"{found.strength:g}", "views": str(lesson.seen.vectors.shape[1]), "seed": str(seed)}
    if found.accuracy is not None:
        settings["cross-validated accuracy"] = f"{found.accuracy:.4f}"
    return Rung(PROBE, lesson.body, found.head, tuple(settings.items()), lesson.measured(lesson.body, found.head))


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
    return Rung(FINETUNE, found.body, found.head, tuple(settings.items()), evaluation, found.notes, found.checkpoint)


def _pays(rung: Rung, before: Rung) -> bool:
    """Whether the validation photos say that a dearer method is better."""
    if rung.evaluation is None or before.evaluation is None:
        return False
    return rung.evaluation.accuracy > before.evaluation.accuracy


def _check_installed(method: Method) -> None:
    """Refuse what cannot work before a photo is opened."""
    if method in (PROBE, FINETUNE) and not has("sklearn"):
        raise ArgumentError(probing.MISSING)
    if method == FINETUNE and not has("torch"):
        raise ArgumentError(finetuning.MISSING)


def has(library: str) -> bool:
    return find_spec(library) is not None


def _trained(lesson: Lesson, rungs: Sequence[Rung], best: Rung, method: Method) -> Trained:
    provenance = Provenance(
        body=lesson.name,
        body_checksum=lesson.body.checksum,
        method=best.method,
        settings=best.settings,
        photos=tuple(lesson.train.counts.items()),
        multi_label=lesson.train.multi_label,
        score=_score(best.evaluation),
        versions=versions(),
    )
    return Trained(
        model=joined(best.body, best.head, lesson.train.classes, provenance),
        method=best.method,
        learnt_from=len(lesson.train),
        photos=lesson.train.counts,
        evaluation=best.evaluation,
        tried={rung.method: rung.evaluation.accuracy if rung.evaluation else None for rung in rungs},
        duplicates=_duplicates(lesson),
        unreadable=lesson.unreadable,
        notes=(*best.notes, *_notes(lesson, rungs, method)),
        advice=advice.advice(lesson, best),
        checkpoint=best.checkpoint,
    )


def _score(evaluation: Evaluation | None) -> Score | None:
    if evaluation is None:
        return None
    return Score(evaluation.photos, evaluation.accuracy, evaluation.interval)


def _duplicates(lesson: Lesson) -> tuple[Pair, ...]:
    return near_duplicates(lesson.train, lesson.seen.first, lesson.validation, lesson.validation_seen.first)


def _notes(lesson: Lesson, rungs: Sequence[Rung], method: Method) -> Iterator[str]:
    counts = lesson.train.counts
    fewest, most = min(counts, key=counts.__getitem__), max(counts, key=counts.__getitem__)
    if counts[most] >= UNEVEN * counts[fewest]:
        yield f"{most} has {counts[most]} photos, {fewest} {counts[fewest]}; in training all classes weigh alike"
    if not len(lesson.validation):
        yield "no photo was kept apart, so nothing is known of how well it does"
    elif len(rungs) > 1 and method == "auto":
        yield "the method was chosen by the validation photos, so their accuracy flatters it a little"
    elif rungs[-1].method == FINETUNE:
        yield "the epoch was chosen by the validation photos, so their accuracy flatters it a little"
    if method == "auto" and not has("sklearn"):
        yield f"probing was not tried: it needs scikit-learn: {brings('train')}"
    elif method == "auto" and rungs[-1].method == PROBE and not has("torch") and _pays(rungs[-1], rungs[0]):
        yield f"fine-tuning was not tried: it needs PyTorch: {brings('torch')}"
