"""A lesson changes one word, whichever way it spells Keras."""

import subprocess
import sys
from pathlib import Path

import pytest

LESSON = """
import numpy as np
{imports}

model = {applications}.ResNet50(weights=None)
img = {image}.load_img({photo!r}, target_size=(224, 224))
x = {applications}.resnet50.preprocess_input(np.expand_dims({image}.img_to_array(img), axis=0))
preds = model.predict(x)
print(len({applications}.resnet50.decode_predictions(preds, top=3)[0]))
"""
SPELLINGS = {
    "import hati as tf": ("tf.keras.applications", "tf.keras.preprocessing.image"),
    "from hati import keras": ("keras.applications", "keras.utils"),
    "from hati.keras import applications\nfrom hati.keras.preprocessing import image": ("applications", "image"),
    "import hati.keras\nfrom hati.keras import utils": ("hati.keras.applications", "utils"),
}


@pytest.mark.parametrize("imports", SPELLINGS)
def test_the_chapter_runs_with_one_word_changed(cat: Path, imports: str) -> None:
    applications, image = SPELLINGS[imports]
    lesson = LESSON.format(imports=imports, applications=applications, image=image, photo=str(cat))
    done = subprocess.run([sys.executable, "-c", lesson], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("3\n", "")


def test_names_are_found_in_their_modules_as_in_keras() -> None:
    from hati.keras.applications import resnet50
    from hati.keras.applications.resnet50 import ResNet50
    from hati.keras.preprocessing.image import load_img
    from hati.keras.utils import load_img as same

    assert resnet50.ResNet50 is ResNet50
    assert load_img is same
