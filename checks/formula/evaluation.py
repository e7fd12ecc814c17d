"""Computing a formula. Nothing here raises: what has no value is a :class:`Failure` with its reason."""

from __future__ import annotations

import ast
import math
import operator
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from checks.evidence import values as v
from checks.formula.axes import Axes, axes_made
from checks.formula.cost import MAX_BITS, MAX_TEXT, Budget, UndefinedError
from checks.formula.exchange import Frame, Labelled, key_of, node_of, value_of
from checks.formula.functions import CONSTANTS, FUNCTIONS, array, elements, text, truth
from checks.formula.parsing import REFERENCE, ParsedFormula

_FAULTS = (UndefinedError, TypeError, ValueError, LookupError, ArithmeticError, RecursionError, MemoryError)


@dataclass(frozen=True)
class Result:
    """What a formula comes to."""

    value: Any

    def node(self) -> v.AnyNode:
        """As evidence."""
        return node_of(self.value)


@dataclass(frozen=True)
class Failure:
    """A formula without a value: ``why``, a clause; ``absent`` is the variable that has none."""

    why: str
    absent: str = ""


def evaluate(
    formula: ParsedFormula, values: Mapping[str, v.AnyNode], expected: Callable[[str], v.AnyNode]
) -> Result | Failure:
    """Compute over the student's ``values``; ``expected`` gives the author's (its errors go through)."""
    for name in formula.names:
        if name not in values:
            return Failure(f"{name} has no value", absent=name)
    known = {name: expected(name) for name in formula.references}
    try:
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return Result(_Evaluation(values, known).of(formula.tree))
    except UndefinedError as error:
        return Failure(str(error))
    except _FAULTS as error:
        return Failure(_reason(error))


def _reason(error: BaseException) -> str:
    if isinstance(error, KeyError):
        return f"there is no key {error}"
    if isinstance(error, ZeroDivisionError):
        return "a division by zero"
    return str(error).split("\n")[0][:200] or type(error).__name__


class _Evaluation:
    """One walk over a formula's tree."""

    def __init__(self, values: Mapping[str, v.AnyNode], reference: Mapping[str, v.AnyNode]) -> None:
        self._values, self._reference = values, reference
        self._seen: dict[tuple[str, str], Any] = {}
        self._bound: dict[str, Any] = {}
        self._budget = Budget()

    def of(self, tree: ast.expr) -> Any:
        """The value of a piece."""
        self._budget.spend()
        found = getattr(self, f"_{type(tree).__name__.lower()}")(tree)
        self._budget.spend(_size(found))
        return found

    def _constant(self, tree: ast.Constant) -> Any:
        return tree.value

    def _name(self, tree: ast.Name) -> Any:
        if tree.id in self._bound:
            return self._bound[tree.id]
        if tree.id in self._values:
            return self._taken("values", tree.id, self._values)
        return CONSTANTS[tree.id]

    def _taken(self, where: str, name: str, nodes: Mapping[str, v.AnyNode]) -> Any:
        if (where, name) not in self._seen:
            self._seen[where, name] = value_of(nodes[name])
        return self._seen[where, name]

    def _call(self, tree: ast.Call) -> Any:
        name = tree.func.id  # type: ignore[attr-defined]
        if name == REFERENCE:
            return self._taken("reference", tree.args[0].id, self._reference)  # type: ignore[attr-defined]
        given = [self.of(each) for each in tree.args]
        self._budget.spend(sum(map(_size, given)))
        return FUNCTIONS[name](*given, **{str(each.arg): self.of(each.value) for each in tree.keywords})

    def _boolop(self, tree: ast.BoolOp) -> bool:
        wanted = isinstance(tree.op, ast.Or)
        return next((wanted for each in tree.values if truth(self.of(each)) is wanted), not wanted)

    def _ifexp(self, tree: ast.IfExp) -> Any:
        return self.of(tree.body if truth(self.of(tree.test)) else tree.orelse)

    def _unaryop(self, tree: ast.UnaryOp) -> Any:
        found = self.of(tree.operand)
        match tree.op:
            case ast.Not():
                return not truth(found)
            case ast.Invert():
                return not found if isinstance(found, bool) else ~_truths(found)
            case ast.USub():
                return -array(found)
            case _:
                return +array(found)

    def _binop(self, tree: ast.BinOp) -> Any:
        left, right = self.of(tree.left), self.of(tree.right)
        if isinstance(left, frozenset) and isinstance(right, frozenset):
            return _SETS[type(tree.op)](left, right)
        if isinstance(left, str) and isinstance(right, str) and isinstance(tree.op, ast.Add):
            return text(left + right)
        return self._arithmetic(tree.op, array(left), array(right))

    def _arithmetic(self, op: ast.operator, left: Any, right: Any) -> Any:
        for each in (left, right):
            if not isinstance(each, (bool, int, float, complex, np.ndarray, np.generic)):
                raise UndefinedError("arithmetic with something else than numbers")
        if isinstance(left, int) and isinstance(right, int):
            _check_whole(op, left, right)
        if isinstance(left, np.ndarray) and isinstance(right, np.ndarray):
            shape = () if isinstance(op, ast.MatMult) else np.broadcast_shapes(left.shape, right.shape)
            self._budget.spend(math.prod(shape))
        if isinstance(op, ast.MatMult):
            return FUNCTIONS["dot"](left, right)
        if isinstance(op, (ast.BitAnd, ast.BitOr, ast.BitXor)):
            left, right = _truths(left), _truths(right)
        if isinstance(op, ast.Pow) and isinstance(left, np.ndarray) and left.dtype.kind in "iu":
            left = left.astype(np.float64)
        return _ARITHMETIC[type(op)](left, right)

    def _compare(self, tree: ast.Compare) -> Any:
        left, made = self.of(tree.left), axes_made(tree.left)
        found: Any = True
        for op, piece in zip(tree.ops, tree.comparators, strict=True):
            right, made_here = self.of(piece), axes_made(piece)
            one = self._compared(op, left, right, (made, made_here))
            if isinstance(one, np.ndarray) or isinstance(found, np.ndarray):
                found = np.logical_and(found, one)
            elif not one:
                return False
            left, made = right, made_here
        return found

    def _compared(self, op: ast.cmpop, left: Any, right: Any, made: tuple[Axes, Axes]) -> Any:  # noqa: PLR0911 - one line an operator
        match op:
            case ast.Is():
                return left is None
            case ast.IsNot():
                return left is not None
            case ast.In():
                return _contains(right, left)
            case ast.NotIn():
                return not _contains(right, left)
            case ast.Eq():
                return self._equal(left, right, made)
            case ast.NotEq():
                found = self._equal(left, right, made)
                return ~found if isinstance(found, np.ndarray) else not found
        if isinstance(left, (str, frozenset)) and type(left) is type(right):
            return _ORDER[type(op)](left, right)
        one, other = _comparable(left), _comparable(right)
        self._spend_together(one, other)
        return _ORDER[type(op)](one, other)

    def _equal(self, left: Any, right: Any, made: tuple[Axes, Axes]) -> Any:
        """As :func:`_same`; arrays also where an axis was made to go with each place of the other's."""
        one, other = (each.values if isinstance(each, Labelled) else each for each in (left, right))
        if not any(made) or not isinstance(one, np.ndarray) or not isinstance(other, np.ndarray):
            return _same(one, other)
        if not _go_together(one, other, made):
            return False
        self._spend_together(one, other)
        return np.asarray(one == other)

    def _spend_together(self, one: Any, other: Any) -> None:
        if isinstance(one, np.ndarray) and isinstance(other, np.ndarray):
            self._budget.spend(math.prod(np.broadcast_shapes(one.shape, other.shape)))

    def _subscript(self, tree: ast.Subscript) -> Any:
        whole, key = self.of(tree.value), self._key(tree.slice)
        if isinstance(whole, Frame):
            return whole.column(str(key))
        if isinstance(whole, dict):
            return whole[key_of(key)]
        if isinstance(whole, Labelled):
            whole = whole.values
        if isinstance(whole, np.ndarray):
            key = array(key) if isinstance(key, (list, Labelled)) else key
            found = whole[key]
            return found.item() if isinstance(found, np.generic) and found.dtype.kind not in "Mm" else found
        return whole[key]

    def _key(self, tree: ast.expr) -> Any:
        if isinstance(tree, ast.Slice):
            ends = (tree.lower, tree.upper, tree.step)
            return slice(*(None if end is None else self.of(end) for end in ends))
        if isinstance(tree, ast.Tuple):
            return tuple(self._key(each) for each in tree.elts)
        return self.of(tree)

    def _list(self, tree: ast.List) -> list[Any]:
        return [self.of(each) for each in tree.elts]

    def _tuple(self, tree: ast.Tuple) -> tuple[Any, ...]:
        return tuple(self.of(each) for each in tree.elts)

    def _set(self, tree: ast.Set) -> frozenset[Any]:
        return frozenset(key_of(self.of(each)) for each in tree.elts)

    def _dict(self, tree: ast.Dict) -> dict[Any, Any]:
        pairs = zip(tree.keys, tree.values, strict=True)
        return {key_of(self.of(key)): self.of(value) for key, value in pairs if key is not None}

    def _listcomp(self, tree: ast.ListComp) -> list[Any]:
        return [self.of(tree.elt) for _ in self._rounds(tree.generators)]

    def _generatorexp(self, tree: ast.GeneratorExp) -> list[Any]:
        return [self.of(tree.elt) for _ in self._rounds(tree.generators)]

    def _setcomp(self, tree: ast.SetComp) -> frozenset[Any]:
        return frozenset(key_of(self.of(tree.elt)) for _ in self._rounds(tree.generators))

    def _dictcomp(self, tree: ast.DictComp) -> dict[Any, Any]:
        return {key_of(self.of(tree.key)): self.of(tree.value) for _ in self._rounds(tree.generators)}

    def _rounds(self, generators: list[ast.comprehension]) -> Iterator[None]:
        first, *rest = generators
        outer = dict(self._bound)
        for each in elements(self.of(first.iter)):
            self._budget.spend()
            self._bind(first.target, each)
            if all(truth(self.of(condition)) for condition in first.ifs):
                if rest:
                    yield from self._rounds(rest)
                else:
                    yield None
        self._bound = outer

    def _bind(self, target: ast.expr, value: Any) -> None:
        if isinstance(target, ast.Name):
            self._bound[target.id] = value
            return
        names = target.elts  # type: ignore[attr-defined]
        for name, each in zip(names, elements(value), strict=True):
            self._bind(name, each)


_ARITHMETIC: dict[type, Callable[[Any, Any], Any]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv, ast.Mod: operator.mod, ast.Pow: operator.pow, ast.BitAnd: operator.and_,
    ast.BitOr: operator.or_, ast.BitXor: operator.xor,
}  # fmt: skip
_SETS: dict[type, Callable[[Any, Any], Any]] = {
    ast.Sub: operator.sub, ast.BitAnd: operator.and_, ast.BitOr: operator.or_, ast.BitXor: operator.xor,
}  # fmt: skip
_ORDER: dict[type, Callable[[Any, Any], Any]] = {
    ast.Lt: operator.lt, ast.LtE: operator.le, ast.Gt: operator.gt, ast.GtE: operator.ge,
}  # fmt: skip


def _comparable(value: Any) -> Any:
    found = array(value)
    if isinstance(found, (v.Node, Frame, frozenset, dict)) or found is None:
        raise UndefinedError("a comparison of something else than numbers")
    return found


def _contains(whole: Any, part: Any) -> bool:
    if isinstance(whole, str):
        return isinstance(part, str) and part in whole
    if isinstance(whole, (frozenset, dict)):
        return key_of(part) in whole
    return any(bool(np.all(_same(each, part))) for each in elements(whole))


def _same(left: Any, right: Any) -> Any:
    """Element by element where one is an array, else as a whole. Arrays of other shapes are not equal."""
    one, other = (each.values if isinstance(each, Labelled) else each for each in (left, right))
    if isinstance(one, np.ndarray) or isinstance(other, np.ndarray):
        if isinstance(one, (frozenset, dict, v.Node)) or isinstance(other, (frozenset, dict, v.Node)):
            return False
        one, other = np.asarray(one), np.asarray(other)
        if one.shape != other.shape and one.shape and other.shape:
            return False
        return np.asarray(one == other)
    if isinstance(one, (Frame, v.Node)) or isinstance(other, (Frame, v.Node)):
        raise UndefinedError("a comparison of whole tables or objects; the kind equal compares them")
    return bool(one == other)


def _go_together(one: np.ndarray[Any, Any], other: np.ndarray[Any, Any], made: tuple[Axes, Axes]) -> bool:
    """Whether arrays of one number of axes agree in every axis but those that were made."""
    if one.ndim != other.ndim or (one.shape != other.shape and not one.size * other.size):
        return False
    return all(
        a == b or (a == 1 and axis in made[0]) or (b == 1 and axis in made[1])
        for axis, (a, b) in enumerate(zip(one.shape, other.shape, strict=True))
    )


def _truths(value: Any) -> Any:
    found = array(value)
    if isinstance(found, bool) or (isinstance(found, np.ndarray) and found.dtype.kind == "b"):
        return found
    raise UndefinedError("& | ~ want truth values")


def _check_whole(op: ast.operator, left: int, right: int) -> None:
    """Whole numbers have no bound of their own."""
    bits = left.bit_length() + right.bit_length()
    if isinstance(op, ast.Pow):
        bits = left.bit_length() * max(1, right)
    if bits > MAX_BITS:
        raise UndefinedError("a number would become too large")


def _size(value: Any) -> int:
    if isinstance(value, np.ndarray):
        return value.size
    if isinstance(value, Labelled):
        return value.values.size
    if isinstance(value, (list, tuple, frozenset, dict)):
        return len(value)
    return len(value) // 100 if isinstance(value, str) and len(value) > MAX_TEXT // 100 else 0
