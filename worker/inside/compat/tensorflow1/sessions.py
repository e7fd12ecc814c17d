"""``tf.Session`` where no graph is to be run: TensorFlow 2 has computed a value when ``run`` asks for it."""

from __future__ import annotations

from typing import Any

NO_PLACEHOLDERS = (
    "this TensorFlow has no placeholders that a session could feed: call a function with the values instead"
)


class Session:
    """Takes what TensorFlow 1's session took; ``graph`` and ``config`` change nothing."""

    def __init__(self, target: str = "", graph: Any = None, config: Any = None) -> None:
        self.graph = graph

    def run(self, fetches: Any, feed_dict: Any = None, options: Any = None, run_metadata: Any = None) -> Any:
        """The values as numpy arrays, in the structure of ``fetches``; operations give None.

        Raises RuntimeError when something is to be fed.
        """
        if feed_dict:
            raise RuntimeError(NO_PLACEHOLDERS)
        return _value(fetches)

    def as_default(self) -> Session:
        """The session itself, for ``with``."""
        return self

    def close(self) -> None:
        """Nothing is held."""

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()


def patch(tensorflow: Any) -> None:
    """Put the class and the operations that only a graph needs into ``tf``."""
    tensorflow.Session = tensorflow.InteractiveSession = Session
    for name in ("global_variables_initializer", "local_variables_initializer", "tables_initializer"):
        setattr(tensorflow, name, lambda: None)


def _value(fetch: Any) -> Any:
    if isinstance(fetch, dict):
        return {key: _value(item) for key, item in fetch.items()}
    if isinstance(fetch, list | tuple):
        return type(fetch)(_value(item) for item in fetch)
    return fetch.numpy() if hasattr(fetch, "numpy") else fetch
