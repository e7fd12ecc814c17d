"""What every piece of a spec has in common:
closed fields, immutability, and problems found beyond its shape.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

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

    def with_variables(self, *names: str) -> Scope:
        """The scope with more variables."""
        return replace(self, variables=self.variables | set(names))


class Piece(BaseModel):
    """Base of the models that a spec consists of."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    def problems(self, _scope: Scope) -> Iterable[Found]:
        """Mistakes that only the rest of the spec reveals (names that nothing declares, …)."""
        return ()

    def inner_scope(self, scope: Scope) -> Scope:
        """What the pieces inside this one may refer to: more, where it gives names of its own."""
        return scope

    def wants_reference(self) -> bool:
        """Whether this piece by itself, without those inside it, looks at the author's run."""
        return False


def walk(piece: object, path: Path = ()) -> Iterator[tuple[Path, BaseModel]]:
    """Every model inside ``piece``, itself first, with its path as the author wrote it."""
    for where, inner, _scope in walk_in_scope(piece, path, Scope()):
        yield where, inner


def walk_in_scope(piece: object, path: Path, scope: Scope) -> Iterator[tuple[Path, BaseModel, Scope]]:
    """As :func:`walk`, with what each model may refer to."""
    if isinstance(piece, BaseModel):
        yield path, piece, scope
        inside = getattr(piece, "inner_scope", lambda same: same)(scope)
        for name, info in type(piece).model_fields.items():
            deeper = path if name == "root" else (*path, info.alias or name)
            yield from walk_in_scope(getattr(piece, name), deeper, inside)
    elif isinstance(piece, dict):
        for key, item in piece.items():
            yield from walk_in_scope(item, (*path, key), scope)
    elif isinstance(piece, list):
        for number, item in enumerate(piece):
            yield from walk_in_scope(item, (*path, number), scope)
