"""What every piece of a spec has in common:
closed fields, immutability, and problems found beyond its shape.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from pydantic import BaseModel, ConfigDict

from checks.spec.reading import Path

Found = tuple[Path, str, str]
"""A problem inside a piece: the path within it, what is wrong, and what may have been meant."""


@dataclass(frozen=True)
class Scope:
    """What a piece may refer to: the part's and the reference's variables, and the part's checks by id.

    ``checks`` gives their kinds' words, or an empty text where a check has mistakes of its own.
    """

    variables: frozenset[str] = frozenset()
    reference: frozenset[str] = frozenset()
    checks: Mapping[str, str] = field(default_factory=dict)


class Piece(BaseModel):
    """Base of the models that a spec consists of."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    def problems(self, _scope: Scope) -> Iterable[Found]:
        """Mistakes that only the rest of the spec reveals (names that nothing declares, …)."""
        return ()

    def inner_scope(self, scope: Scope) -> Scope:
        """What the pieces inside this one may refer to."""
        return scope


def walk_scoped(piece: object, scope: Scope, path: Path = ()) -> Iterator[tuple[Path, BaseModel, Scope]]:
    """As :func:`walk`, each model with the scope that it stands in."""
    if isinstance(piece, BaseModel):
        yield path, piece, scope
        inner = piece.inner_scope(scope) if isinstance(piece, Piece) else scope
        for name, info in type(piece).model_fields.items():
            deeper = path if name == "root" else (*path, info.alias or name)
            yield from walk_scoped(getattr(piece, name), inner, deeper)
    elif isinstance(piece, (dict, list)):
        items = piece.items() if isinstance(piece, dict) else enumerate(piece)
        for key, item in items:
            yield from walk_scoped(item, scope, (*path, key))


def walk(piece: object) -> Iterator[tuple[Path, BaseModel]]:
    """Every model inside ``piece``, itself first, with its path as the author wrote it."""
    return ((path, inner) for path, inner, _ in walk_scoped(piece, Scope()))
