"""``compile`` and the data of ``fit``, ``evaluate`` and ``predict``, as TensorFlow 1 understood them."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

from .replacing import replace


def patch(keras: Any) -> None:
    """Patch the trainer and its reading of arrays."""
    adapters = import_module("keras.src.trainers.data_adapters.array_data_adapter")
    replace(import_module("keras.src.trainers.trainer").Trainer, "compile", _taking_metrics_third)
    replace(adapters.ArrayDataAdapter, "__init__", _standing_columns_up(keras))


def _taking_metrics_third(original: Callable[..., Any]) -> Callable[..., Any]:
    """``compile(optimizer, loss, metrics, loss_weights)``: Keras 3 has the last two the other way round."""

    def compile(  # noqa: A001 - Keras' own name
        self: Any,
        optimizer: Any = "rmsprop",
        loss: Any = None,
        metrics: Any = None,
        loss_weights: Any = None,
        **kwargs: Any,
    ) -> Any:
        kwargs.pop("sample_weight_mode", None)
        return original(self, optimizer, loss, metrics=metrics, loss_weights=loss_weights, **kwargs)

    return compile


def _standing_columns_up(keras: Any) -> Callable[..., Any]:
    """Arrays of shape ``(n,)`` become ``(n, 1)``, as Keras 3 does with a Series alone.

    Without it a model that was given both kinds is traced for shapes of unknown rank, and fails.
    """
    ndarray = import_module("numpy").ndarray

    def column(values: Any) -> Any:
        return values.reshape(-1, 1) if isinstance(values, ndarray) and values.ndim == 1 else values

    def standing_up(original: Callable[..., Any]) -> Callable[..., Any]:
        def __init__(self: Any, x: Any, y: Any = None, *args: Any, **kwargs: Any) -> None:  # noqa: N807
            original(self, *(keras.tree.map_structure(column, data) for data in (x, y)), *args, **kwargs)

        return __init__

    return standing_up
