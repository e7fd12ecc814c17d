"""TensorFlow 1 code under TensorFlow 2 and Keras 3.

One file for each thing that changed. Classes are patched, never replaced or subclassed: what a file loads and
what a notebook builds keep one class.
"""

from __future__ import annotations

from types import ModuleType

from . import arguments, backend, metrics, names, optimizers, saved_models, seeds, sessions, shapes, training


def patch_keras(keras: ModuleType) -> None:
    """Patch Keras' classes."""
    arguments.patch(keras)
    shapes.patch(keras)
    metrics.patch(keras)
    optimizers.patch_keras(keras)
    training.patch(keras)
    saved_models.patch(keras)


def patch_tensorflow(tensorflow: ModuleType) -> None:
    """Give ``tf`` the names that it had."""
    names.patch(tensorflow)
    seeds.patch(tensorflow)
    optimizers.patch_tensorflow(tensorflow)
    sessions.patch(tensorflow)


MODULES = {
    "keras": patch_keras,
    "keras.backend": backend.patch,
    "keras._tf_keras.keras.backend": backend.patch,
    "tensorflow.keras.backend": backend.patch,
    "tensorflow": patch_tensorflow,
}
