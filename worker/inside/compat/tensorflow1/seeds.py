"""``tf.set_random_seed``: one call, and all that TensorFlow and Keras draw is the same again."""

from __future__ import annotations

import random
from importlib import import_module
from typing import Any

from .plain import plain


def patch(tensorflow: Any) -> None:
    """Put the function where TensorFlow 1 had it."""

    def set_random_seed(seed: Any) -> None:
        """Seed TensorFlow's and Keras' generators; Python's and numpy's stay as they are."""
        generators: Any = import_module("keras.src.random.seed_generator")
        state = import_module("keras.src.backend.common.global_state")
        tensorflow.random.set_seed(plain(seed))
        # Keras seeds its initialisers from the module `random`, which TensorFlow 1 did not touch.
        generators.python_random = random.Random(plain(seed))
        state.set_global_attribute(generators.GLOBAL_SEED_GENERATOR, None)

    tensorflow.set_random_seed = set_random_seed
    tensorflow.random.set_random_seed = set_random_seed
