"""Heads: what the arithmetic says is what the model computes; class means, regressions and one class more."""

from pathlib import Path

import numpy as np
import pytest
from clouds import vectors
from sorted_photos import sort_photos

import hati
from hati.errors import ArgumentError
from hati.network.taught import Provenance
from hati.photos import sets
from hati.transfer import probing
from hati.transfer.body import Body
from hati.transfer.heads import Standardisation, class_means, joined, parted, unit
from hati.transfer.imprinting import imprint, sharpness
from hati.transfer.probing import STRENGTHS, probe

Array = np.ndarray


def provenance(classes: list[str], method: str = "probe", multi_label: bool = False) -> Provenance:
    return Provenance("body", "0" * 64, method, (), tuple((name, 1) for name in classes), multi_label, None, ())


@pytest.mark.parametrize("multi_label", [False, True], ids=["one class", "several classes"])
@pytest.mark.parametrize("method", ["imprint", "probe"])
def test_the_model_says_what_the_head_computes(tmp_path: Path, method: str, multi_label: bool) -> None:
    folder = sort_photos(tmp_path / "own", {"dots": 4, "waves": 4, "stripes": 4})
    own = sets.read(folder)
    body = Body.of(hati.load())
    seen = body.see(own.photos)
    found = (
        imprint(seen.first, own.targets, multi_label=multi_label)
        if method == "imprint"
        else probe(seen.vectors, own.targets, multi_label=multi_label).head
    )
    model = joined(body, found, own.classes, provenance(list(own.classes), method, multi_label))
    expected = found.scores(seen.first)
    pictures = np.stack([body.preprocessing(hati.photos.read(photo), body.size) for photo in own.photos])
    np.testing.assert_allclose(model.predict(pictures), expected, atol=1e-5)
    assert (model.predict(pictures).argmax(1) == own.numbers).all()
    again_body, again = parted(model)
    assert again_body.checksum == body.checksum
    np.testing.assert_array_equal(again.kernel, found.kernel.astype(np.float32))


def test_few_photos_are_trusted_little_and_many_much() -> None:
    x, _ = vectors(of_each=400)
    few, many = Standardisation.of(x[:2]), Standardisation.of(x)
    assert np.abs(few.mean).max() < 0.02 * np.abs(x[:2].mean(0)).max()
    assert np.ptp(few.variance) < 0.02 * few.variance.max()
    np.testing.assert_allclose(many.mean, x.mean(0) * 1200 / 1450, rtol=1e-4)
    for one in (few, many):
        z = one(x)
        assert z.dtype == np.float32
        assert np.abs(z).max() <= 1


def test_dead_numbers_and_single_photos_make_no_infinity() -> None:
    x = np.zeros((1, 5), np.float32)
    assert np.isfinite(Standardisation.of(x)(x)).all()
    assert np.isfinite(imprint(np.vstack([x, x + 1]), np.eye(2, dtype=bool)).kernel).all()


def test_imprinting_is_the_nearest_class_mean_by_its_angle() -> None:
    x, targets = vectors()
    head = imprint(x, targets)
    z = head.standardisation(x)
    means = [unit(unit(z[own]).mean(0)) for own in targets.T]
    np.testing.assert_allclose(head.means, means, atol=1e-6)
    np.testing.assert_array_equal(head.scores(x).argmax(1), (unit(z) @ np.array(means).T).argmax(1))


def test_the_sharpness_is_the_one_that_unseen_photos_like_best() -> None:
    x, targets = vectors(of_each=6, noise=2.0)
    z = unit(Standardisation.of(x)(x))
    own = targets.argmax(1)

    def surprise(sharp: float) -> float:
        total = 0.0
        for i in range(len(z)):
            others = np.arange(len(z)) != i
            logits = sharp * (class_means(z[others], targets[others]) @ z[i])
            total -= logits[own[i]] - np.log(np.exp(logits).sum())
        return total

    found = sharpness(z, targets)
    assert surprise(found) < min(surprise(found / 2), surprise(found * 2))
    assert sharpness(z[[0, 6, 12]], targets[[0, 6, 12]]) == 16


def test_probing_is_scikit_learns_regression_on_squashed_vectors() -> None:
    from sklearn.linear_model import LogisticRegression

    x, targets = vectors(of_each=20)
    found = probe(x[:, np.newaxis], targets)
    assert found.strength in STRENGTHS
    assert found.accuracy == 1.0
    z = found.head.standardisation(x)
    z /= np.sqrt(np.square(z).sum(1).mean())
    oracle = LogisticRegression(C=found.strength, class_weight="balanced", tol=1e-6, max_iter=5000)
    expected = oracle.fit(z, targets.argmax(1)).predict_proba(z)
    np.testing.assert_allclose(found.head.scores(x), expected, atol=5e-3)


def test_a_rare_class_weighs_as_much_as_a_common_one() -> None:
    x, targets = vectors(classes=2, of_each=60, width=4, seed=3)
    keep = np.r_[0:60, 60:66]
    head = probe(x[keep][:, np.newaxis], targets[keep]).head
    said = head.scores(x).argmax(1)
    recall = [(said[targets[:, c]] == c).mean() for c in range(2)]
    assert min(recall) > 0.8


@pytest.mark.parametrize("seed", [0, 2**40], ids=["usual", "longer than 32 bits"])
@pytest.mark.parametrize("multi_label", [False, True], ids=["one class", "several classes"])
def test_each_photo_is_tried_on_once_by_fits_that_saw_every_class(multi_label: bool, seed: int) -> None:
    targets = np.eye(3, dtype=bool)[np.repeat(range(3), [25, 15, 10])]
    folds, again = (list(probing._folds(targets, multi_label, seed)) for _ in range(2))
    assert [held.tolist() for _, held in folds] == [held.tolist() for _, held in again]
    assert sorted(np.concatenate([held for _, held in folds])) == list(range(50))
    for fit, held in folds:
        assert len(fit) == 40
        assert not set(fit) & set(held)
        assert multi_label or targets[held].sum(0).tolist() == [5, 3, 2]


@pytest.mark.parametrize("of_each", [1, 2])
def test_too_few_photos_to_try_on_are_probed_all_the_same(of_each: int) -> None:
    x, targets = vectors(of_each=of_each)
    found = probe(x[:, np.newaxis], targets)
    assert (found.accuracy is None) == (of_each == 1)
    assert (found.head.scores(x).argmax(1) == targets.argmax(1)).all()


def test_with_several_labels_each_class_is_judged_by_itself() -> None:
    x, single = vectors(classes=3, of_each=15)
    targets = np.hstack([single, single[:, :1] | single[:, 1:2], np.ones_like(single[:, :1])])
    for head in (imprint(x, targets, multi_label=True), probe(x[:, np.newaxis], targets, multi_label=True).head):
        scores = head.scores(x)
        assert ((scores[:, :4] > 0.5) == targets[:, :4]).mean() > 0.95
        assert np.isfinite(scores).all()
    assert scores[:, 4].min() > 0.9


def test_without_scikit_learn_probing_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probing, "find_spec", lambda _: None)
    x, targets = vectors()
    with pytest.raises(ArgumentError, match=r"pip install \"\.\[train\]\""):
        probe(x[:, np.newaxis], targets)
