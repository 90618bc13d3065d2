"""An evaluation where it is looked at: one line, or what a notebook shows."""

import numpy as np

from hati.evaluating import Evaluation, measured
from hati.photos.sets import PhotoSet

PHOTOS = PhotoSet(("a.jpg", "b.jpg"), ("<cats>", "dogs"), np.eye(2, dtype=np.bool_), multi_label=False)


def found() -> Evaluation:
    return measured(PHOTOS, np.array([[0.9, 0.1], [0.8, 0.2]]), (), "some_model")


def test_it_is_one_line() -> None:
    assert repr(found()) == "<hati.Evaluation some_model: accuracy 50.0% (9.5%–90.5%) on 2 photos of 2 classes>"


def test_a_notebook_shows_its_text() -> None:
    shown = found()._repr_html_()
    assert shown.startswith("<pre")
    assert "&lt;cats&gt;" in shown
    assert "b.jpg" in shown
