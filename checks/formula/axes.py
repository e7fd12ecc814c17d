"""Which axes of an array a formula makes itself (``x[:, None]``): these alone go with each place of another.

An axis of length 1 that a value came with says nothing about what the author meant: its owner chose it.
"""

from __future__ import annotations

import ast

Axes = frozenset[int]
_NONE: Axes = frozenset()
_ELEMENTWISE = frozenset({
    "abs", "ceil", "cos", "exp", "floor", "log", "log10", "log2", "round", "sign", "sin", "sqrt", "tan",
    "tanh",
})  # fmt: skip


def axes_made(tree: ast.expr) -> Axes:
    """The axes that were made with None, also under what computes element by element."""
    match tree:
        case ast.Subscript(slice=ast.Tuple(elts=pieces)):
            return _places(pieces)
        case ast.Subscript(slice=piece):
            return _places([piece])
        case ast.UnaryOp(operand=operand):
            return axes_made(operand)
        case ast.BinOp(left=left, right=right):
            one, other = axes_made(left), axes_made(right)
            return one & other if one and other else one | other
        case ast.Call(func=ast.Name(id=name), args=[first, *_]) if name in _ELEMENTWISE:
            return axes_made(first)
        case _:
            return _NONE


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
