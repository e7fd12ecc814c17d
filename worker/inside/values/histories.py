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
    settings = _settings(params, taker) if isinstance(params, dict) else {}
    taker.spell(sum(map(len, (*metrics, *settings))))
    return {
        "t": "history",
        "epochs": [epoch for epoch in _epochs(own, taker) if type(epoch) is int],
        "metrics": metrics,
        "cls": class_name(type(history)),
        "settings": settings,
    }


def _epochs(own: dict[str, Any], taker: Taker) -> list[Any]:
    found = _listed(own.get("epoch"))
    taker.count(len(found))
    return found


def _settings(params: dict[Any, Any], taker: Taker) -> dict[str, Node]:
    """What a training was asked for: the plain ones of its settings."""
    named = {plain_name(name): item for name, item in islice(dict.items(params), _MAX_METRICS)}
    return {
        name: taker.node(item) for name, item in named.items() if name is not None and type(item) in _PLAIN
    }


def _listed(found: Any) -> list[Any]:
    return list(islice(list.__iter__(found), _MAX_EPOCHS)) if isinstance(found, list) else []


def _numbers(found: Any, taker: Taker) -> list[Node]:
    return [taker.node(number) for number in _listed(found)]


TAKES = {"keras.src.callbacks.history.History": take_history}
