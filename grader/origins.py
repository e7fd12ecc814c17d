"""Where each setting's value comes from."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping

from grader.settings import Settings, config_file


def origins(flags: Mapping[str, object]) -> dict[str, str]:
    """By setting: the flag, variable or file that has it, or ``default``; strongest first, as Settings reads.

    ``flags`` are those that were given, by the names of their settings. Raises what Settings() raises for a
    file that cannot be read, so make the settings first.
    """
    variables = {name.upper() for name in os.environ}
    file = config_file()
    in_file = _keys(file.read_text()) if file is not None and file.is_file() else frozenset()

    def origin(name: str) -> str:
        if name in flags:
            return "flag"
        if f"GRADER_{name.upper()}" in variables:
            return f"GRADER_{name.upper()}"
        return str(file) if name in in_file else "default"

    return {name: origin(name) for name in Settings.model_fields}


def _keys(text: str) -> frozenset[str]:
    return frozenset(tomllib.loads(text))
