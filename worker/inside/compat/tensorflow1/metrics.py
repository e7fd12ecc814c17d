"""Names of metrics in logs, progress lines and ``history``.

TensorFlow 1 named a metric after its function, however short the text given to ``compile``: ``'MAE'`` gave
``mean_absolute_error``; only accuracy was shortened, to ``acc`` (its ``training_utils.get_metric_name``).
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

from .replacing import replace

ACCURACY = ("accuracy", "acc")
RENAMED = {"kl_divergence": "kullback_leibler_divergence", "cosine_similarity": "cosine_proximity"}


def patch(keras: Any) -> None:
    """Patch how ``compile`` names metrics, and ``model.metrics_names``."""

    def named_as_in_tensorflow1(original: Callable[..., Any]) -> Callable[..., Any]:
        def get_metric(identifier: Any, y_true: Any, y_pred: Any) -> Any:
            metric = original(identifier, y_true, y_pred)
            if isinstance(identifier, str):
                metric.name = metric_name(identifier, keras.metrics.get)
            return metric

        return get_metric

    def metrics_names(model: Any) -> list[str]:
        groups = [_names_of(metric, keras.metrics.get) for metric in model.metrics]
        return [name for group in groups for name in group]

    replace(import_module("keras.src.trainers.compile_utils"), "get_metric", named_as_in_tensorflow1)
    import_module("keras.src.trainers.trainer").Trainer.metrics_names = property(metrics_names)


def metric_name(identifier: str, get: Callable[[str], Any]) -> str:
    """TensorFlow 1's name of a metric given to ``compile`` as text; ``get`` is ``keras.metrics.get``."""
    if identifier in ACCURACY:
        return "acc"
    metric = get(identifier)
    name = str(getattr(metric, "name", None) or metric.__name__)
    return RENAMED.get(name, name)


def _names_of(metric: Any, get: Callable[[str], Any]) -> list[str]:
    """A metric's name; for the one that stands for all that ``compile`` was given, the names of those."""
    given = getattr(metric, "_user_metrics", None)
    if metric.name != "compile_metrics":
        return [metric.name]
    if metric.built:
        return list(metric.result())
    flat = given.values() if isinstance(given, dict) else given or ()
    return [metric_name(one, get) if isinstance(one, str) else _own_name(one) for one in flat]


def _own_name(metric: Any) -> str:
    return str(getattr(metric, "name", None) or getattr(metric, "__name__", metric))
