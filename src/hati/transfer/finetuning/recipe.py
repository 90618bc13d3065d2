"""How a network is fine-tuned, in one record: every value can be changed, and every value is checked."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, Literal, get_args, get_type_hints

from ...errors import ArgumentError

Optimiser = Literal["adamw", "sgd"]
Statistics = Literal["frozen", "trained"]
Precision = Literal["float32", "mixed"]

BOUNDS: dict[str, tuple[float, float]] = {
    "epochs": (1, 10_000),
    "batch_size": (1, 4096),
    "accumulate": (1, 4096),
    "rate": (0, 10),
    "head_rate": (0, 10),
    "weight_decay": (0, 10),
    "warm_up": (0, 0.9),
    "unfreeze": (0, 1),
    "label_smoothing": (0, 0.9),
    "mixup": (0, 10),
    "crop": (0.01, 1),
    "colour": (0, 1),
    "average": (0, 0.99999),
    "patience": (1, 10_000),
}


@dataclass(frozen=True)
class Recipe:
    """The settings of fine-tuning. Raises ArgumentError for a value that means nothing."""

    epochs: int = 6  # at most; how often each photo is learnt from
    batch_size: int = 16  # photos that go through the network at once, in each process
    accumulate: int = 1  # such batches for one step: where memory is scarce, a few small ones do as well as a large one
    rate: float = 3e-4  # of learning in the body, at its highest
    head_rate: float = 5e-4  # of learning in the head, at its highest
    optimiser: Optimiser = "adamw"  # Loshchilov and Hutter 2019; or descent with Nesterov's momentum of 0.9
    weight_decay: float = 0.05  # of kernels; neither biases nor the scales of norms
    warm_up: float = 0.1  # share of all steps in which the rates rise; then they fall along a cosine
    unfreeze: float = 1.0  # share of the body's layers, from its end, that learn; 0: the head alone
    batch_norm: Statistics = "frozen"  # a small batch tells too little of the mean and variance that the body knows
    dropout: bool = True  # whether layers drop values while they learn
    label_smoothing: float = 0.1  # share of each target that goes to all classes alike; Szegedy et al. 2016
    mixup: float = 0.0  # how much two photos are laid over each other, alpha of Zhang et al. 2018; 0: never
    crop: float = 0.35  # smallest share of a photo's area that is looked at; 1: just what the model itself looks at
    flip: bool = True  # whether half of the pictures are mirrored
    colour: float = 0.2  # how far brightness, contrast and saturation may go from 1; 0: they stay
    balanced: bool = True  # whether classes weigh alike in the loss, whatever their number of photos
    average: float = 0.95  # share that a running mean of the weights keeps at each step; 0: the last weights themselves
    patience: int = 4  # epochs that do no better on the validation photos, after which training ends
    precision: Precision = "float32"  # or, on a GPU, "mixed": float16 or bfloat16 where that is exact enough

    def __post_init__(self) -> None:
        hints = get_type_hints(type(self))
        for field in fields(self):
            _check(field.name, getattr(self, field.name), hints[field.name])
        if self.batch_norm == "trained" and self.batch_size < 2:
            raise ArgumentError('batch_norm="trained" needs a batch_size of 2 or more: one photo has no variance')
        if self.unfreeze == 0 and self.head_rate == 0:
            raise ArgumentError("unfreeze is 0 and head_rate is 0; then nothing learns")

    def __repr__(self) -> str:
        """What differs from the usual one."""
        given = [(field.name, getattr(self, field.name), field.default) for field in fields(self)]
        return f"Recipe({', '.join(f'{name}={value!r}' for name, value, usual in given if value != usual)})"


def check_seed(seed: object) -> None:
    """Raises ArgumentError for what chance cannot begin with."""
    if isinstance(seed, bool) or not isinstance(seed, int) or seed < 0:
        raise ArgumentError(f"seed is {seed!r}; it can be a whole number, 0 or more")


def _check(name: str, value: Any, hint: Any) -> None:
    if options := get_args(hint):
        if value not in options:
            raise ArgumentError(f"{name} is {value!r}; it can be {' or '.join(map(repr, options))}")
    elif hint is bool:
        if not isinstance(value, bool):
            raise ArgumentError(f"{name} is {value!r}; it can be True or False")
    else:
        low, high = BOUNDS[name]
        whole = hint is int
        if isinstance(value, bool) or not isinstance(value, int if whole else int | float) or not low <= value <= high:
            kind = "a whole number" if whole else "a number"
            raise ArgumentError(f"{name} is {value!r}; it can be {kind} from {low:g} to {high:g}")
