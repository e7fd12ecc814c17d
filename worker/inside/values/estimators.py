"""scikit-learn's estimators: their parameters, and what fitting left behind. No method is called."""

from __future__ import annotations

from types import FunctionType
from typing import TYPE_CHECKING, Any

from .instances import defining, described, is_from, pieces, state

if TYPE_CHECKING:
    from collections.abc import Iterator

    from . import Node, Taker

_MAX_WRAPPERS = 10
_MAX_ATTRIBUTES = 200
_code = FunctionType.__dict__["__code__"].__get__
# Fitted attributes that the library computes when it is asked for them.
_COMPUTED = ("coef_", "intercept_", "feature_importances_", "n_support_", "n_iter_", "best_estimator_")
_TREE = ("node_count", "max_depth", "n_leaves", "n_features", "feature", "threshold", "value")


def take_estimator(estimator: Any, taker: Taker) -> Node:
    """Parameters by their names, fitted attributes (``coef_``, ``classes_`` …) by theirs."""
    own = state(estimator)
    parameters = {name: own[name] for name in _parameter_names(estimator) if name in own}
    fitted = dict(_fitted(own))
    if is_from(type(estimator), "sklearn") and fitted:
        fitted.update(_computed(estimator, fitted))
    attributes = {**fitted, **parameters}
    node = described(estimator, "estimator", {"fitted": bool(fitted)}, taker)
    taken = pieces(attributes, taker)  # None is a parameter's value, too
    return {**node, "attributes": {**taken, **node["attributes"]}}


def _parameter_names(estimator: object) -> list[str]:
    """The names that the constructor takes, from its code: the convention that ``get_params`` relies on."""
    _, constructor = defining(estimator, "__init__")
    for _ in range(_MAX_WRAPPERS):
        inner = state(constructor).get("__wrapped__")
        if inner is None:
            break
        constructor = inner
    if not isinstance(constructor, FunctionType):
        return []
    code = _code(constructor)
    return list(code.co_varnames[1 : code.co_argcount + code.co_kwonlyargcount])


def _fitted(own: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    names = [name for name in own if type(name) is str and name.endswith("_") and not name.startswith("_")]
    yield from ((name, own[name]) for name in names[:_MAX_ATTRIBUTES])


def _computed(estimator: Any, fitted: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for name in _COMPUTED:
        _, found = defining(estimator, name)
        if name in fitted or not isinstance(found, property):
            continue
        try:
            yield name, getattr(estimator, name)
        except (AttributeError, ValueError, TypeError):
            continue  # not every kernel, solver or booster has it


def take_tree(tree: Any, taker: Taker) -> Node:
    """A decision tree's nodes as arrays."""
    own = next(kind for kind in type(tree).__mro__ if is_from(kind, "sklearn"))
    attributes = {name: own.__dict__[name].__get__(tree) for name in _TREE}
    return described(tree, "tree", attributes, taker)


TAKES = {
    "sklearn.base.BaseEstimator": take_estimator,
    "sklearn.tree._tree.Tree": take_tree,
}
