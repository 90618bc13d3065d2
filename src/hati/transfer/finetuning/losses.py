"""What is wrong with the answers: cross-entropy, where one class is right; a binary one for each, where several are."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from ...tools.arrays import Array


@dataclass(frozen=True)
class Loss:
    """(batch, classes) logits and targets -> (batch,) losses."""

    present: Tensor  # (classes,): how much a class counts in photos of it,
    absent: Tensor  # and in others, where a photo can have several
    smoothing: float
    multi_label: bool

    @classmethod
    def of(cls, targets: Array, smoothing: float, *, balanced: bool, multi_label: bool) -> Loss:
        """targets: (photos, classes) bool. Classes weigh by inverse frequency where they are to be `balanced`."""
        photos, classes = targets.shape
        counts = targets.sum(0).clip(1)
        if not balanced:
            present = absent = np.ones(classes)
        elif multi_label:
            present, absent = photos / (2 * counts), photos / (2 * (~targets).sum(0).clip(1))
        else:
            present, absent = photos / (classes * counts), np.ones(classes)
        in_photos, in_others = (torch.tensor(table, dtype=torch.float32) for table in (present, absent))
        return cls(in_photos, in_others, smoothing, multi_label)

    def to(self, device: torch.device) -> Loss:
        return replace(self, present=self.present.to(device), absent=self.absent.to(device))

    def exact(self) -> Loss:
        """Without smoothing: what validation asks."""
        return replace(self, smoothing=0.0)

    def __call__(self, logits: Tensor, targets: Tensor) -> Tensor:
        if not self.multi_label:
            return functional.cross_entropy(
                logits, targets, self.present, label_smoothing=self.smoothing, reduction="none"
            )
        weights = targets * self.present + (1 - targets) * self.absent
        smooth = targets * (1 - self.smoothing) + self.smoothing / 2
        return functional.binary_cross_entropy_with_logits(logits, smooth, weights, reduction="none").mean(1)

    def right(self, logits: Tensor, targets: Tensor) -> Tensor:
        """(batch,): 1 where the likeliest class is right; of several classes, the part that is told rightly."""
        if self.multi_label:
            return ((logits > 0) == (targets > 0.5)).float().mean(1)
        return (logits.argmax(1) == targets.argmax(1)).float()
