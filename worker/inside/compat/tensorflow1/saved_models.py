"""Models in ``.h5`` files that TensorFlow 1 wrote.

Their configs hold what Keras 3 no longer takes: a ``dtype`` in every initialiser, the old name of the
truncated normal distribution, a bare list of layers for a sequential model.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

from .replacing import replace

SHORT_NAMES = frozenset({"mse", "MSE", "mae", "MAE", "mape", "MAPE", "msle", "MSLE", "kld", "KLD"})


def patch(keras: Any) -> None:
    """Patch how Keras reads a legacy file."""
    initializers = {name for name, found in vars(keras.initializers).items() if isinstance(found, type)}

    def modernising(original: Callable[..., Any]) -> Callable[..., Any]:
        def model_from_config(config: Any, custom_objects: Any = None) -> Any:
            return original(modernised(config, initializers), custom_objects)

        return model_from_config

    reading = import_module("keras.src.legacy.saving.saving_utils")
    replace(reading, "model_from_config", modernising)
    replace(reading, "compile_args_from_training_config", _spelling_out_names(keras))
    legacy_files = import_module("keras.src.legacy.saving.legacy_h5_format")
    replace(legacy_files, "load_model_from_hdf5", _compiling_afresh(reading))


def modernised(config: Any, initializers: set[str]) -> Any:
    """The config as Keras 3 writes it; ``initializers`` are the names of the initialisers' classes."""
    if isinstance(config, list):
        return [modernised(item, initializers) for item in config]
    if not isinstance(config, dict):
        return config
    new = {key: modernised(value, initializers) for key, value in config.items()}
    if new.get("class_name") == "Sequential" and isinstance(new.get("config"), list):
        new["config"] = {"name": "sequential", "layers": new["config"]}
    if isinstance(new.get("config"), dict):
        if new.get("class_name") in initializers:
            new["config"] = _modern_initializer(new["config"])
        elif new.get("class_name") != "InputLayer" and "batch_input_shape" in new["config"]:
            # Keras 3 would take the batch axis for an axis of the input.
            new["config"]["input_shape"] = new["config"].pop("batch_input_shape")[1:]
    return new


def _modern_initializer(config: dict[str, Any]) -> dict[str, Any]:
    config = {key: value for key, value in config.items() if key != "dtype"}
    if config.get("distribution") == "normal":
        config["distribution"] = "truncated_normal"
    return config


def _spelling_out_names(keras: Any) -> Callable[..., Any]:
    """Losses and metrics by their full names: Keras 3 does not read ``MSE`` back, which it writes itself."""

    def full(name: str) -> str:
        return str(getattr(keras.losses.get(name), "__name__", name)) if name in SHORT_NAMES else name

    def spelling_out(original: Callable[..., Any]) -> Callable[..., Any]:
        def compile_args(training_config: dict[str, Any], custom_objects: Any = None) -> Any:
            names = {
                key: _mapped(training_config.get(key), full)
                for key in ("loss", "metrics", "weighted_metrics")
            }
            return original({**training_config, **names}, custom_objects)

        return compile_args

    return spelling_out


def _mapped(config: Any, change: Callable[[str], str]) -> Any:
    """The config with its texts changed."""
    if isinstance(config, dict):
        return {key: _mapped(value, change) for key, value in config.items()}
    if isinstance(config, list):
        return [_mapped(value, change) for value in config]
    return change(config) if isinstance(config, str) else config


def _compiling_afresh(reading: Any) -> Callable[..., Any]:
    """A loaded model is compiled as it was, with a new optimizer.

    Keras 3 builds the saved one for no variables at all, so that ``fit`` fails, and warns of what it cannot
    read. A model trained with an optimizer of ``tf.train`` was saved without it: no warning is due for that.
    """
    h5py = import_module("h5py")
    decode = import_module("keras.src.legacy.saving.json_utils").decode

    def loading(original: Callable[..., Any]) -> Callable[..., Any]:
        def load_model_from_hdf5(
            filepath: Any,
            custom_objects: Any = None,
            compile: bool = True,  # noqa: A002 - Keras' own name
            safe_mode: bool = True,
        ) -> Any:
            if not isinstance(filepath, h5py.File):
                with h5py.File(filepath, mode="r") as file:
                    return load_model_from_hdf5(file, custom_objects, compile, safe_mode)
            model = original(filepath, custom_objects, False, safe_mode)
            training = filepath.attrs.get("training_config")
            if compile and training is not None:
                model.compile(**reading.compile_args_from_training_config(decode(training), custom_objects))
            return model

        return load_model_from_hdf5

    return loading
