import pytest

from hati.errors import GraphError
from hati.network.graph import Graph, Node
from hati.network.layers import (
    Activation,
    Add,
    BatchNormalization,
    Concatenate,
    Conv2D,
    Cropping2D,
    Flatten,
    InputLayer,
    MaxPooling2D,
    Multiply,
    Normalization,
    Rescaling,
)


def picture(*shape: int | None) -> Node:
    return InputLayer(shape or (8, 8, 3))()


def diamond() -> Graph:
    """A picture, two branches of one and two layers, and their sum."""
    x = picture()
    short = Conv2D(4, 1)(x, name="short")
    long = Activation("relu")(Conv2D(4, 1)(x, name="long"), name="long_relu")
    return Graph(Add()(short, long, name="sum"))


def test_layers_come_in_keras_order_farthest_from_the_output_first() -> None:
    assert [node.name for node in diamond().nodes] == ["input_layer", "long", "short", "long_relu", "sum"]


def test_unnamed_layers_are_numbered_by_kind_as_keras_does() -> None:
    x = picture()
    for _ in range(3):
        x = BatchNormalization()(Conv2D(4, 1)(x))
    names = [node.name for node in Graph(MaxPooling2D(2, 2)(x)).nodes]
    assert names == [
        "input_layer",
        *("conv2d", "batch_normalization", "conv2d_1", "batch_normalization_1", "conv2d_2", "batch_normalization_2"),
        "max_pooling2d",
    ]


def test_weights_are_named_by_layer_and_carry_their_shapes() -> None:
    graph = Graph(BatchNormalization(scale=False)(Conv2D(4, (1, 3))(picture(), name="conv"), name="bn"))
    assert graph.weights() == {
        "conv/kernel": (1, 3, 3, 4),
        "conv/bias": (4,),
        "bn/beta": (4,),
        "bn/moving_mean": (4,),
        "bn/moving_variance": (4,),
    }


def test_a_cut_keeps_only_what_its_layer_depends_on() -> None:
    cut = diamond().cut("long_relu")
    assert [node.name for node in cut.nodes] == ["input_layer", "long", "long_relu"]
    assert cut.output.shape == (8, 8, 4)


def test_fold_gives_each_step_its_inputs_values() -> None:
    depths = diamond().fold(lambda _, x: max(x, default=0) + 1)
    assert depths == {"input_layer": 1, "short": 2, "long": 2, "long_relu": 3, "sum": 4}


def test_a_graph_of_ten_thousand_layers_is_built_without_recursion() -> None:
    x = picture()
    for _ in range(10_000):
        x = Activation("relu")(x)
    assert len(Graph(x).nodes) == 10_001


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: Conv2D(8, 7)(MaxPooling2D(2, 2)(picture(), name="pool"), name="stem/down"),
            r"stem/down: a window of 7 does not fit in 4 \+ 0 pixels\n  layer:  Conv2D.*\n  inputs: pool \(4, 4, 3\)",
        ),
        (lambda: Multiply()(picture(), picture(1, 1, 4), name="gate"), r"gate: Multiply needs .* or \(1, 1, 3\)"),
        (lambda: Conv2D(4, 3, groups=2)(picture(), name="conv"), "conv: 3 channels and 4 filters .* 2 groups"),
        (lambda: Cropping2D(((4, 4), (0, 0)))(picture(8, 8, 3), name="crop"), "crop: 8 pixels cannot be cut from 8"),
        (lambda: Flatten()(picture(None, None, 3), name="flat"), "flat: .* has an open size"),
        (lambda: Conv2D(4, 3)(picture(8, 8, None), name="conv"), "conv: .* has an open size"),
        (lambda: Add()(picture(8, 8, 3), picture(8, 8, 4), name="sum"), "sum: Add needs inputs of one shape"),
        (lambda: Concatenate()(picture(8, 8, 3), picture(9, 8, 3)), "Concatenate: .* inputs of one height and width"),
        (lambda: MaxPooling2D(2, 2)(Flatten()(picture()), name="pool"), "pool: "),
        (lambda: Conv2D(4, 3)(name="nothing"), "nothing: Conv2D takes 1 inputs, 0 came"),
        (lambda: Add()(picture(), name="sum"), "sum: Add takes 2 or more inputs, 1 came"),
        (lambda: Rescaling((1.0, 2.0))(picture(), name="scale"), "scale: 2 numbers came for 3 channels"),
        (lambda: Normalization((0.0, 0.0, 0.0))(picture(), name="norm"), "norm: Normalization needs both"),
    ],
)
def test_layers_that_do_not_fit_are_refused_where_they_meet(make: object, message: str) -> None:
    assert callable(make)
    with pytest.raises(GraphError, match=message):
        make()


def test_two_layers_of_one_name_are_refused() -> None:
    twice = Conv2D(4, 1)(Conv2D(4, 1)(picture(), name="conv"), name="conv")
    with pytest.raises(GraphError, match="two layers are called 'conv'"):
        Graph(twice)


def test_an_unknown_layer_is_named_with_the_last_ones() -> None:
    with pytest.raises(GraphError, match=r"no layer 'fc'; its last ones are .*long_relu, sum"):
        diamond()["fc"]
