"""Names that TensorFlow 2 moved to ``tf.compat.v1``: ``tf.logging``, ``tf.ConfigProto`` and many more."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

SUBMODULES = ("train", "random", "nn", "image", "summary")
# Loaders of packages that are not there; their own error messages lead a reader astray.
NOT_THERE = ("estimator", "keras", "layers")


def patch(tensorflow: Any) -> None:
    """Look up in ``tf.compat.v1`` what ``tf`` and some of its modules do not have."""
    old = tensorflow.compat.v1
    _fall_back(tensorflow, old)
    for name in SUBMODULES:
        _fall_back(getattr(tensorflow, name), getattr(old, name))


def _fall_back(module: Any, old: ModuleType) -> None:
    module.__getattr__ = _lookup(module.__name__, old)


def _lookup(module: str, old: ModuleType) -> Callable[[str], Any]:
    def lookup(name: str) -> Any:
        if name in vars(old) and name not in NOT_THERE and not name.startswith("_"):
            return vars(old)[name]
        raise AttributeError(f"module {module!r} has no attribute {name!r}")

    return lookup
