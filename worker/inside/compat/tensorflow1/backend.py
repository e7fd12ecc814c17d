"""``keras.backend`` as it was: functions on tensors, sessions, the learning phase."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from types import ModuleType
from typing import Any

from .sessions import Session


def patch(module: ModuleType) -> None:
    """Add what the module lacks: Keras' own old functions where it still has them, and those below."""
    old = import_module("keras.src.legacy.backend")
    public = {name: found for name, found in vars(old).items() if callable(found) and _is_of(found, old)}
    for name, found in {**public, **ADDED}.items():
        if not hasattr(module, name):
            setattr(module, name, found)


def function(
    inputs: Any, outputs: Any, updates: Any = None, name: str | None = None
) -> Callable[[Any], list[Any]]:
    """A function from a list of arrays to the list of what ``outputs`` are for them, as numpy arrays."""
    keras = import_module("keras")
    single = not isinstance(outputs, list | tuple)
    model = keras.Model(list(inputs), [outputs] if single else list(outputs))

    def compute(values: Any) -> list[Any]:
        return [keras.ops.convert_to_numpy(output) for output in model(list(values))]

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
