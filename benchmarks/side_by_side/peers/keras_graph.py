"""hati's graph, as JSON, in Keras' own layers; for networks that keras.applications does not have."""

from collections.abc import Callable
from typing import Any

import keras
from keras import layers

Settings = dict[str, Any]


def built(described: Settings) -> keras.Model:
    """{"name", "nodes"}: each node's kind is the name of a Keras layer, its settings are that layer's."""
    values: dict[str, Any] = {}
    for node in described["nodes"]:
        settings, inputs = node["settings"], [values[name] for name in node["inputs"]]
        if node["kind"] == "InputLayer":
            values[node["name"]] = keras.Input(settings["size"], name=node["name"])
            continue
        layer = made(node["kind"], settings, node["name"])
        values[node["name"]] = layer(inputs if len(inputs) > 1 else inputs[0])
    nodes = described["nodes"]
    return keras.Model(values[nodes[0]["name"]], values[nodes[-1]["name"]], name=described["name"])


def made(kind: str, settings: Settings, name: str) -> keras.Layer:
    own = CHANGES[kind](settings) if kind in CHANGES else settings
    return getattr(layers, kind)(name=name, **own)


CHANGES: dict[str, Callable[[Settings], Settings]] = {
    "Activation": lambda settings: {"activation": settings["function"]},
    "Add": lambda settings: {},
    "Dropout": lambda settings: {"rate": settings["rate"]},
    "Reshape": lambda settings: {"target_shape": settings["target"]},
}
