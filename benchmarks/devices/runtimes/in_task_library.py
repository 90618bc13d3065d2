"""The Task Library of phones: FOLDER with files and photo.png; what it reads in each, and what it sees in the photo."""

import ctypes
import json
import sys
from pathlib import Path

import libusb_package

ctypes.CDLL(str(libusb_package.get_library_path()), mode=ctypes.RTLD_GLOBAL)  # for Corals; it does not start without

from tflite_support import metadata  # noqa: E402
from tflite_support.task import core, processor, vision  # noqa: E402

folder = Path(sys.argv[1])
photo = vision.TensorImage.create_from_file(str(folder / "photo.png"))
told = {}
for path in sorted(folder.glob("*.tflite")):
    shown = metadata.MetadataDisplayer.with_model_file(str(path))
    graph = json.loads(shown.get_metadata_json())["subgraph_metadata"][0]
    [unit] = graph["input_tensor_metadata"][0]["process_units"]
    options = vision.ImageClassifierOptions(
        core.BaseOptions(file_name=str(path)), processor.ClassificationOptions(max_results=3)
    )
    found = vision.ImageClassifier.create_from_options(options).classify(photo).classifications[0].categories
    told[path.stem] = {
        "normalisation": unit["options"],
        "labels": len(shown.get_associated_file_buffer("labels.txt").decode().splitlines()),
        "names": [one.category_name for one in found],
        "scores": [one.score for one in found],
    }
(folder / "told.json").write_text(json.dumps(told))
