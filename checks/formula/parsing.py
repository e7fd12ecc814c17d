"""From a formula's text to a tree in which everything is allowed, or to the first mistake with its place."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache

from checks.formula.functions import CONSTANTS, FUNCTIONS, PREDICATES

MAX_LENGTH = 2_000
MAX_NODES = 400
REFERENCE = "reference"
_ALLOWED = (
    ast.Expression, ast.Constant, ast.Name, ast.Load, ast.Store, ast.BinOp, ast.UnaryOp, ast.BoolOp,
    ast.Compare, ast.IfExp, ast.Call, ast.keyword, ast.Subscript, ast.Slice, ast.List, ast.Tuple, ast.Set,
    ast.Dict, ast.GeneratorExp, ast.ListComp, ast.SetComp, ast.DictComp, ast.comprehension, ast.Add,
    ast.Sub, ast.Mult, ast.Div, ast.FloorDiv, ast.Mod, ast.Pow, ast.MatMult, ast.USub, ast.UAdd, ast.Not,
    ast.Invert, ast.And, ast.Or, ast.BitAnd, ast.BitOr, ast.BitXor, ast.Eq, ast.NotEq, ast.Lt, ast.LtE,
    ast.Gt, ast.GtE, ast.In, ast.NotIn, ast.Is, ast.IsNot,
)  # fmt: skip
_WHY = {
    ast.Attribute: "a formula has no attributes: columns are films['norm'], functions are len(x)",
    ast.Lambda: "a formula has no lambda",
    ast.NamedExpr: "a formula assigns nothing",
    ast.Starred: "a formula has no starred values",
    ast.JoinedStr: "a formula has no f-strings",
    ast.Await: "a formula has no await",
}


class FormulaError(ValueError):
    """The author's mistake in a formula; the text says where and what."""


@dataclass(frozen=True, eq=False)
class ParsedFormula:
    """A formula: ``names`` are the student's variables in it, ``references`` the author's."""

    text: str
    tree: ast.expr
    names: tuple[str, ...]
    references: tuple[str, ...]

    @property
    def is_condition(self) -> bool:
        """Whether its value is true or false, or an array of these."""
        return _is_condition(self.tree)


@lru_cache(maxsize=2_048)
def parsed(text: str) -> ParsedFormula:
    """Read a formula; raises FormulaError."""
    if len(text) > MAX_LENGTH:
        raise FormulaError(f"the formula has {len(text)} characters, the limit is {MAX_LENGTH}")
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        at = f" at character {error.offset}" if isinstance(error, SyntaxError) and error.offset else ""
        why = error.msg if isinstance(error, SyntaxError) else str(error)
        raise FormulaError(f"the formula cannot be read{at}: {why}") from error
    _check_nodes(tree)
    names, references = _Names(tree).found()
    return ParsedFormula(text, tree, names, references)


def _check_nodes(tree: ast.expr) -> None:
    nodes = list(ast.walk(tree))
    if len(nodes) > MAX_NODES:
        raise FormulaError(f"the formula has more than {MAX_NODES} pieces")
    for node in nodes:
        if not isinstance(node, _ALLOWED):
            raise _mistake(node, _WHY.get(type(node), f"a formula has no {type(node).__name__}"))
        if isinstance(node, ast.Constant) and isinstance(node.value, (bytes, type(...))):
            raise _mistake(node, "a formula knows numbers, texts, True, False and None")
        if isinstance(node, ast.comprehension) and node.is_async:
            raise FormulaError("a formula has no async")
        if isinstance(node, ast.Dict) and None in node.keys:
            raise _mistake(node, "a formula has no starred values")
        if isinstance(node, (ast.Is, ast.IsNot)):
            _check_is(tree)


def _check_is(tree: ast.expr) -> None:
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare):
            for operator, right in zip(node.ops, node.comparators, strict=True):
                none = isinstance(right, ast.Constant) and right.value is None
                if isinstance(operator, (ast.Is, ast.IsNot)) and not none:
                    raise _mistake(node, "`is` asks for None alone; use ==")


def _mistake(node: ast.AST, what: str) -> FormulaError:
    column = getattr(node, "col_offset", None)
    return FormulaError(what if column is None else f"{what} (at character {column + 1})")


class _Names(ast.NodeVisitor):
    """The names of a formula, those that its comprehensions bind taken out; calls are checked on the way."""

    def __init__(self, tree: ast.expr) -> None:
        self._bound: list[str] = []
        self._names: dict[str, None] = {}
        self._references: dict[str, None] = {}
        self.visit(tree)

    def found(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        return tuple(self._names), tuple(self._references)

    def visit_Name(self, node: ast.Name) -> None:
        if node.id not in self._bound and node.id not in CONSTANTS:
            self._names[node.id] = None

    def visit_Call(self, node: ast.Call) -> None:
        if not isinstance(node.func, ast.Name):
            raise _mistake(node, "only functions can be called")
        name = node.func.id
        if name == REFERENCE:
            self._references[_referred(node)] = None
            return
        if name not in FUNCTIONS:
            near = get_close_matches(name, FUNCTIONS, n=1)
            raise _mistake(node, f"there is no function {name!r}" + (f", but {near[0]!r}" if near else ""))
        _check_arguments(node, name)
        for argument in (*node.args, *(keyword.value for keyword in node.keywords)):
            self.visit(argument)

    def visit_GeneratorExp(self, node: ast.GeneratorExp) -> None:
        self._comprehension(node.generators, [node.elt])

    def visit_ListComp(self, node: ast.ListComp) -> None:
        self._comprehension(node.generators, [node.elt])

    def visit_SetComp(self, node: ast.SetComp) -> None:
        self._comprehension(node.generators, [node.elt])

    def visit_DictComp(self, node: ast.DictComp) -> None:
        self._comprehension(node.generators, [node.key, node.value])

    def _comprehension(self, generators: list[ast.comprehension], bodies: list[ast.expr]) -> None:
        before = len(self._bound)
        for each in generators:
            self.visit(each.iter)
            self._bound += _targets(each.target)
            for condition in each.ifs:
                self.visit(condition)
        for body in bodies:
            self.visit(body)
        del self._bound[before:]


def _targets(target: ast.expr) -> Iterator[str]:
    if isinstance(target, ast.Name):
        yield target.id
    elif isinstance(target, ast.Tuple):
        for each in target.elts:
            yield from _targets(each)
    else:
        raise _mistake(target, "a comprehension binds names")


def _referred(node: ast.Call) -> str:
    argument = node.args[0] if len(node.args) == 1 and not node.keywords else None
    if not isinstance(argument, ast.Name):
        raise _mistake(node, "write reference(name), with the name of a variable of the author's run")
    return argument.id


def _check_arguments(node: ast.Call, name: str) -> None:
    if any(keyword.arg is None for keyword in node.keywords):
        raise _mistake(node, "a formula has no starred values")
    try:
        inspect.signature(FUNCTIONS[name]).bind(*node.args, **{str(each.arg): 0 for each in node.keywords})
    except TypeError as error:
        raise _mistake(node, f"{name}(…): {error}") from error
    except ValueError:  # a built-in without a signature; the evaluation says what is wrong
        return


def _is_condition(tree: ast.expr) -> bool:  # noqa: PLR0911 - one line a kind of expression
    match tree:
        case ast.Compare() | ast.UnaryOp(op=ast.Not()) | ast.Constant(value=bool()):
            return True
        case ast.BoolOp(values=values):
            return all(map(_is_condition, values))
        case ast.BinOp(left=left, op=ast.BitAnd() | ast.BitOr() | ast.BitXor(), right=right):
            return _is_condition(left) and _is_condition(right)
        case ast.UnaryOp(op=ast.Invert(), operand=operand):
            return _is_condition(operand)
        case ast.IfExp(body=body, orelse=orelse):
            return _is_condition(body) and _is_condition(orelse)
        case ast.Call(func=ast.Name(id=name)):
            return name in PREDICATES
        case _:
            return False
