"""A path finds every layout of a network: a graph, a chain not yet built, a class of one's own."""

from __future__ import annotations

from collections.abc import Callable

import pytest

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
