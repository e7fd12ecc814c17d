"""Which axes of an array a formula makes itself (``x[:, None]``): these alone go with each place of another.

An axis of length 1 that a value came with says nothing about what the author meant: its owner chose it.
"""

from __future__ import annotations

import ast

Axes = frozenset[int]
_NONE: Axes = frozenset()
_ANY: Axes = frozenset(range(64))  # as many as an array can have
_ELEMENTWISE = frozenset({
    "abs", "ceil", "cos", "exp", "floor", "log", "log10", "log2", "round", "sign", "sin", "sqrt", "tan",
    "tanh",
})  # fmt: skip


def axes_made(tree: ast.expr) -> Axes:
    """The axes that were made with None, also under what computes element by element.

    Where something else was done with them (``transpose(x[:, None])``), it may be any axis.
    """
    match tree:
        case ast.Subscript(value=whole, slice=piece):
            found = _places(piece.elts if isinstance(piece, ast.Tuple) else [piece])
            return found or (_ANY if _makes_axes(whole) else _NONE)
        case ast.UnaryOp(operand=operand):
            return axes_made(operand)
        case ast.BinOp(left=left, right=right):
            one, other = axes_made(left), axes_made(right)
            return one & other if one and other else one | other
        case ast.Call(func=ast.Name(id=name), args=[first, *_]) if name in _ELEMENTWISE:
            return axes_made(first)
        case _:
            return _ANY if _makes_axes(tree) else _NONE


def _makes_axes(tree: ast.expr) -> bool:
    """Whether an axis is made somewhere inside, wherever it is in the end."""
    return any(isinstance(each, ast.Subscript) and _has_none(each.slice) for each in ast.walk(tree))


def _has_none(piece: ast.expr) -> bool:
    pieces = piece.elts if isinstance(piece, ast.Tuple) else [piece]
    return any(isinstance(each, ast.Constant) and each.value is None for each in pieces)


def _places(pieces: list[ast.expr]) -> Axes:
    """Where None stands among the axes that remain; a slice keeps its axis, a whole number takes it away."""
    found: set[int] = set()
    axis = 0
    for piece in pieces:
        match piece:
            case ast.Constant(value=None):
                found.add(axis)
                axis += 1
            case ast.Slice():
                axis += 1
            case ast.Constant() | ast.UnaryOp(operand=ast.Constant()):
                continue
            case _:  # a number or an array: what comes after it has no place that is known
                break
    return frozenset(found)
