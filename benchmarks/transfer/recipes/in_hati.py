"""hati's way from photos to a saved model: FOLDER BODY TRAIN VAL METHOD; BODY is a weights file, or random."""

import json
import sys
from pathlib import Path
from typing import Any

import hati
from hati.model import Model

folder, body, train, val, method = sys.argv[1:]


def network() -> Model:
    if body == "random":
        return hati.load("MobileNetV2", weights=None)
    return hati.load("MobileNet", weights=body, alpha=0.25)


chosen: dict[str, Any] = {"method": method}
trained = hati.train(train, validate=val, model=network(), verbose=0, **chosen)
trained.save(Path(folder) / "model.safetensors")
assert trained.evaluation is not None
told = {"accuracy": trained.evaluation.accuracy, "method": trained.method}
(Path(folder) / "told.json").write_text(json.dumps(told))
