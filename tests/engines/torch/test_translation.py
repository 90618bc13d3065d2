"""A graph as a PyTorch module: NumPy's answers, the weights there and back, and training as Keras does it."""

import numpy as np
import onnxruntime
import pytest
import torch
from case_graphs import graph_of, kinds, pictures, some
from cases import CASES, Case
from networks import Network as Row
from oracle import keras_twin, lively

from hati.engines import in_numpy
from hati.engines.onnx import translation as onnx_translation
from hati.engines.torch import translation as torch_translation
from hati.engines.torch.translation import Network
from hati.keras import applications
from hati.network import layers
from hati.network.graph import Graph, Layer
from hati.network.layers import InputLayer

Array = np.ndarray
Arrays = dict[str, Array]


pytestmark = pytest.mark.usefixtures("one_thread")


def weights_for(graph: Graph) -> Arrays:
    generator = np.random.default_rng(0)
    return {name: some(shape, generator) for name, shape in graph.weights().items()}


def answer(network: Network, x: Array) -> Array:
    with torch.inference_mode():
        return network.eval()(torch.tensor(x)).numpy()


@pytest.mark.parametrize("case", CASES, ids=str)
def test_it_answers_as_numpy_does(case: Case) -> None:
    graph = graph_of(case)
    arrays, x = weights_for(graph), pictures(case, np.random.default_rng(1))
    expected = in_numpy.run(graph, arrays, x)
    found = answer(Network(graph, arrays), x)
    assert found.shape == expected.shape
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)


def test_it_has_a_rule_for_every_kind() -> None:
    rules = torch_translation.apply
    missing = {kind.__name__ for kind in kinds() | {InputLayer} if rules.dispatch(kind) is rules.dispatch(Layer)}
    assert not missing


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_weights_come_back_bit_for_bit(case: Case) -> None:
    graph = graph_of(case)
    arrays = weights_for(graph)
    found = Network(graph, arrays).arrays()
    assert list(found) == list(arrays)
    for name, array in arrays.items():
        np.testing.assert_array_equal(found[name], array, err_msg=name, strict=True)
        assert found[name].flags.c_contiguous


FAMILIES = (
    Row("ResNet50V2"),
    Row("InceptionV3", 75),
    Row("MobileNet", options={"alpha": 0.25}),
    Row("MobileNetV3Small"),
    Row("EfficientNetB0"),
    Row("EfficientNetV2B0"),
    Row("DenseNet121"),
    Row("NASNetMobile"),
    Row("ConvNeXtTiny"),
)


@pytest.mark.parametrize("row", FAMILIES, ids=str)
def test_whole_networks_answer_as_with_onnx(row: Row) -> None:
    graph = getattr(applications, row.function)(weights=None, input_shape=(row.size, row.size, 3), **row.options).graph
    arrays = lively(graph)
    x = np.random.default_rng(1).uniform(-1, 1, (2, row.size, row.size, 3)).astype(np.float32)
    session = onnxruntime.InferenceSession(onnx_translation.export(graph, arrays).SerializeToString())
    expected = np.asarray(session.run(None, {"image": x})[0])
    assert np.abs(answer(Network(graph, arrays), x) - expected).max() < 1e-4 * np.abs(expected).max()


def test_maps_stay_channels_last_all_the_way() -> None:
    """So that no layer has to turn them."""
    graph = small().cut("conv_pw_3_relu")
    with torch.inference_mode():
        y = Network(graph, lively(graph)).eval()(torch.ones(2, 32, 32, 3))
    assert y.is_contiguous()


def test_only_what_is_still_needed_is_held() -> None:
    """Else a large batch would keep every map of the network in memory."""
    graph = small()
    finished = [name for step in Network(graph, lively(graph))._steps for name in step.finished]
    assert sorted(finished) == sorted(node.name for node in graph.nodes if node is not graph.output)


def test_arrays_are_copies() -> None:
    network = Network(small(), lively(small()))
    before = network.arrays()
    with torch.no_grad():
        for tensor in (*network.parameters(), *network.buffers()):
            tensor.zero_()
    assert all(array.any() for array in before.values())
    assert not any(array.any() for array in network.arrays().values())


def test_a_layer_may_have_a_dot_in_its_name() -> None:
    graph = Graph(layers.Dense(3)(InputLayer((2,))(name="in"), name="v1.head"))
    arrays = weights_for(graph)
    network = Network(graph, arrays)
    assert answer(network, np.ones((1, 2), np.float32)).shape == (1, 3)
    assert list(network.arrays()) == list(arrays)


def small() -> Graph:
    graph: Graph = applications.MobileNet(weights=None, alpha=0.25, input_shape=(32, 32, 3), classes=5).graph
    return graph


def x_and_labels(count: int = 6) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    return torch.rand(count, 32, 32, 3, generator=generator) * 2 - 1, torch.arange(count) % 5


def test_a_step_of_training_is_that_of_keras() -> None:
    """The same output, gradients and running statistics; of a part whose statistics are over many pixels."""
    import keras

    whole = keras_twin("MobileNet", alpha=0.25, input_shape=(32, 32, 3), include_top=False)
    twin = keras.Model(whole.input, whole.get_layer("conv_pw_5_relu").output)
    graph = small().cut("conv_pw_5_relu")
    arrays = lively(graph)
    twin.set_weights(list(arrays.values()))
    network = Network(graph, arrays).train()
    x, _ = x_and_labels()
    expected, found = twin(x, training=True), network(x)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)
    for array, weight in zip(network.arrays().values(), twin.get_weights(), strict=True):
        np.testing.assert_allclose(array, weight, rtol=1e-5, atol=1e-6)
    for output in (expected, found):
        torch.autograd.backward(output.square().mean())
    ours = gradients(network)
    for layer_weight, weight in zip(trainable(graph), twin.trainable_weights, strict=True):
        gradient = weight.value.grad.numpy()
        difference = np.abs(ours[layer_weight] - gradient).max()
        assert difference < 1e-3 * np.abs(gradient).max(), layer_weight


def trainable(graph: Graph) -> list[str]:
    return [f"{node.name}/{key}" for node in graph.nodes for key in node.weights() if key not in node.layer.running]


def gradients(network: Network) -> Arrays:
    """By the graph's names and as it lays them: they take the weights' place."""
    with torch.no_grad():
        for weight in network.parameters():
            assert weight.grad is not None
            weight.copy_(weight.grad)
    return network.arrays()


def train(network: Network, steps: int, rate: float = 0.01) -> list[float]:
    """Plain gradient descent on noise; the losses."""
    torch.manual_seed(0)
    x, labels = x_and_labels()
    optimiser = torch.optim.SGD([weight for weight in network.parameters() if weight.requires_grad], rate)
    losses = []
    for _ in range(steps):
        optimiser.zero_grad()
        loss = torch.nn.functional.nll_loss(network.train()(x).log(), labels)
        torch.autograd.backward(loss)
        optimiser.step()
        losses.append(loss.item())
    return losses


def test_a_trained_graph_answers_equally_with_onnx() -> None:
    network = Network(small(), lively(small()))
    losses = train(network, 20)
    assert losses[-1] < 0.9 * losses[0]
    x = x_and_labels()[0].numpy()
    session = onnxruntime.InferenceSession(onnx_translation.export(network.graph, network.arrays()).SerializeToString())
    np.testing.assert_allclose(session.run(None, {"image": x})[0], answer(network, x), rtol=1e-4, atol=1e-5)


def test_frozen_layers_stay_as_they_are_and_the_others_learn() -> None:
    graph = small()
    before = lively(graph)
    network = Network(graph, before)
    names = [node.name for node in graph.nodes]
    frozen = names[: names.index("conv_pw_11_relu")]
    network.freeze(frozen)
    train(network, 2)
    same = {name for name, array in network.arrays().items() if np.array_equal(array, before[name])}
    assert same == {name for name in before if name.rpartition("/")[0] in frozen}
    network.freeze(())
    train(network, 1)
    assert not any(np.array_equal(array, before[name]) for name, array in network.arrays().items())


def test_what_is_still_learns_and_keeps_its_statistics() -> None:
    graph = small()
    before = lively(graph)
    network = Network(graph, before)
    network.freeze((), still=[node.name for node in graph.nodes if isinstance(node.layer, layers.BatchNormalization)])
    train(network, 1)
    same = {name for name, array in network.arrays().items() if np.array_equal(array, before[name])}
    assert same == {name for name in before if "/moving_" in name}


@pytest.mark.parametrize("momentum", [0.9, 0.999])
def test_running_statistics_follow_by_their_momentum(momentum: float) -> None:
    graph = Graph(layers.BatchNormalization(momentum=momentum)(InputLayer((4, 4, 2))(), name="bn"))
    arrays = weights_for(graph)
    network, x = Network(graph, arrays).train(), torch.rand(3, 4, 4, 2)
    network(x)
    for key, of_batch in (("moving_mean", x.mean((0, 1, 2))), ("moving_variance", x.var((0, 1, 2), correction=0))):
        expected = momentum * arrays[f"bn/{key}"] + (1 - momentum) * of_batch.numpy()
        np.testing.assert_allclose(network.arrays()[f"bn/{key}"], expected, rtol=1e-4)


def test_what_is_frozen_drops_nothing() -> None:
    graph = Graph(layers.Dropout(0.5)(InputLayer((1000,))(), name="drop"))
    network, x = Network(graph, {}).train(), torch.ones(2, 1000)
    assert network(x).eq(0).any()
    network.freeze(["drop"])
    assert network(x).eq(1).all()


@pytest.mark.parametrize("whole", [False, True])
def test_dropping_keeps_the_mean(whole: bool) -> None:
    torch.manual_seed(0)
    graph = Graph(layers.Dropout(0.2, whole)(InputLayer((5, 5, 40))()))
    y = Network(graph, {}).train()(torch.ones(1000, 5, 5, 40))
    assert sorted(y.unique().tolist()) == pytest.approx([0, 1.25])
    assert y.mean() == pytest.approx(1, abs=0.05)
    alike = (y == y[:, :1, :1, :1]).flatten(1).all(1)
    assert alike.all() if whole else not alike.any()


def test_layers_whose_names_differ_in_a_sign_have_weights_of_their_own() -> None:
    x = layers.InputLayer((4,))(name="picture")
    for name in ("a.b", "a·b", "a%2Eb"):
        x = layers.Dense(4)(x, name=name)
    graph = Graph(x)
    arrays = lively(graph)
    pixels = np.random.default_rng(0).normal(size=(3, 4)).astype(np.float32)
    found = Network(graph, arrays).eval()(torch.from_numpy(pixels)).detach().numpy()
    np.testing.assert_allclose(found, in_numpy.run(graph, arrays, pixels), rtol=1e-5, atol=1e-5)
