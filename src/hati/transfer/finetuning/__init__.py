"""Fine-tuning: a body learns a person's own classes together with the head that was found for it before.

The head comes first, exactly, from a convex problem (`probing`); only then the body follows, at a lower rate, so that
it is not distorted while the head is still wrong: Kumar et al. 2022, arXiv:2202.10054.
"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ...errors import ArgumentError
from ...network.taught import CLASSES, SQUASHING
from ...photos.sets import PhotoSet
from ...tools.extras import brings
from ...tools.files import file_name
from ...tools.progress import Verbose
from ...weights import from_arrays
from ..body import Body
from ..heads import Head, class_means
from .outcome import Epoch, Finetuned
from .recipe import Recipe, check_seed

if TYPE_CHECKING:
    import torch

    from .batches import Share
    from .loop import TrainingLoop

__all__ = ["Epoch", "Finetuned", "Recipe", "finetune"]

MISSING = f"fine-tuning needs PyTorch: {brings('torch')}; or take the method probe, which does without"
USUAL = Recipe()


def finetune(
    body: Body,
    head: Head,
    train: PhotoSet,
    validation: PhotoSet | None = None,
    recipe: Recipe = USUAL,
    *,
    seed: int = 0,
    checkpoints: Path | None = None,
    device: str = "auto",
    verbose: Verbose = "auto",
) -> Finetuned:
    """Teach a body and its head, both at once, starting from where they are.

    The epoch that names most of the validation photos rightly is found, and as much of it is taken as they like best,
    from nothing to all; without such photos, the last epoch. With a folder for `checkpoints` each epoch is kept there,
    and the same call goes on from it after a kill. On the processor one seed and one number of threads give one result,
    to the bit, with or without a kill between. `device` is "cpu", "cuda", or "auto". Processes that `torchrun` started
    take their share of each batch, and all return the result.

    Raises ArgumentError where PyTorch is missing or the photos do not fit the head, ImageError for a photo that cannot
    be read, TrainingStopped after Ctrl-C, TrainingError where the loss diverges or a checkpoint cannot be kept.
    """
    _check(body, head, train, validation, seed)
    place = _device(device)
    import torch

    from ...engines.torch.running import room
    from .processes import together

    advice = "take a smaller batch_size, with accumulate for as many photos in a step; or unfreeze less"
    seeds = torch.random.fork_rng([place] if place.type == "cuda" else [])
    with seeds, together(place) as share, room(f"batches of {recipe.batch_size} photos", place, advice):
        if len(train) < 2 * share.processes:
            raise ArgumentError(f"{len(train)} photos came for {share.processes} processes; each needs two or more")
        loop = _loop(body, head, (train, validation), recipe, seed, checkpoints, place, share, verbose)
        loop.run()
        return _finetuned(loop, body, head, train)


def _loop(
    body: Body,
    head: Head,
    sets: tuple[PhotoSet, PhotoSet | None],
    recipe: Recipe,
    seed: int,
    checkpoints: Path | None,
    device: torch.device,
    share: Share,
    verbose: Verbose,
) -> TrainingLoop:
    from .batches import PlainBatches, TrainingBatches, workers_beside
    from .checkpoints import Checkpoint, fingerprint, marks
    from .learner import Learner
    from .loop import TrainingLoop
    from .losses import Loss
    from .processes import broadcast
    from .unfreezing import with_logits

    train, validation = sets
    loss = Loss.of(train.targets, recipe.label_smoothing, balanced=recipe.balanced, multi_label=head.multi_label)
    graph = with_logits(body.graph, len(train.classes))
    with body.weights.borrowed() as arrays:
        learner = Learner(graph, {**arrays, **head.arrays()}, recipe, device, share, loss)
    checkpoint = None
    if checkpoints is not None:
        told = (body.checksum, body.preprocessing, body.size, asdict(recipe), seed, share.processes, device.type)
        key = broadcast(fingerprint(*told, *head.arrays().values(), *map(marks, sets)), share)
        checkpoint = Checkpoint(Path(checkpoints) / f"{file_name(body.graph.name, key)}.pt")
    workers = workers_beside(device.type)
    judged = PlainBatches(validation, body, recipe.batch_size, workers) if validation else None
    batches = TrainingBatches(train, body, recipe, seed, share, workers)
    return TrainingLoop(learner, batches, judged, recipe, checkpoint, verbose)


def _finetuned(loop: TrainingLoop, body: Body, head: Head, train: PhotoSet) -> Finetuned:
    arrays = loop.learner.answering.arrays()
    own = {name: arrays[name] for name in body.graph.weights()}
    kernel, bias = arrays[f"{CLASSES}/kernel"], arrays[f"{CLASSES}/bias"]
    means = class_means(_squashed(loop, body, train, arrays), train.targets)
    return Finetuned(
        Body(body.graph, from_arrays(own, body.graph), body.preprocessing, body.size),
        Head(head.standardisation, kernel, bias, means, head.multi_label),
        tuple(loop.epochs),
        loop.best,
        loop.taken,
        loop.stopped_early,
        tuple(loop.notes),
        loop.checkpoint.path if loop.checkpoint else None,
    )


def _squashed(loop: TrainingLoop, body: Body, train: PhotoSet, arrays: dict[str, np.ndarray]) -> np.ndarray:
    """(photos, numbers): what the head weighs, of the training photos as the finished model sees them."""
    import torch

    from ...engines.torch.translation import Network
    from .batches import PlainBatches

    learner = loop.learner
    below = learner.network.graph.cut(SQUASHING)
    network = Network(below, arrays).eval().to(learner.device)
    with torch.inference_mode():
        seen = [
            network(torch.from_numpy(batch.x).to(learner.device)).cpu().numpy()
            for batch in PlainBatches(train, body, loop.recipe.batch_size, loop.batches.workers).batches()
        ]
    return np.concatenate(seen)


def _device(name: str) -> torch.device:
    try:
        import torch  # noqa: F401 - whether it is there
    except (ImportError, OSError):
        raise ArgumentError(MISSING) from None
    from ...engines.torch.running import cuda_is_here, find_device
    from .processes import own_device

    return find_device(own_device(("cuda" if cuda_is_here() else "cpu") if name == "auto" else name))


def _check(body: Body, head: Head, train: PhotoSet, validation: PhotoSet | None, seed: int) -> None:
    numbers, classes = head.kernel.shape
    if numbers != body.width:
        raise ArgumentError(
            f"the head weighs {numbers} numbers, and the body gives {body.width}; give the body's own head"
        )
    for name, found in (("training", train), ("validation", validation)):
        if found is None:
            continue
        if len(found.classes) != classes or found.classes != train.classes:
            raise ArgumentError(
                f"the {name} photos have the classes {', '.join(found.classes[:5])}; the head knows {classes}, in the "
                "order of the training photos: bring them to one list with photos.sets.matched"
            )
        if found.multi_label != head.multi_label:
            raise ArgumentError(f"the {name} photos and the head must both be for several classes a photo, or neither")
    if len(train) < 2:
        raise ArgumentError(f"{len(train)} photos came to learn from; two or more were expected")
    check_seed(seed)
