"""The teaching chapter's steps, in its order, with nothing changed but the import root."""

import http.server
import threading
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from hati import catalog

STEPS = ("resnet50", "vgg16")


class Silent(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def storage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, empty_cache: Path) -> Iterator[None]:
    """Keras' storage on loopback, with weights of the right shapes that nobody trained, written by Keras' own code."""
    folder = tmp_path / "storage"
    folder.mkdir()
    served = {name: _publish(name, folder) for name in ("ResNet50", "VGG16")}
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Silent, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}"
    for name, checksums in served.items():
        entry = catalog.find(name)
        files = (
            replace(file, folder=address, checksum=checksum, bytes=None)
            for file, checksum in zip((entry.top_file, entry.notop_file), checksums, strict=True)
            if file is not None
        )
        top, notop = files
        monkeypatch.setitem(catalog.entries(), name, replace(entry, top_file=top, notop_file=notop))
    yield
    server.shutdown()
    server.server_close()


def _publish(name: str, folder: Path) -> list[str]:
    import hashlib

    import h5py
    from keras.src.legacy.saving.legacy_h5_format import save_weights_to_hdf5_group
    from oracle import keras_twin, lively

    import hati

    entry = catalog.find(name)
    checksums = []
    for include_top, file in ((True, entry.top_file), (False, entry.notop_file)):
        assert file is not None
        twin = keras_twin(name, include_top=include_top)
        graph = hati.load(name, weights=None, include_top=include_top).graph
        twin.set_weights(list(lively(graph).values()))
        with h5py.File(folder / file.name, "w") as target:
            save_weights_to_hdf5_group(target, twin)
        checksums.append("md5:" + hashlib.md5((folder / file.name).read_bytes()).hexdigest())
    return checksums


@pytest.mark.usefixtures("storage")
def test_the_chapter_runs(cat: Path, capsys: pytest.CaptureFixture[str], empty_cache: Path) -> None:
    from hati.keras.applications.resnet50 import ResNet50, decode_predictions, preprocess_input
    from hati.keras.applications.vgg16 import VGG16
    from hati.keras.preprocessing import image

    model = ResNet50(weights="imagenet")
    model.summary()
    printed = capsys.readouterr()
    assert "Total params: 25,636,712" in printed.out
    assert "resnet50_weights_tf_dim_ordering_tf_kernels.h5" in printed.err  # the progress bar

    img = image.load_img(cat, target_size=(224, 224))
    x = image.img_to_array(img)
    assert x.shape == (224, 224, 3)
    x = preprocess_input(np.expand_dims(x, axis=0))
    preds = model.predict(x)
    assert preds.shape == (1, 1000)
    top = decode_predictions(preds, top=3)[0]
    assert [len(found) for found in top] == [3, 3, 3]
    assert top == sorted(top, key=lambda found: -found[2])

    features = VGG16(weights="imagenet", include_top=False).predict(x)
    assert features.shape == (1, 7, 7, 512)

    kept = {path.name for path in (empty_cache / "weights").glob("*.h5")}
    assert len(kept) == 2
