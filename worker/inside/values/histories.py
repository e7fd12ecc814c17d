"""Keras' record of a training: what it measured after every epoch."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any

from . import class_name
from .instances import plain_name, state

if TYPE_CHECKING:
    from . import Node, Taker

_MAX_EPOCHS = 100_000
_MAX_METRICS = 1_000
_PLAIN = (bool, int, float, str, type(None))


def take_history(history: Any, taker: Taker) -> Node | None:
    """A training's record; None where its ``history`` is no dict, as before a training."""
    own = state(history)
    written = own.get("history")
    if not isinstance(written, dict):
        return None
    pairs = list(islice(dict.items(written), _MAX_METRICS))
    metrics = {plain_name(name) or "?": _numbers(numbers, taker) for name, numbers in pairs}
    params = own.get("_params", own.get("params"))
    settings = dict.items(params) if isinstance(params, dict) else ()
    return {
        "t": "history",
        "epochs": [int(epoch) for epoch in _listed(own.get("epoch")) if type(epoch) is int],
        "metrics": metrics,
        "cls": class_name(type(history)),
        "settings": {str(name): taker.node(item) for name, item in settings if type(item) in _PLAIN},
    }


def _listed(found: Any) -> list[Any]:
    return list(islice(list.__iter__(found), _MAX_EPOCHS)) if isinstance(found, list) else []


def _numbers(found: Any, taker: Taker) -> list[Node]:
    return [taker.node(number) for number in _listed(found)]


TAKES = {"keras.src.callbacks.history.History": take_history}
