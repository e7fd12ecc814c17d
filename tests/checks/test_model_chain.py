"""A path finds every layout of a network: a graph, a chain not yet built, a class of one's own."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from checks.compare.graph import as_chain, graph_of
from checks.evidence import values as v
from tests.checks.making import Network, node, outcome_of

CHECK = """{model: {of: net, path: {through: [
  {layer: Dense, config: {units: 8}}, {layer: Dense, config: {units: 1}}], between: nothing}}}""".replace(
    "\n", " "
)


def built(*units: int) -> v.Model:
    net = Network()
    tensor = net.input("input_layer_3")
    for number in units:
        tensor = net.call("keras.src.layers.core.dense.Dense", [tensor], (None, number), units=number)
    return net.model(tensor)


def unbuilt(*units: int) -> v.Model:
    """As evidence has a model without a graph."""
    layers = (
        v.Layer(
            id=at, cls="keras.src.layers.core.dense.Dense", name=f"dense_{at}", config={"units": node(each)}
        )
        for at, each in enumerate(units)
    )
    return v.Model(
        id=9, cls="__main__.Net", name="net", layers=tuple(layers), nodes=(), inputs=(), outputs=()
    )


@pytest.mark.parametrize("made", [built, unbuilt])
@pytest.mark.parametrize(
    ("units", "reason"), [((8, 1), ""), ((1, 8), "path"), ((8,), "path"), ((8, 4, 1), "path")]
)
def test_path_without_a_named_input(
    made: Callable[..., v.Model], units: tuple[int, ...], reason: str
) -> None:
    assert outcome_of(CHECK, {"net": made(*units)}).reason == reason


@pytest.mark.parametrize("made", [built, unbuilt])
def test_layers_count_from_the_input_in_every_layout(made: Callable[..., v.Model]) -> None:
    check = "{attributes: {of: net, that: {layers.0.units: %d, layers.1.units: %d}}}"
    assert outcome_of(check % (8, 1), {"net": made(8, 1)}).passed
    assert not outcome_of(check % (1, 8), {"net": made(8, 1)}).passed
    assert outcome_of(
        "{size: {of: {variable: net, select: {attribute: layers}}, length: 2}}", {"net": made(8, 1)}
    ).passed


@pytest.mark.parametrize("made", [built, unbuilt])
def test_output_shape_follows_from_the_last_layer(made: Callable[..., v.Model]) -> None:
    assert outcome_of("{model: {of: net, output_shape: [null, 1]}}", {"net": made(8, 1)}).passed
    assert (
        outcome_of("{model: {of: net, output_shape: [null, 1]}}", {"net": made(8, 2)}).reason
        == "output_shape"
    )


def own(*layers: tuple[int, tuple[int, int] | None]) -> v.Model:
    """A called model of a student's own class: units, and the kernel's shape where the layer was used."""
    made = (
        v.Layer(
            id=at,
            cls="keras.src.layers.core.dense.Dense",
            name=f"dense_{at}",
            config={"units": node(units)},
            weights=() if kernel is None else (v.Weight(name="kernel", dtype="float32", shape=kernel),),
        )
        for at, (units, kernel) in enumerate(layers)
    )
    return v.Model(id=9, cls="__main__.Net", name="net", layers=tuple(made), nodes=(), inputs=(), outputs=())


@pytest.mark.parametrize(
    ("made", "reason"),
    [
        (own((8, (4, 8)), (1, (8, 1))), ""),
        (own((1, (8, 1)), (8, (4, 8))), ""),  # made in the other order, called in this one
        (own((8, (1, 8)), (1, (4, 1))), "path"),  # called the wrong way round
        (own((8, None), (1, (4, 1))), "path"),  # the first is never used
    ],
)
def test_weights_tell_how_a_model_of_ones_own_was_called(made: v.Model, reason: str) -> None:
    assert outcome_of(CHECK, {"net": made}).reason == reason


@pytest.mark.parametrize(
    ("cls", "config", "reason"),
    [
        ("keras.src.layers.activations.activation.Activation", {"activation": "relu"}, ""),
        ("keras.src.ops.nn.Relu", {}, ""),
        ("keras.src.ops.nn.Tanh", {}, "path"),
        ("keras.src.layers.regularization.dropout.Dropout", {}, "path"),
    ],
)
def test_activation_behind_a_linear_layer_is_its_own(cls: str, config: dict[str, str], reason: str) -> None:
    net = Network()
    tensor = net.call(
        "keras.src.layers.core.dense.Dense", [net.input("a")], (None, 8), units=8, activation="linear"
    )
    model = net.model(net.call(cls, [tensor], (None, 8), **config))
    stop = "{layer: Dense, config: {units: 8, activation: relu}}"
    check = f"{{model: {{of: net, path: {{through: [{stop}]}}}}}}"
    assert outcome_of(check, {"net": model}).reason == reason


DENSE, ACTIVATION = "keras.src.layers.core.dense.Dense", "keras.src.layers.activations.activation.Activation"
RELU = "keras.src.layers.activations.relu.ReLU"
OWN_RELU = "{model: {of: net, path: {through: [{layer: Dense, config: {units: 8, activation: relu}}%s]%s}}}"


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("linear", "relu"), ""),
        (("linear", "linear", "relu"), ""),
        (("relu", "linear"), ""),
        (("linear",), "path"),
        (("tanh", "relu"), "path"),
        (("relu", "tanh"), ""),  # another stop is asked for nowhere
    ],
)
def test_linear_activations_count_as_nothing(words: tuple[str, ...], reason: str) -> None:
    for turned in (False, True):
        net = Network()
        tensor = net.call(DENSE, [net.input("a")], (None, 8), units=8, activation="linear")
        for word in words:
            tensor = net.call(ACTIVATION, [tensor], (None, 8), activation=word)
        net.nodes = net.nodes[::-1] if turned else net.nodes
        assert outcome_of(OWN_RELU % ("", ""), {"net": net.model(tensor)}).reason == reason


def test_activation_beside_the_path_is_not_the_layers_own() -> None:
    net = Network()
    hidden = net.call(DENSE, [net.input("a")], (None, 8), units=8, activation="linear")
    bent = net.call(ACTIVATION, [hidden], (None, 8), activation="relu")
    check = OWN_RELU % (", {layer: Dense, config: {units: 1}}", ", between: nothing")
    past = net.call(DENSE, [hidden], (None, 1), units=1)
    assert outcome_of(check, {"net": net.model(past)}).reason == "path"
    through = net.call(DENSE, [bent], (None, 1), units=1)
    assert outcome_of(check, {"net": net.model(through)}).passed


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        ({}, ""),
        ({"max_value": None, "negative_slope": 0.0}, ""),
        ({"max_value": 6.0}, "path"),
        ({"negative_slope": 0.1}, "path"),
    ],
)  # fmt: skip
def test_relu_layer_with_another_form_is_another_activation(config: dict[str, object], reason: str) -> None:
    net = Network()
    tensor = net.call(DENSE, [net.input("a")], (None, 8), units=8, activation="linear")
    model = net.model(net.call(RELU, [tensor], (None, 8), **config))
    assert outcome_of(OWN_RELU % ("", ""), {"net": model}).reason == reason


def test_forged_linear_activations_in_a_ring_come_to_an_end() -> None:
    net = Network()
    first = net.call(ACTIVATION, [net.input("a")], (None, 8), activation="linear")
    second = net.call(ACTIVATION, [first], (None, 8), activation="linear")
    net.nodes[1] = v.GraphNode(layer=first.layer, node=0, inputs=(second,), shapes=((None, 8),))
    assert outcome_of(OWN_RELU % ("", ""), {"net": net.model(second)}).reason == "path"


def of_ones_own(*layers: tuple[str, dict[str, int], tuple[int, ...]]) -> v.Model:
    """A called model of a student's own class: class, settings, and its first weight's shape."""
    made = tuple(
        v.Layer(
            id=at,
            cls=f"keras.{cls}",
            name=f"{cls}_{at}",
            config={key: node(each) for key, each in config.items()},
            weights=(v.Weight(name="w", dtype="float32", shape=shape),),
        )
        for at, (cls, config, shape) in enumerate(layers)
    )
    return v.Model(id=9, cls="__main__.Net", name="net", layers=made, nodes=(), inputs=(), outputs=())


@pytest.mark.parametrize(
    ("layers", "names"),
    [
        (
            (("Dense", {"units": 1}, (8, 1)), ("LSTM", {"units": 8}, (4, 32)), ("Embedding", {}, (10, 4))),
            ["Dense_0", "LSTM_1", "Embedding_2"],
        ),
        (
            (("Dense", {"units": 1}, (8, 1)), ("Conv1D", {}, (3, 4, 8)), ("Dense", {"units": 8}, (5, 8))),
            ["Dense_2", "Conv1D_1", "Dense_0"],
        ),
    ],
)
def test_order_of_the_layers_of_ones_own_class_is_the_documented_one(
    layers: tuple[tuple[str, dict[str, int], tuple[int, ...]], ...], names: list[str]
) -> None:
    chain = as_chain(of_ones_own(*layers))
    assert [layer.name for layer in graph_of(chain).layers_in_order()] == names


@pytest.mark.parametrize(
    ("cls", "word", "config", "reason"),
    [
        ("elu.ELU", "elu", {"alpha": 1.0}, ""),
        ("elu.ELU", "elu", {"alpha": 5.0}, "path"),
        ("softmax.Softmax", "softmax", {"axis": -1}, ""),
        ("softmax.Softmax", "softmax", {"axis": 0}, "path"),
    ],
)
def test_layer_that_is_an_activation_with_settings_of_its_own_is_another_one(
    cls: str, word: str, config: dict[str, object], reason: str
) -> None:
    net = Network()
    tensor = net.call(DENSE, [net.input("a")], (None, 8), units=8, activation="linear")
    model = net.model(net.call(f"keras.src.layers.activations.{cls}", [tensor], (None, 8), **config))
    check = f"{{model: {{of: net, path: {{through: [{{layer: Dense, config: {{activation: {word}}}}}]}}}}}}"
    assert outcome_of(check, {"net": model}).reason == reason
