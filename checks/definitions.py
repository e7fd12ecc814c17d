"""Functions and classes that the starter hands out, to be filled in: were they?"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence

from checks.source import assigned_names, parse

_Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def as_given(names: Iterable[str], sources: Sequence[str], starter: Sequence[str]) -> bool:
    """Whether what defines each name last in ``sources`` is, comments aside, what defines it in the starter.

    False where the starter defines one of them not at all.
    """
    pairs = [(_last_definition(starter, name), _last_definition(sources, name)) for name in names]
    return bool(pairs) and all(
        given is not None and seen is not None and ast.dump(given) == ast.dump(seen) for given, seen in pairs
    )


def _last_definition(sources: Sequence[str], name: str) -> _Definition | None:
    """The function or class that the last cell with this name binds to it; None for anything else."""
    binding = [source for source in sources if name in assigned_names(source)]
    tree = parse(binding[-1]) if binding else None
    found = (
        [node for node in tree.body if isinstance(node, _Definition) and node.name == name] if tree else []
    )
    return found[-1] if found else None
