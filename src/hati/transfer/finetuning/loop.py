"""A whole training: epoch after epoch, each judged and kept; it goes on where an earlier one was stopped."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import astuple
from math import isfinite

import numpy as np
import torch

from ...errors import TrainingError, TrainingStopped
from ...tools.log import log
from ...tools.progress import Verbose, track
from .batches import PlainBatches, TrainingBatches
from .checkpoints import Checkpoint, State
from .learner import Learner, rate_factor
from .outcome import Epoch
from .processes import broadcast
from .recipe import Recipe

Tensors = Mapping[str, torch.Tensor]

LARGEST = float("inf")
SHARES = (0.25, 0.5, 0.75)  # of what was learnt, in mixtures with what was there before


class TrainingLoop:
    """What is learnt from, how, and how far it has come."""

    def __init__(
        self,
        learner: Learner,
        batches: TrainingBatches,
        validation: PlainBatches | None,
        recipe: Recipe,
        checkpoint: Checkpoint | None,
        verbose: Verbose,
    ):
        self.learner, self.batches, self.validation, self.recipe = learner, batches, validation, recipe
        self.first = learner.share.first
        self.checkpoint, self.verbose = checkpoint, verbose if self.first else 0
        self.epochs: list[Epoch] = []  # the first one is what was there before
        self.best, self.taken = 0, 1.0  # the epoch that is the result, and how much of what it changed
        self._before = self._learnt = learner.learnt_weights()
        self._kept = 0  # the last epoch that the checkpoint has
        self.notes: list[str] = []

    def run(self) -> None:
        """Learn until the epochs are over or nothing is gained any more; then the best of what was learnt answers.

        Raises TrainingStopped after Ctrl-C, TrainingError where the loss is no number or a checkpoint cannot be kept.
        """
        self._go_on()
        with self._stoppable():
            if not self.epochs:
                self._judged(Epoch(0, None))
            while self.done < self.recipe.epochs and not self.stopped_early:
                self._judged(Epoch(self.done + 1, self._trained(self.done + 1)))
                self._keep()
            if self.validation is not None:
                self._mix(self.validation)
        self.learner.take_weights(self._learnt)

    @property
    def done(self) -> int:
        return len(self.epochs) - 1

    @property
    def stopped_early(self) -> bool:
        return self.validation is not None and self.done - self.best >= self.recipe.patience

    def _trained(self, epoch: int) -> float:
        """One epoch; the mean loss in it."""
        torch.manual_seed(_seed(self.batches.seed, epoch, self.learner.share.rank))
        steps, losses = self.batches.steps, []
        total = steps * self.recipe.epochs
        label = f"fine-tuning, epoch {epoch} of {self.recipe.epochs}"
        for step in track(self.batches.epoch(epoch), steps, label, self.verbose):
            factor = rate_factor((epoch - 1) * steps + step.number, total, self.recipe.warm_up)
            losses.append(self.learner.step(step.batches, step.photos, factor))
            if not isfinite(losses[-1]) or (step.number == steps - 1 and not self.learner.sound):
                raise self._diverged(epoch, step.number, factor)
        return float(np.mean(losses)) * self.learner.share.processes

    def _judged(self, epoch: Epoch) -> None:
        """Add an epoch, with what the validation photos say of it; the best one's weights are kept."""
        if self.validation is not None:
            loss, right = self.learner.judge(self.validation)
            epoch = Epoch(epoch.number, epoch.loss, loss, right)
        self.epochs.append(epoch)
        if self.validation is None or self.best == 0 or _merit(epoch) > _merit(self.epochs[self.best]):
            self.best, self._learnt = epoch.number, self.learner.learnt_weights()
        if self.first:
            log.info("%s", epoch)

    def _mix(self, validation: PlainBatches) -> None:
        """Between the weights of before and those of the best epoch lie better ones; Wortsman et al. 2022, 2109.01903.

        Taken are those that tell most of the validation photos rightly, and of equal ones those with the smallest loss.
        """
        outcomes = {0.0: _merit(self.epochs[0]), 1.0: _merit(self.epochs[self.best])}
        for share in SHARES:
            self.learner.take_weights(_mixture(self._before, self._learnt, share))
            loss, right = self.learner.judge(validation)
            outcomes[share] = (right, -loss)
        self.taken = max(outcomes, key=outcomes.__getitem__)
        self._learnt = _mixture(self._before, self._learnt, self.taken)
        if self.taken == 0:
            self.notes.append("fine-tuning did no better on the validation photos than before: nothing is changed")
        elif self.taken < 1:
            self.notes.append(f"{self.taken:.0%} of what fine-tuning changed was taken: so the validation photos say")

    def _keep(self) -> None:
        if self.checkpoint is not None and self.first:
            epochs = [list(astuple(epoch)) for epoch in self.epochs]
            state: State = {"epochs": epochs, "best": self.best, "learnt": self._learnt}
            self.checkpoint.write(state | self.learner.state())
            self._kept = self.done

    def _go_on(self) -> None:
        """From what an earlier training kept."""
        found = self.checkpoint.read() if self.checkpoint is not None and self.first else None
        state = broadcast(found, self.learner.share)
        if state is None:
            return
        self.learner.restore(state)
        self.epochs = [Epoch(*values) for values in state["epochs"]]
        self.best, self._learnt, self._kept = state["best"], state["learnt"], self.done
        self.notes.append(f"it went on after epoch {self.done}, which an earlier run had reached")
        if self.checkpoint is not None and self.first:
            log.info("%s: %s", self.checkpoint.path, self.notes[-1])

    @contextmanager
    def _stoppable(self) -> Iterator[None]:
        try:
            yield
        except KeyboardInterrupt:
            raise TrainingStopped(f"stopped in epoch {self.done + 1} of {self.recipe.epochs}; {self._safe()}") from None

    def _diverged(self, epoch: int, step: int, factor: float) -> TrainingError:
        rates = f"{factor * self.recipe.rate:g} in the body and {factor * self.recipe.head_rate:g} in the head"
        return TrainingError(
            f"epoch {epoch}, step {step + 1}: the loss or a weight is no number any more, at rates of {rates}; begin "
            f"anew with lower ones, such as rate={self.recipe.rate / 10:g} and head_rate={self.recipe.head_rate / 10:g}"
        )

    def _safe(self) -> str:
        """What an earlier epoch has left."""
        if self.checkpoint is None:
            return "nothing of it is kept; give a folder for checkpoints, and the next one can go on where it stops"
        if self._kept < 1:
            return "no epoch was finished, so nothing is kept"
        epochs = "epoch 1 is" if self._kept == 1 else f"epochs 1 to {self._kept} are"
        return f"{epochs} safe in {self.checkpoint.path}; the same call goes on from there"


def _loss(epoch: Epoch) -> float:
    return LARGEST if epoch.validation_loss is None else epoch.validation_loss


def _merit(epoch: Epoch) -> tuple[float, float]:
    """What epochs are compared by: the part of the validation photos told rightly, then the loss on them."""
    return epoch.accuracy or 0.0, -_loss(epoch)


def _mixture(before: Tensors, after: Tensors, share: float) -> dict[str, torch.Tensor]:
    """Weights on the way from some to others; whole numbers are those of where it ends."""
    return {name: torch.lerp(before[name], x, share) if x.is_floating_point() else x for name, x in after.items()}


def _seed(*numbers: int) -> int:
    return int(np.random.SeedSequence(numbers).generate_state(1, np.uint64)[0])
