"""Hand-made evidence of libraries' objects: plots, estimators, trainings, files, functions."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from typing import Any

import numpy as np

from checks.evidence import values as v
from tests.checks.making import node


def thing(sort: str, cls: str = "", **attributes: Any) -> v.Opaque:
    """An object of a sort with its attributes; those that are None are not there."""
    known = {name: node(value) for name, value in attributes.items() if value is not None}
    return v.Opaque(id=0, cls=cls or f"library.{sort.title()}", sort=sort, attributes=known)


def line(x: Any, y: Any, **look: Any) -> v.Opaque:
    """A line; data as lists or arrays."""
    return thing("line", x=np.asarray(x), y=np.asarray(y), **look)


def points(x: Any, y: Any, **look: Any) -> v.Opaque:
    """A scatter plot."""
    return thing("points", x=np.asarray(x), y=np.asarray(y), **look)


def bars(names: Sequence[str] | None, length: Any, thickness: float = 0.8, **look: Any) -> v.Opaque:
    """Bars side by side at whole positions."""
    position, heights = np.arange(len(length), dtype=float), np.asarray(length)
    wide = np.full(len(length), thickness)
    listed = None if names is None else list(names)
    return thing("bars", names=listed, length=heights, position=position, thickness=wide, **look)


def axes(*artists: v.Opaque, **words: Any) -> v.Opaque:
    """A plot with these artists; ``title``, ``xlabel``, ``legend`` … as keyword arguments."""
    return thing("axes", "matplotlib.axes._axes.Axes", artists=list(artists), **words)


def figure(*plots: v.Opaque, **words: Any) -> v.Opaque:
    """A figure of several plots."""
    return thing("figure", "matplotlib.figure.Figure", axes=list(plots), **words)


def estimator(cls: str, fitted: bool = False, **attributes: Any) -> v.Opaque:
    """A scikit-learn estimator: parameters, and what was fitted."""
    return thing("estimator", cls, fitted=fitted, **attributes)


def training(**metrics: Sequence[float]) -> v.History:
    """The record of a training: numbers for every epoch."""
    epochs = max(map(len, metrics.values()), default=0)
    numbers = {name: tuple(map(node, values)) for name, values in metrics.items()}
    return v.History(epochs=tuple(range(epochs)), metrics=numbers)


def written(name: str, content: str | bytes) -> v.Opaque:
    """A file that a notebook wrote."""
    raw = content.encode() if isinstance(content, str) else content
    held = node(content) if isinstance(content, str) else v.Bytes(v=b64encode(raw).decode())
    key = "text" if isinstance(content, str) else "bytes"
    return thing("file", name=name, size=len(raw), whole=True, **{key: held})


def function(source: str, name: str = "f", **fields: Any) -> v.Callable:
    """A function by its source."""
    return v.Callable(name=name, cls="builtins.function", source=source, **fields)


NAMES = {
    each.__name__: each for each in (line, points, bars, axes, figure, estimator, training, written, function)
}
