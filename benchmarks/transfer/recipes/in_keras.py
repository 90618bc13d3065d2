"""Keras' own recipe, from photos to a saved model: FOLDER BODY TRAIN VAL THREADS; BODY is a weights file, or random.

Its guide "Transfer learning & fine-tuning", first part: a frozen body in inference mode, flips and turns, mean over
the map, dropout, one dense layer, Adam, batches of 32, 20 epochs. Photos are decoded once and lie in memory.
"""

import json
import os
import sys
import time
from pathlib import Path

begin = time.perf_counter()
folder, body, train, val, threads = sys.argv[1:]
os.environ |= {"TF_NUM_INTRAOP_THREADS": threads, "TF_NUM_INTEROP_THREADS": threads, "OMP_NUM_THREADS": threads}

import keras  # noqa: E402 - once the threads are set
import numpy as np  # noqa: E402
from keras import layers  # noqa: E402

SIZE, EPOCHS, BATCH = (224, 224), 20, 32


def photos(source: str) -> tuple[np.ndarray, np.ndarray, int]:
    """(photos, height, width, 3) from 0 to 255, (photos,) the number of each one's class, and how many classes."""
    classes = sorted(path for path in Path(source).iterdir() if path.is_dir())
    paths = [(path, number) for number, own in enumerate(classes) for path in sorted(own.iterdir())]
    x = [keras.utils.img_to_array(keras.utils.load_img(path, target_size=SIZE)) for path, _ in paths]
    return np.stack(x), np.array([number for _, number in paths]), len(classes)


def frozen() -> keras.Model:
    """The body, without its classifier."""
    if body == "random":
        network = keras.applications.MobileNetV2(weights=None, include_top=False, input_shape=(*SIZE, 3))
    else:
        whole = keras.applications.MobileNet(weights=body, alpha=0.25)
        network = keras.Model(whole.input, whole.get_layer("conv_pw_13_relu").output)
    network.trainable = False
    return network


def network(classes: int) -> keras.Model:
    inputs = keras.Input((*SIZE, 3))
    x = layers.RandomRotation(0.1)(layers.RandomFlip("horizontal")(inputs))
    x = frozen()(layers.Rescaling(1 / 127.5, -1)(x), training=False)
    x = layers.Dropout(0.2)(layers.GlobalAveragePooling2D()(x))
    return keras.Model(inputs, layers.Dense(classes)(x))


epochs: list[tuple[float, float]] = []  # when each ended, validated, and with what accuracy


def note(epoch: int, logs: dict[str, float]) -> None:
    epochs.append((time.perf_counter() - begin, float(logs["val_accuracy"])))


if keras.backend.backend() == "torch":
    import torch

    torch.set_num_threads(int(threads))

x, y, classes = photos(train)
x_val, y_val, _ = photos(val)
keras.utils.set_random_seed(0)
model = network(classes)
noting = keras.callbacks.LambdaCallback(on_epoch_end=note)
loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
model.compile(optimizer=keras.optimizers.Adam(), loss=loss, metrics=["accuracy"])
model.fit(x, y, batch_size=BATCH, epochs=EPOCHS, validation_data=(x_val, y_val), callbacks=[noting], verbose=0)
model.save(Path(folder) / "model.keras")
told = {"accuracy": epochs[-1][1], "epochs": epochs}
(Path(folder) / "told.json").write_text(json.dumps(told))
