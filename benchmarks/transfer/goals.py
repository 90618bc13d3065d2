"""What was asked for, and whether it was reached: a miss is told as a miss."""

from collections.abc import Iterator
from dataclasses import dataclass
from statistics import mean, median

from side_by_side.report import NOTHING

from .beside_keras import as_accurate, quickest_peer, to_accuracy, ways_of_hati
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
        yield of_keras(name, results)


def of_goal(goal: Goal, results: Results) -> Verdict:
    bound = f"≥ {goal.accuracy:.2f}" + (f" in ≤ {goal.seconds:g} s" if goal.seconds else "")
    accuracies, seconds = (results.column(goal.group, what) for what in ("accuracy", "seconds"))
    if not accuracies:
        return Verdict(goal.sentence, bound, NOTHING, None)
    reached = mean(accuracies) >= goal.accuracy and (goal.seconds is None or max(seconds) <= goal.seconds)
    return Verdict(goal.sentence, bound, f"{mean(accuracies):.4f} in {max(seconds):.1f} s", reached)


def of_keras(name: str, results: Results) -> Verdict:
    """hati's quickest way to Keras' accuracy or more, beside the quicker Keras.

    Keras' recipe as it is, with its 20 epochs; and as if it had ended where it first was as accurate as hati.
    """
    sentence = f"hati's quickest way that is no less accurate than Keras' recipe, on {name}"
    group, bound = f"keras/{name}", f"≥ {TIMES}×, both"
    peer, ways = quickest_peer(results, group), ways_of_hati(results, group)
    if peer is None or not ways:
        return Verdict(sentence, bound, NOTHING, None)
    wanted = results.middle(peer, "accuracy")
    enough = [way for way in ways if as_accurate(results.middle(way, "accuracy"), wanted)]
    if not enough:
        return Verdict(sentence, bound, f"none of {len(ways)} ways has {wanted:.4f}", False)
    way = min(enough, key=lambda one: results.middle(one, "seconds"))
    accuracy, seconds = results.middle(way, "accuracy"), results.middle(way, "seconds")
    whole = results.middle(peer, "seconds") / seconds
    until = median(to_accuracy(results, peer, accuracy)) / seconds
    times = f"{whole:.1f}× to its end, {until:.1f}× to as accurate"
    measured = f"{way.rpartition(' ')[2]}: {times}; {accuracy:.4f} beside {wanted:.4f}"
    return Verdict(sentence, bound, measured, min(whole, until) >= TIMES)
