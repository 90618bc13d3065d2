"""What was asked for, and whether it was reached: a miss is told as a miss."""

from collections.abc import Iterator
from dataclasses import dataclass
from statistics import mean, median

from .beside_keras import METHODS, PEERS, first_reached
from .measuring import Results
from .plan import SETS

TIMES = 10  # as long as hati, that Keras' recipe shall take


@dataclass(frozen=True)
class Goal:
    """An accuracy, the mean of all runs, and seconds that none of them may exceed."""

    sentence: str
    group: str
    accuracy: float
    seconds: float | None = None


GOALS = (
    Goal("`hati train`, as it comes, on hymenoptera", "commands/hymenoptera/auto", 0.95, 30),
    Goal("fine-tuning on hymenoptera, mean of the seeds, each run", "commands/hymenoptera/finetune", 0.96, 300),
    Goal("probing on flowers", "commands/flowers/probe", 0.86),
    Goal("fine-tuning on flowers, mean of the seeds, each run", "commands/flowers/finetune", 0.89, 300),
)


@dataclass(frozen=True)
class Verdict:
    sentence: str
    bound: str
    measured: str
    reached: bool | None  # None: not measured

    @property
    def word(self) -> str:
        return "not measured" if self.reached is None else "yes" if self.reached else "no"


def verdicts(results: Results) -> Iterator[Verdict]:
    for goal in GOALS:
        yield of_goal(goal, results)
    for name in SETS:
        for method in METHODS:
            yield of_keras(name, method, results)


def of_goal(goal: Goal, results: Results) -> Verdict:
    bound = f"≥ {goal.accuracy:.2f}" + (f" in ≤ {goal.seconds:g} s" if goal.seconds else "")
    accuracies, seconds = (results.column(goal.group, what) for what in ("accuracy", "seconds"))
    if not accuracies:
        return Verdict(goal.sentence, bound, "–", None)
    reached = mean(accuracies) >= goal.accuracy and (goal.seconds is None or max(seconds) <= goal.seconds)
    return Verdict(goal.sentence, bound, f"{mean(accuracies):.4f} in {max(seconds):.1f} s", reached)


def of_keras(name: str, method: str, results: Results) -> Verdict:
    """By the quicker Keras: to hati's accuracy, or its whole recipe where it never gets there."""
    sentence = f"hati, {method}, beside Keras' recipe on {name}: MobileNet, a quarter as wide"
    group, bound = f"keras/{name}", f"≥ {TIMES}×, no less accurate"
    own, accuracy = (results.column(f"{group}/hati, {method}", what) for what in ("seconds", "accuracy"))
    peers = [peer for peer in PEERS if results.under(f"{group}/{peer}")]
    if not own or not peers:
        return Verdict(sentence, bound, "–", None)
    times = min(median(to_accuracy(results, f"{group}/{peer}", median(accuracy))) for peer in peers) / median(own)
    best = max(median(results.column(f"{group}/{peer}", "accuracy")) for peer in peers)
    measured = f"{times:.1f}×, {median(accuracy):.4f} beside {best:.4f}"
    return Verdict(sentence, bound, measured, times >= TIMES and median(accuracy) >= best)


def to_accuracy(results: Results, group: str, accuracy: float) -> list[float]:
    """Seconds of each run until it reached an accuracy, or to its end."""
    return [first_reached(run["epochs"], accuracy) or run["seconds"] for run in results.under(group)]
