"""Cells' source code: what a cell assigns, which checks it calls, what it stores. Nothing is executed.

IPython's own lines (``%magic``, ``!command``, ``name?``) are no Python; they are taken out before parsing. A
cell that is no Python even so is looked at as text without its comments.
"""

from __future__ import annotations

import ast
import json
import re
import warnings
from collections.abc import Iterator
from functools import lru_cache

_MAGIC_LINE = re.compile(r"^(\s*)(?:[%!].*|\?\??[\w.]+|[\w.]+\?\??)$")
_MAGIC_VALUE = re.compile(r"^(\s*[\w., \[\]'\"]+=\s*)[%!].*$")
_BINDING_MAGIC = re.compile(r"^\s*%(?:run|load|store|pylab)\b|^\s*%%(?!time|capture)", re.MULTILINE)
_COMMENT = re.compile(r"#[^\n]*")
# Cell magics whose body is Python that runs in the notebook's own namespace.
_PYTHON_CELLS = ("%%time", "%%timeit", "%%capture", "%%prun")


class NotANotebookError(ValueError):
    """The bytes are no notebook."""


def code_cells(notebook: bytes) -> list[str]:
    """The sources of a notebook's code cells (nbformat 4 JSON); raises NotANotebookError."""
    try:
        cells = json.loads(notebook)["cells"]
        return [_joined(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise NotANotebookError(f"no notebook of nbformat 4: {error}") from error


@lru_cache(maxsize=512)
def parse(source: str) -> ast.Module | None:
    """The syntax tree of a cell without IPython's lines; None where it is no Python."""
    for text in (source, without_magics(source)):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                return ast.parse(text)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            continue
    return None


def without_magics(source: str) -> str:
    """Python only: IPython's lines become ``pass``, values that a magic gives become ``None``."""
    lines = source.splitlines()
    first = next((number for number, line in enumerate(lines) if line.strip()), 0)
    if lines and lines[first].startswith("%%"):
        if not lines[first].startswith(_PYTHON_CELLS):
            return ""
        lines[first] = "pass"
    return "\n".join(_MAGIC_VALUE.sub(r"\1None", _MAGIC_LINE.sub(r"\1pass", line)) for line in lines)


def without_comments(source: str) -> str:
    """The text up to each ``#`` (also one inside a text: for cells that cannot be parsed, near enough)."""
    return _COMMENT.sub("", source)


@lru_cache(maxsize=4096)
def assigned_names(source: str) -> frozenset[str]:
    """Every name that a cell binds anywhere in it: assignments of all forms, loops, imports, definitions …"""
    tree = parse(source)
    return frozenset(name for node in ast.walk(tree) for name in _bound_by(node)) if tree else frozenset()


def binds_unseen(source: str) -> bool:
    """Whether a cell may bind names that its text hides: ``import *``, ``exec``, ``%run``, no Python."""
    tree = parse(source)
    if tree is None or _BINDING_MAGIC.search(source):
        return True
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and any(alias.name == "*" for alias in node.names):
            return True
        if isinstance(node, ast.Name) and node.id in ("exec", "globals", "locals", "get_ipython"):
            return True
    return False


@lru_cache(maxsize=4096)
def gives_literal(source: str, name: str) -> bool:
    """Whether the last thing that a cell binds to ``name`` is a literal, by a plain assignment."""
    tree = parse(source)
    binding = [node for node in ast.walk(tree) if name in _bound_by(node)] if tree else []
    if not tree or not binding:
        return False
    last = max(binding, key=lambda node: (getattr(node, "lineno", 0), getattr(node, "col_offset", 0)))
    return any(last in _targets(node) and _is_literal(node) for node in ast.walk(tree))


def _targets(node: ast.AST) -> list[ast.expr]:
    return (
        node.targets
        if isinstance(node, ast.Assign)
        else [node.target]
        if isinstance(node, ast.AnnAssign)
        else []
    )


def _is_literal(node: ast.AST) -> bool:
    if not isinstance(node, (ast.Assign, ast.AnnAssign)) or node.value is None:
        return False
    try:
        ast.literal_eval(node.value)
    except (ValueError, TypeError, RecursionError, MemoryError):
        return False
    return True


def mentions(source: str, name: str) -> bool:
    """Whether the text, comments aside, holds the name as a word."""
    return re.search(rf"(?<!\w){re.escape(name)}(?!\w)", without_comments(source)) is not None


@lru_cache(maxsize=4096)
def calls_check(source: str, part: str) -> bool:
    """Whether a cell calls the part's ``check()``, by its own name or through a module."""
    tree = parse(source)
    if tree is None:
        return re.search(rf"(?<!\w){re.escape(part)}\s*\.\s*check\s*\(", without_comments(source)) is not None
    return any(_is_call_of(node, part, ("check",)) for node in ast.walk(tree))


def only_asks(source: str, part: str) -> bool:
    """Whether a cell does nothing but call the part's check, hint or solution, or look at a value."""
    tree = parse(source)
    return tree is not None and all(_is_asking(statement, part) for statement in tree.body)


@lru_cache(maxsize=4096)
def stores_column(source: str, table: str, column: str) -> bool:
    """Whether a cell may add ``column`` to ``table``: any store into the table, or the column's name in a
    store of anything, in ``assign``, ``insert``, ``rename``, or as a keyword. A cell that is no Python counts
    by its text."""
    tree = parse(source)
    if tree is None:
        return mentions(source, table) or mentions(source, column)
    return any(_stores(node, table, column) for node in ast.walk(tree))


def same_code(one: str, other: str) -> bool:
    """Whether two cells are the same program: comments, blank lines and layout aside."""
    first, second = parse(one), parse(other)
    return first is not None and second is not None and ast.dump(first) == ast.dump(second)


def _joined(source: str | list[str]) -> str:
    return source if isinstance(source, str) else "".join(source)


def _bound_by(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Name(id=name, ctx=ast.Store()):
            yield name
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            yield name
        case ast.Import(names=aliases) | ast.ImportFrom(names=aliases):
            yield from ((alias.asname or alias.name).partition(".")[0] for alias in aliases)
        case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
            yield name
        case ast.Subscript(
            value=ast.Call(func=ast.Name(id="globals")), slice=ast.Constant(value=str(name)), ctx=ast.Store()
        ):
            yield name


def _is_call_of(node: ast.AST, part: str, methods: tuple[str, ...]) -> bool:
    if (
        not isinstance(node, ast.Call)
        or not isinstance(node.func, ast.Attribute)
        or node.func.attr not in methods
    ):
        return False
    owner = _dotted(node.func.value)
    return owner == part or owner.endswith("." + part)


def _dotted(node: ast.expr) -> str:
    names: list[str] = []
    while isinstance(node, ast.Attribute):
        names.append(node.attr)
        node = node.value
    return ".".join([node.id, *reversed(names)]) if isinstance(node, ast.Name) else ""


def _is_asking(statement: ast.stmt, part: str) -> bool:
    if isinstance(statement, ast.Pass):
        return True
    if not isinstance(statement, ast.Expr):
        return False
    looks = isinstance(statement.value, (ast.Name, ast.Attribute, ast.Constant))
    return looks or _is_call_of(statement.value, part, ("check", "hint", "solution"))


def _stores(node: ast.AST, table: str, column: str) -> bool:
    match node:
        case ast.Assign(targets=targets):
            return any(_stores_into(target, table, column) for target in targets)
        case ast.AugAssign(target=target) | ast.AnnAssign(target=target) | ast.For(target=target):
            return _stores_into(target, table, column)
        case ast.Call(func=ast.Attribute() | ast.Name(), args=args, keywords=keywords):
            named = any(keyword.arg == column for keyword in keywords)
            return named or (
                _is_storing_call(node) and any(_names(each, column) for each in (*args, *keywords))
            )
        case _:
            return False


def _stores_into(target: ast.expr, table: str, column: str) -> bool:
    if isinstance(target, (ast.Tuple, ast.List)):
        return any(_stores_into(each, table, column) for each in target.elts)
    if isinstance(target, ast.Attribute) and target.attr == column:
        return True
    if isinstance(target, (ast.Subscript, ast.Attribute)):
        return _base(target) == table or _names(target, column)
    return False


_STORING_CALLS = frozenset(
    {"assign", "insert", "rename", "join", "merge", "concat", "setattr", "set_axis", "eval"}
)


def _is_storing_call(node: ast.Call) -> bool:
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    return name in _STORING_CALLS


def _names(node: ast.AST, column: str) -> bool:
    return any(isinstance(inner, ast.Constant) and inner.value == column for inner in ast.walk(node))


def _base(node: ast.expr) -> str:
    while isinstance(node, (ast.Attribute, ast.Subscript)):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""
