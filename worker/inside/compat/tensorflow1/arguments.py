"""What TensorFlow 1's layers took: numpy's integers, ``input_length``, ``batch_input_shape`` and its kind."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from .plain import plain
from .replacing import replace

Init = Callable[..., None]


def patch(keras: Any) -> None:
    """Patch ``__init__`` of all layers."""
    replace(keras.layers.Embedding, "__init__", _taking_input_length)
    replace(keras.layers.Layer, "__init__", _taking_input_shape)
    for layer in layer_classes(keras):
        replace(layer, "__init__", taking_numpy_numbers)


def layer_classes(keras: Any) -> Iterator[type]:
    """Keras' layer classes and their bases in Keras that have an ``__init__`` of their own, each once."""
    public = [found for found in vars(keras.layers).values() if isinstance(found, type)]
    bases = {base for found in public if issubclass(found, keras.layers.Layer) for base in found.__mro__}
    yield from (
        base for base in bases if base.__module__.startswith("keras.src.layers") and "__init__" in vars(base)
    )


def taking_numpy_numbers(original: Init) -> Init:
    """An ``__init__`` that turns numpy's numbers into Python's."""

    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:  # noqa: N807
        original(self, *map(plain, args), **{name: plain(value) for name, value in kwargs.items()})

    return __init__


def _taking_input_length(original: Init) -> Init:
    """``input_length=n`` says of an Embedding that its input has the shape ``(n,)``."""

    def __init__(self: Any, *args: Any, input_length: Any = None, **kwargs: Any) -> None:  # noqa: N807
        args, input_length = tuple(map(plain, args)), plain(input_length)
        kwargs = {name: plain(value) for name, value in kwargs.items()}
        if input_length is not None and not {"input_shape", "batch_input_shape"} & kwargs.keys():
            kwargs["input_shape"] = (
                tuple(input_length) if isinstance(input_length, list | tuple) else (input_length,)
            )
        original(self, *args, **kwargs)
        self.input_length = input_length

    return __init__


def _taking_input_shape(original: Init) -> Init:
    """Shapes of inputs as keywords of any layer; Keras 3 warns of one and does not know the other."""

    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:  # noqa: N807
        shape, batch, width = (
            kwargs.pop(name, None) for name in ("input_shape", "batch_input_shape", "input_dim")
        )
        original(self, *args, **kwargs)
        if batch is not None:
            shape = batch[1:]
        elif width is not None:
            shape = (width,)
        if shape is not None:
            self._input_shape_arg = tuple(map(plain, shape))

    return __init__
