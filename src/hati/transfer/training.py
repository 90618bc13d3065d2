"""A model for a person's own classes, by the method that pays."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from .. import DEFAULT_MODEL
from ..evaluating import Evaluation
from ..loading import ModelLike, model_of
from ..network.taught import FINETUNE, IMPRINT, PROBE, Score
from ..tools.extras import brings
from ..tools.progress import Verbose
from . import finetuning, ladder, lesson
from .advice import advice
from .body import Body
from .duplicates import Duplicate, near_duplicates
from .finetuning import Recipe
from .finetuning.recipe import check_seed
from .heads import joined
from .ladder import Method, Rung
from .lesson import Lesson, Source
from .origin import name_of, provenance
from .outcome import Trained
from .views import views as looks

__all__ = ["Method", "Trained", "train"]

SHARE = 0.2  # of the photos, that are kept apart for validation
UNEVEN = 3  # times the photos of the smallest class, from which on it is said


def train(
    source: Source,
    *,
    model: ModelLike = DEFAULT_MODEL,
    method: Method = "auto",
    validate: Source | float = SHARE,
    multi_label: bool = False,
    size: int | None = None,
    views: int = 2,
    recipe: Recipe = finetuning.USUAL,
    device: str = "auto",
    seed: int = 0,
    verbose: Verbose = "auto",
) -> Trained:
    """A model for a person's own classes, from a folder with one folder of photos for each, or a CSV of path,label.

    `model` gives the body: a name of the catalog, a .safetensors file, a Model, or what was trained before. `method` is
    "imprint" (class means; one photo of each class will do), "probe" (a logistic regression on the body's vectors,
    which are computed once and kept), "finetune" (the body learns too; needs PyTorch), or "auto": the next method as
    long as the validation photos say that it pays. `validate` is another such folder or table, or the share of photos
    that is kept apart. `size` in pixels is that of the square picture that the body sees, where it is not its own: more
    for small things. `multi_label` lets a photo have several classes. `views` of each photo, 1 to 4, are learnt from:
    as it is, mirrored, nearer, nearer and mirrored. `recipe` and `device` are fine-tuning's. One `seed` gives one
    result.

    Raises ArgumentError for what cannot be learnt from, with what to change; photos that cannot be read are skipped,
    unless they are more than a fifth.
    """
    ladder.check(method)
    check_seed(seed)
    chosen = looks(1 if method == IMPRINT else views)
    found = lesson.split(source, validate, multi_label=multi_label, seed=seed)
    network = model_of(model)
    places = source, source if isinstance(validate, int | float) else validate
    read = lesson.looked_at(name_of(model, network), Body.of(network, size), found, places, chosen, verbose)
    rungs = list(ladder.climb(read, method, recipe, device, seed))
    return _trained(read, rungs, ladder.best(rungs, method), method)


def _trained(lesson: Lesson, rungs: Sequence[Rung], best: Rung, method: Method) -> Trained:
    told = provenance(
        lesson.name,
        lesson.body,
        best.method,
        settings=best.settings,
        photos=lesson.train.counts,
        multi_label=lesson.train.multi_label,
        score=_score(best.evaluation),
    )
    return Trained(
        model=joined(best.body, best.head, lesson.train.classes, told),
        method=best.method,
        learnt_from=len(lesson.train),
        photos=lesson.train.counts,
        evaluation=best.evaluation,
        tried={rung.method: rung.evaluation.accuracy if rung.evaluation else None for rung in rungs},
        duplicates=_duplicates(lesson),
        unreadable=lesson.unreadable,
        notes=(*best.notes, *_notes(lesson, rungs, method)),
        advice=advice(lesson, best),
        checkpoint=best.checkpoint,
    )


def _score(evaluation: Evaluation | None) -> Score | None:
    if evaluation is None:
        return None
    return Score(evaluation.photos, evaluation.accuracy, evaluation.interval)


def _duplicates(lesson: Lesson) -> tuple[Duplicate, ...]:
    return near_duplicates(lesson.train, lesson.seen.first, lesson.validation, lesson.validation_seen.first)


def _notes(lesson: Lesson, rungs: Sequence[Rung], method: Method) -> Iterator[str]:
    """What a person should know."""
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
    if method == "auto" and not ladder.has("sklearn"):
        yield f"probing was not tried: it needs scikit-learn: {brings('train')}"
    elif method == "auto" and rungs[-1].method == PROBE and not ladder.has("torch") and rungs[-1].pays(rungs[0]):
        yield f"fine-tuning was not tried: it needs PyTorch: {brings('torch')}"
