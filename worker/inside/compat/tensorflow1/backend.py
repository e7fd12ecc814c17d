"""``keras.backend`` as it was: functions on tensors, sessions, the learning phase."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from types import ModuleType
from typing import Any

from .sessions import Session


def patch(module: Any) -> None:
    """Add what the module lacks: Keras' own old functions where it still has them, and those below."""
    old = import_module("keras.src.legacy.backend")
    public = {name: found for name, found in vars(old).items() if callable(found) and _is_of(found, old)}
    for name, found in {**public, **ADDED}.items():
        if not hasattr(module, name):
            setattr(module, name, found)
    module.set_value = set_value


def set_value(x: Any, value: Any) -> None:
    """Give a variable a new value; Keras 3's own function fails for its own variables."""
    x.assign(value)


def function(
    inputs: Any, outputs: Any, updates: Any = None, name: str | None = None
) -> Callable[[Any], list[Any]]:
    """A function from a list of arrays to the list of what ``outputs`` are for them, as numpy arrays."""
    keras = import_module("keras")
    wanted = list(outputs) if isinstance(outputs, list | tuple) else [outputs]
    model = keras.Model(list(inputs), wanted)

    def compute(values: Any) -> list[Any]:
        return [keras.ops.convert_to_numpy(output) for output in keras.tree.flatten(model(list(values)))]

    return compute


def _is_of(found: Any, module: ModuleType) -> bool:
    return getattr(found, "__module__", None) == module.__name__ and not found.__name__.startswith("_")


ADDED: dict[str, Callable[..., Any]] = {
    "function": function,
    "get_session": Session,
    "set_session": lambda session: None,
    "learning_phase": lambda: 0,
    "set_learning_phase": lambda value: None,
    "manual_variable_initialization": lambda value: None,
}
