"""``tf.train.AdamOptimizer`` and its kind as Keras optimizers; ``lr`` and ``decay`` of Keras' own."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from importlib import import_module
from typing import Any

from .plain import plain
from .replacing import replace

REQUIRED = inspect.Parameter.empty
LEARNING_RATE = ("learning_rate", REQUIRED, "learning_rate")
USE_LOCKING = ("use_locking", False, None)

# TensorFlow 1's name -> Keras' class, and TensorFlow 1's arguments in order: name, default, Keras' name.
OPTIMIZERS: dict[str, tuple[str, tuple[tuple[str, Any, str | None], ...]]] = {
    "AdamOptimizer": (
        "Adam",
        (
            ("learning_rate", 0.001, "learning_rate"),
            ("beta1", 0.9, "beta_1"),
            ("beta2", 0.999, "beta_2"),
            ("epsilon", 1e-8, "epsilon"),
            USE_LOCKING,
            ("name", "Adam", "name"),
        ),
    ),
    "GradientDescentOptimizer": ("SGD", (LEARNING_RATE, USE_LOCKING, ("name", "GradientDescent", "name"))),
    "MomentumOptimizer": (
        "SGD",
        (
            LEARNING_RATE,
            ("momentum", REQUIRED, "momentum"),
            USE_LOCKING,
            ("name", "Momentum", "name"),
            ("use_nesterov", False, "nesterov"),
        ),
    ),
    "RMSPropOptimizer": (
        "RMSprop",
        (
            LEARNING_RATE,
            ("decay", 0.9, "rho"),
            ("momentum", 0.0, "momentum"),
            ("epsilon", 1e-10, "epsilon"),
            USE_LOCKING,
            ("centered", False, "centered"),
            ("name", "RMSProp", "name"),
        ),
    ),
    "AdagradOptimizer": (
        "Adagrad",
        (
            LEARNING_RATE,
            ("initial_accumulator_value", 0.1, "initial_accumulator_value"),
            USE_LOCKING,
            ("name", "Adagrad", "name"),
        ),
    ),
    "AdadeltaOptimizer": (
        "Adadelta",
        (
            ("learning_rate", 0.001, "learning_rate"),
            ("rho", 0.95, "rho"),
            ("epsilon", 1e-8, "epsilon"),
            USE_LOCKING,
            ("name", "Adadelta", "name"),
        ),
    ),
    "FtrlOptimizer": (
        "Ftrl",
        (
            LEARNING_RATE,
            ("learning_rate_power", -0.5, "learning_rate_power"),
            ("initial_accumulator_value", 0.1, "initial_accumulator_value"),
            ("l1_regularization_strength", 0.0, "l1_regularization_strength"),
            ("l2_regularization_strength", 0.0, "l2_regularization_strength"),
            USE_LOCKING,
            ("name", "Ftrl", "name"),
        ),
    ),
}


def patch_tensorflow(tensorflow: Any) -> None:
    """Put TensorFlow 1's optimizers into ``tf.train``."""
    for name, (keras_name, rows) in OPTIMIZERS.items():
        setattr(tensorflow.train, name, _factory(name, keras_name, rows))


def patch_keras(keras: Any) -> None:
    """Let Keras' optimizers take ``lr`` and ``decay``, and give them the attribute ``lr``."""
    optimizers = [found for found in vars(keras.optimizers).values() if isinstance(found, type)]
    own_init = {base for found in optimizers for base in found.__mro__ if "__init__" in vars(base)}
    for optimizer in own_init:
        if optimizer.__module__.startswith("keras.src.optimizers"):
            replace(optimizer, "__init__", _taking_old_arguments)
    keras.optimizers.Optimizer.lr = property(
        lambda self: self.learning_rate, lambda self, value: setattr(self, "learning_rate", value)
    )


def _factory(name: str, keras_name: str, rows: tuple[tuple[str, Any, str | None], ...]) -> Callable[..., Any]:
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    signature = inspect.Signature([inspect.Parameter(old, kind, default=default) for old, default, _ in rows])

    def make(*args: Any, **kwargs: Any) -> Any:
        given = signature.bind(*args, **kwargs)
        given.apply_defaults()
        translated = {new: given.arguments[old] for old, _, new in rows if new is not None}
        return getattr(import_module("keras.optimizers"), keras_name)(**translated)

    make.__name__ = make.__qualname__ = name
    make.__doc__ = f"TensorFlow 1's optimizer: a ``keras.optimizers.{keras_name}``."
    vars(make)["__signature__"] = signature
    return make


def _taking_old_arguments(original: Callable[..., None]) -> Callable[..., None]:
    rate = inspect.signature(original).parameters.get("learning_rate")

    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:  # noqa: N807
        kwargs = {name: _number(name, value) for name, value in kwargs.items()}
        args = tuple(
            _number("learning_rate", value) if n == 0 else plain(value) for n, value in enumerate(args)
        )
        if "lr" in kwargs:
            kwargs["learning_rate"] = _number("learning_rate", kwargs.pop("lr"))
        if kwargs.get("epsilon", 0) is None:
            del kwargs["epsilon"]
        decay = kwargs.pop("decay", None)
        if decay:
            default = rate.default if rate is not None else REQUIRED
            args, kwargs = _decaying(args, kwargs, default, decay)
        original(self, *args, **kwargs)

    return __init__


def _number(name: str, value: Any) -> Any:
    """Keras 3 refuses a whole number as the learning rate."""
    value = plain(value)
    return float(value) if name == "learning_rate" and type(value) is int else value


def _decaying(
    args: tuple[Any, ...], kwargs: dict[str, Any], default: Any, decay: float
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The arguments with a learning rate that falls as TensorFlow 1's did: ``rate / (1 + decay * step)``."""
    initial = args[0] if args else kwargs.pop("learning_rate", default)
    falling = import_module("keras.optimizers").schedules.InverseTimeDecay(initial, 1, decay)
    return args[1:], {**kwargs, "learning_rate": falling}
