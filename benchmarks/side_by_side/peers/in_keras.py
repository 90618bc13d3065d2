"""Keras 3, on whatever backend KERAS_BACKEND names."""

import json
import os
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

import keras
import numpy as np

from . import THREADS, facts, pictures, weights
from .keras_graph import built

if os.environ["KERAS_BACKEND"] == "torch":
    import torch

    torch.set_num_threads(THREADS)
else:
    import tensorflow

    tensorflow.config.threading.set_intra_op_parallelism_threads(THREADS)
    tensorflow.config.threading.set_inter_op_parallelism_threads(THREADS)


def prepare(folder: Path, way: str, batch: int = 1, photo: str = "") -> Callable[[], Any]:
    network = model(folder)
    if way == "photo":
        return lambda: named(network, facts(folder), photo)
    x = pictures(folder, batch)
    if way == "predict_on_batch":
        return lambda: network.predict_on_batch(x)
    return lambda: network.predict(x, verbose=0)


@lru_cache(maxsize=1)
def model(folder: Path) -> keras.Model:
    """Keras' own network; where it has none of that name, hati's graph in Keras' layers."""
    told = facts(folder)
    keras.backend.clear_session()
    if build := getattr(keras.applications, told["name"], None):
        network = build(weights=None, **told["options"])
    else:
        network = built(json.loads((folder / "graph.json").read_text()))
    network.load_weights(weights(folder))
    return network


def named(network: keras.Model, told: dict[str, Any], photo: str) -> list[str]:
    """A photo to its three names, as the lessons do it."""
    picture = keras.utils.load_img(photo, target_size=told["size"])
    x = normalised(keras.utils.img_to_array(picture)[np.newaxis], told["normalisation"])
    answers = keras.applications.imagenet_utils.decode_predictions(network.predict(x, verbose=0), top=3)
    return [synset for synset, _, _ in answers[0]]


def normalised(x: Any, mode: str) -> Any:
    if mode == "lite":
        return (x - 127.0) / 128.0
    return x if mode == "none" else keras.applications.imagenet_utils.preprocess_input(x, mode=mode)


def convert(folder: str) -> int:
    """Write the network's .tflite; its bytes."""
    converter = tensorflow.lite.TFLiteConverter.from_keras_model(model(Path(folder)))
    part = Path(folder) / "model.tflite.part"
    length = part.write_bytes(converter.convert())
    part.replace(part.with_suffix(""))
    return length


def through_folder(folder: str, photos_folder: str) -> float:
    """Seconds for each photo of a folder, as Keras' own reader of folders and `predict` take them."""
    import time

    told, network = facts(Path(folder)), model(Path(folder))
    start = time.perf_counter()
    photos = keras.utils.image_dataset_from_directory(
        photos_folder, labels=None, image_size=told["size"], batch_size=32, shuffle=False, verbose=False
    )
    answers = network.predict(photos.map(lambda x: normalised(x, told["normalisation"])), verbose=0)
    return (time.perf_counter() - start) / len(answers)


WORKS = {"convert": convert, "through_folder": through_folder}
