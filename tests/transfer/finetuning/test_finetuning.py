"""Fine-tuning: what learns and what stays, what comes back, and what each setting of the recipe does."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
import tiny_body
from case_graphs import kinds
from sklearn.metrics import log_loss
from tiny_body import School, arrays_of, every_layer, few_layers, same, school

from hati.engines.onnx import translation
from hati.engines.torch.running import cuda_is_here
from hati.errors import ArgumentError, ImageNotFound
from hati.network.taught import with_head
from hati.tools.extras import brings
from hati.transfer.finetuning import Finetuned, Recipe, batches, finetune
from hati.transfer.heads import class_means

Array = np.ndarray

pytestmark = pytest.mark.usefixtures("one_thread")

QUICK = Recipe(average=0.0, epochs=2, batch_size=6, rate=1e-3, head_rate=1e-2)


@pytest.fixture(scope="module")
def few(tmp_path_factory: pytest.TempPathFactory) -> School:
    return school(tmp_path_factory.mktemp("few"))


@pytest.fixture(scope="module")
def every(tmp_path_factory: pytest.TempPathFactory) -> School:
    return school(tmp_path_factory.mktemp("every"), every_layer())


def taught(given: School, recipe: Recipe = QUICK, *, validate: bool = False, seed: int = 0) -> Finetuned:
    validation = given.validation if validate else None
    return finetune(given.body, given.head, given.train, validation, recipe, seed=seed, device="cpu", verbose=0)


def outcome(given: School, recipe: Recipe = QUICK, *, seed: int = 0) -> dict[str, Array]:
    found = taught(given, recipe, seed=seed)
    return arrays_of(found.body, found.head)


def scores_with_onnx(found: Finetuned, given: School) -> Array:
    """Of the photos to validate on."""
    graph = with_head(found.body.graph, len(given.train.classes), multi_label=given.train.multi_label)
    arrays = {**found.body.weights.arrays(), **found.head.arrays()}
    session = onnxruntime.InferenceSession(translation.export(graph, arrays).SerializeToString())
    x = np.concatenate([batch.x for batch in batches.PlainBatches(given.validation, given.body, 4).batches()])
    return np.asarray(session.run(None, {"image": x})[0])


def test_every_kind_of_layer_is_taught_here() -> None:
    assert kinds() <= {type(node.layer) for node in [*every_layer().nodes, *with_head(few_layers(), 3).nodes]}


@pytest.mark.parametrize("batch_norm", ["frozen", "trained"])
def test_after_twenty_steps_the_model_answers_with_onnx_as_it_did_while_it_learnt(
    every: School, batch_norm: Any
) -> None:
    recipe = replace(QUICK, epochs=10, batch_norm=batch_norm, head_rate=1e-3, rate=1e-4, patience=20)
    found = taught(every, recipe, validate=True)
    assert len(found.epochs) == 11
    assert found.best > 0
    scores = scores_with_onnx(found, every)
    loss = log_loss(every.validation.numbers, scores)
    assert loss == pytest.approx(found.epochs[found.best].validation_loss, abs=1e-4)
    accuracy = (scores.argmax(1) == every.validation.numbers).mean()
    assert accuracy == pytest.approx(found.epochs[found.best].accuracy)


def test_where_a_photo_has_several_classes_each_is_learnt_by_itself(tmp_path: Path) -> None:
    given = school(tmp_path, multi_label=True)
    found = taught(given, replace(QUICK, epochs=8, balanced=False), validate=True)
    scores, targets = scores_with_onnx(found, given), given.validation.targets
    losses = [log_loss(own, column, labels=[0, 1]) for own, column in zip(targets.T, scores.T, strict=True)]
    assert found.best > 0
    assert np.mean(losses) == pytest.approx(found.epochs[found.best].validation_loss, abs=1e-4)
    assert ((scores > 0.5) == targets).mean() == pytest.approx(found.epochs[found.best].accuracy)


def test_the_means_are_those_of_what_the_new_body_sees(few: School) -> None:
    found = taught(few)
    z = found.head.standardisation(found.body.see(few.train.photos, verbose=0).first)
    np.testing.assert_allclose(found.head.means, class_means(z, few.train.targets), atol=1e-4)


STANDARDISATION = {f"head_standardisation/{key}" for key in ("mean", "variance", "count")}
HEAD = {"classes/kernel", "classes/bias"}
FIRST, SECOND = (
    {f"conv_{n}/kernel", *(f"bn_{n}/{key}" for key in ("gamma", "beta", "moving_mean", "moving_variance"))}
    for n in (0, 1)
)
STATISTICS = {name for name in FIRST | SECOND if "moving" in name}


@pytest.mark.parametrize(
    ("options", "unchanged"),
    [
        ({}, STATISTICS),
        ({"batch_norm": "trained"}, set()),
        ({"unfreeze": 0}, FIRST | SECOND | {"means"}),
        ({"unfreeze": 0, "batch_norm": "trained"}, FIRST | SECOND | {"means"}),
        ({"unfreeze": 0.5}, FIRST | STATISTICS),
        ({"unfreeze": 0.5, "batch_norm": "trained"}, FIRST),
        ({"rate": 0}, FIRST | SECOND | {"means"}),
        ({"head_rate": 0}, STATISTICS | HEAD),
    ],
    ids=lambda value: str(value) if isinstance(value, dict) else "",
)
def test_what_is_frozen_stays_to_the_bit_and_the_rest_learns(
    few: School, options: dict[str, Any], unchanged: set[str]
) -> None:
    before = taught(few, replace(QUICK, rate=0, head_rate=1e-30, epochs=1))  # its means are those that PyTorch finds
    found = same(
        arrays_of(before.body, few.head) | {"means": before.head.means}, outcome(few, replace(QUICK, **options))
    )
    assert found == STANDARDISATION | unchanged


def test_nothing_is_computed_backwards_through_frozen_layers(few: School) -> None:
    import torch

    from hati.engines.torch.translation import Network
    from hati.transfer.finetuning.unfreezing import frozen

    below = few.body.graph.cut("relu_0")
    network = Network(below, few.body.weights.arrays()).train()
    network.freeze(frozen(few.body.graph, 0.5))
    assert not network(torch.ones(1, 32, 32, 3)).requires_grad


def test_one_seed_gives_one_result_and_another_seed_another(few: School, monkeypatch: pytest.MonkeyPatch) -> None:
    first = outcome(few)
    assert same(first, outcome(few)) == first.keys()
    assert not same(first, outcome(few, seed=1)) & {"conv_0/kernel", "classes/kernel"}
    monkeypatch.setattr(batches, "KEPT", 0)  # no photo stays in memory: each is decoded in each epoch
    assert same(first, outcome(few)) == first.keys()


def test_the_caller_keeps_the_chance_of_pytorch(few: School) -> None:
    import torch

    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    taught(few)
    assert torch.equal(torch.rand(3), expected)


@pytest.mark.parametrize("mixup", [0.0, 0.5])
def test_small_batches_that_are_accumulated_are_one_large_one(few: School, mixup: float) -> None:
    recipe = replace(QUICK, dropout=False, mixup=mixup)
    whole = outcome(few, replace(recipe, batch_size=12))
    parts = outcome(few, replace(recipe, batch_size=4, accumulate=3))
    apart = outcome(few, replace(recipe, batch_size=4))
    assert furthest(whole, parts) < 1e-5
    assert furthest(whole, apart) > 1e-3


def furthest(one: dict[str, Array], other: dict[str, Array]) -> float:
    return float(max(np.abs(one[name] - other[name]).max() for name in one))


@pytest.mark.parametrize(
    "options", [{"dropout": False}, {"mixup": 0.5}, {"crop": 1.0}, {"flip": False}, {"colour": 0.0}], ids=str
)
def test_what_the_network_sees_changes_what_it_learns(few: School, options: dict[str, Any]) -> None:
    assert furthest(outcome(few), outcome(few, replace(QUICK, **options))) > 1e-4


def moved(few: School, **options: Any) -> dict[str, Array]:
    """How far each weight goes."""
    before, after = arrays_of(few.body, few.head), outcome(few, replace(QUICK, dropout=False, **options))
    return {name: after[name] - before[name] for name in before}


def test_adam_takes_steps_of_one_size_and_descent_those_of_the_gradient(few: School) -> None:
    once = {"epochs": 1, "batch_size": 12, "warm_up": 0, "weight_decay": 0}
    steps = np.abs(moved(few, **once)["conv_0/kernel"])
    assert np.quantile(steps, [0.1, 0.9]) == pytest.approx(QUICK.rate, rel=0.01)
    steps = np.abs(moved(few, **once, optimiser="sgd")["conv_0/kernel"])
    assert np.quantile(steps, 0.9) > 3 * np.quantile(steps, 0.1)


def test_weights_decay_where_they_are_kernels(few: School) -> None:
    decayed, free = (outcome(few, replace(QUICK, weight_decay=decay, warm_up=0)) for decay in (10.0, 0.0))
    for name in ("conv_0/kernel", "conv_1/kernel", "classes/kernel"):
        assert np.linalg.norm(decayed[name]) < 0.995 * np.linalg.norm(free[name])
    assert np.linalg.norm(decayed["bn_0/gamma"]) > 0.999 * np.linalg.norm(free["bn_0/gamma"])


def test_the_mean_of_the_weights_follows_them_slowly(few: School) -> None:
    last, mean = (moved(few, average=average, warm_up=0) for average in (0.0, 0.9))
    ways = [np.linalg.norm(mean[name]) / np.linalg.norm(last[name]) for name in ("conv_0/kernel", "classes/kernel")]
    assert max(ways) < 0.5


def test_a_smoothed_target_makes_less_sure(few: School) -> None:
    sure, unsure = (taught(few, replace(QUICK, epochs=10, label_smoothing=share)) for share in (0.0, 0.8))
    highest = [scores_with_onnx(found, few).max(1).mean() for found in (sure, unsure)]
    assert highest[1] < highest[0] - 0.05


def test_rare_classes_count_as_much_as_common_ones(few: School) -> None:
    rare = np.array([0, 1, 2, 3, 4, 5, 6, 7, 8])  # one red photo, and four of the others
    given = replace(few, train=few.train.take(rare))
    recipe = replace(QUICK, epochs=10, unfreeze=0, head_rate=0.1)
    asked = [
        scores_with_onnx(taught(given, replace(recipe, balanced=one)), given)[:, 2].mean() for one in (True, False)
    ]
    assert asked[0] > asked[1] + 0.01


def test_it_ends_when_nothing_is_gained_and_gives_the_best_epoch(few: School) -> None:
    recipe = replace(QUICK, epochs=50, head_rate=1.0, rate=0, unfreeze=0, patience=3)
    found = taught(few, recipe, validate=True)
    merits = [(epoch.accuracy or 0.0, -(epoch.validation_loss or 0.0)) for epoch in found.epochs]
    assert found.stopped_early
    assert merits[found.best] == max(merits[1:])
    assert len(merits) == found.best + 3 + 1


def test_as_much_is_taken_as_the_validation_photos_like_best(few: School) -> None:
    found = taught(few, replace(QUICK, epochs=10), validate=True)
    scores = scores_with_onnx(found, few)
    right = (scores.argmax(1) == few.validation.numbers).mean()
    loss = log_loss(few.validation.numbers, scores)
    assert found.taken in (0.0, 0.25, 0.5, 0.75, 1.0)
    for epoch in (found.epochs[0], found.epochs[found.best]):
        assert epoch.accuracy is not None
        assert epoch.validation_loss is not None
        assert (right, -loss) >= (epoch.accuracy, -epoch.validation_loss - 1e-4)


def test_where_nothing_is_gained_the_start_is_the_result(few: School) -> None:
    wrong = replace(few, train=replace(few.train, targets=np.roll(few.train.targets, 1, 1)))
    found = taught(wrong, replace(QUICK, epochs=3), validate=True)
    assert found.taken == 0
    assert found.notes == ("fine-tuning did no better on the validation photos than before: nothing is changed",)
    assert same(found.head.arrays(), few.head.arrays()) == few.head.arrays().keys()


def test_without_photos_to_validate_on_the_last_epoch_is_the_result(few: School) -> None:
    found = taught(few, replace(QUICK, epochs=3))
    assert (found.best, found.stopped_early) == (3, False)
    assert [epoch.number for epoch in found.epochs] == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"train": lambda few: few.train.take([0])}, "1 photos came to learn from; two or more"),
        ({"train": lambda few: replace(few.train, classes=("a", "b"))}, "training photos have the classes a, b; the h"),
        ({"head": lambda few: replace(few.head, kernel=np.zeros((7, 3)))}, "weighs 7 numbers, and the body gives 12"),
        ({"validation": lambda few: replace(few.validation, classes=("a", "b", "c"))}, "validation photos have the"),
        ({"validation": lambda few: replace(few.validation, multi_label=True)}, "both be for several classes"),
        ({"seed": lambda few: -1}, "seed is -1; it can be a whole number"),
        ({"device": lambda few: "abacus"}, "device='abacus' is not known"),
        ({"recipe": lambda few: Recipe(precision="mixed")}, 'precision="mixed" is for a GPU'),
    ],
    ids=["one photo", "other classes", "other body", "other order", "several", "seed", "device", "precision"],
)
def test_what_means_nothing_is_refused(few: School, change: dict[str, Any], fault: str) -> None:
    arguments: dict[str, Any] = {
        "head": few.head,
        "train": few.train,
        "validation": None,
        "device": "cpu",
        "verbose": 0,
    }
    arguments |= {name: make(few) for name, make in change.items()}
    with pytest.raises(ArgumentError, match=fault):
        finetune(few.body, **arguments)


def test_a_photo_that_is_gone_is_named(few: School) -> None:
    gone = replace(few.train, photos=("/nowhere/cat.png", *few.train.photos[1:]))
    with pytest.raises(ImageNotFound, match=r"/nowhere/cat\.png: there is no such file"):
        taught(replace(few, train=gone))


WITHOUT_PYTORCH = """
import sys
sys.modules["torch"] = None
from pathlib import Path
from hati.errors import ArgumentError
from hati.transfer.finetuning import finetune
from tiny_body import school
given = school(Path(sys.argv[1]))
try:
    finetune(given.body, given.head, given.train)
except ArgumentError as error:
    print(error)
"""


def test_without_pytorch_a_sentence_says_how_to_get_it(tmp_path: Path) -> None:
    run = [sys.executable, "-c", WITHOUT_PYTORCH, str(tmp_path)]
    done = subprocess.run(run, capture_output=True, text=True, cwd=Path(tiny_body.__file__).parent, timeout=600)
    said = f"fine-tuning needs PyTorch: {brings('torch')}; or take the method probe, which does without\n"
    assert done.stdout == said, done.stderr


@pytest.mark.skipif(not cuda_is_here(), reason="PyTorch finds no GPU here")
@pytest.mark.parametrize("precision", ["float32", "mixed"])
def test_on_a_gpu_it_learns_as_well(few: School, precision: Any) -> None:
    recipe = replace(QUICK, epochs=8, precision=precision)
    found = finetune(few.body, few.head, few.train, few.validation, recipe, device="cuda", verbose=0)
    assert found.best > 0
    loss = log_loss(few.validation.numbers, scores_with_onnx(found, few))
    assert loss == pytest.approx(found.epochs[found.best].validation_loss, abs=0.01)
