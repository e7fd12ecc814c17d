"""``source``: what code must and must not hold: in the part's cells, or in one function."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from textwrap import dedent
from typing import Any, ClassVar

from pydantic import Field, model_validator

from checks.evidence import values as v
from checks.scene import PASSED, Code, Outcome, Scene
from checks.source import parse
from checks.spec.base import Found, Piece, Scope
from checks.spec.bounds import Bounds
from checks.spec.feature import Feature, imported_names
from checks.spec.kind import ABSENT, Kind
from checks.spec.target import Target

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_Name = tuple[str, str]  # of a function or a method, and its name


@dataclass(frozen=True)
class Text:
    """A piece of code that was read; ``where`` says in words where it stands."""

    tree: ast.Module
    where: str


class Source(Kind, Piece):
    """Each of the conditions that are given must hold. Nothing is run; IPython's own lines are left out."""

    # The judge gives the notebook's cells to checks that look at them.
    reads_code: ClassVar[bool] = True
    reasons: ClassVar[Mapping[str, str]] = {
        "absent": ABSENT,
        "not_function": "{variable} is no function whose source can be read.",
        "no_method": "There is no method {variable}.",
        "no_code": "There is no code of yours for this part.",
        "not_python": "The code of this part cannot be read as Python: {where}.",
        "missing": "Your code for this part should use {feature}, and does not.",
        "forbidden": "Your code for this part uses {feature} ({where}); solve it without.",
        "count": "Your code for this part uses {feature} {times} times; that is not how often it should.",
        "statements": "Your code for this part has {statements} statements; it should be of another length.",
        "recursion": "{variable} should call itself, and does not.",
    }
    facts: ClassVar[Mapping[str, str]] = {
        "variable": "the function's name, where the check is about one",
        "feature": "what the check failed for",
        "where": "the line and the cell where it stands",
        "times": "how often it is used",
        "statements": "how many statements there are",
    }

    of: Target | None = Field(
        default=None, description="a function, a class, or one method (Tree.size); else the part's own cells"
    )
    method: str | None = Field(default=None, description="of a class only this method")
    require: list[Feature] = Field(default=[], description="what must be there")
    forbid: list[Feature] = Field(default=[], description="what must not be there")
    statements: Bounds | None = Field(default=None, description="how many statements, inner ones too")
    recursive: bool = Field(default=False, description="whether the function must call itself")

    @model_validator(mode="before")
    @classmethod
    def _spelled_short(cls, given: Any) -> Any:
        name = given.get("of") if isinstance(given, dict) else None
        if isinstance(name, str) and "." in name and "method" not in given:
            variable, _, method = name.partition(".")
            return {**given, "of": variable, "method": method}
        return given

    def problems(self, _scope: Scope) -> Iterator[Found]:
        """A check that asks for nothing, or for what a cell has not."""
        if not self.model_fields_set & {"require", "forbid", "statements", "recursive"}:
            yield (), "any code would pass: require, forbid or statements must say what is right", ""
        if self.recursive and self.of is None:
            yield ("recursive",), "a function calls itself: `of` must name it", ""
        if self.method is not None and self.of is None:
            yield ("method",), "a method of which class? `of` must name it", ""

    def judge(self, scene: Scene) -> Outcome:
        """The first condition that fails gives the reason; the credit of what is forbidden comes first."""
        names = (self.of.variable if self.of else None, self.method)
        facts = {"variable": ".".join(name for name in names if name)}
        found = self._texts(scene)
        if isinstance(found, Outcome):
            return Outcome(0.0, found.reason, {**facts, **found.facts})
        trees = [tree for each in scene.code if (tree := parse(each.source)) is not None]
        outcome = self._judge_texts(found, trees, str(facts["variable"]))
        return PASSED if outcome.passed else Outcome(0.0, outcome.reason, {**facts, **outcome.facts})

    def _texts(self, scene: Scene) -> list[Text] | Outcome:
        if self.of is None:
            return _cells([each for each in scene.code if each.own])
        node = self.of.sights(scene)[0].node
        if node is None:
            return Outcome(0.0, "absent")
        if isinstance(node, v.Callable) and node.cls.endswith(".type"):
            return _class(node.name, self.method, scene.code)
        tree = _function(node) if isinstance(node, v.Callable) else None
        return Outcome(0.0, "not_function") if tree is None else [Text(tree, "of the function")]

    def _judge_texts(self, texts: list[Text], notebook: Sequence[ast.Module], name: str) -> Outcome:
        aliases = imported_names(iter(notebook))
        for feature in self.forbid:
            places = list(_places(feature, texts, aliases))
            most = feature.count
            if (most is None and places) or (most is not None and most.hold(len(places))):
                where = places[0] if places else ""
                return Outcome(
                    0.0, "forbidden", {"feature": feature.said, "where": where, "times": len(places)}
                )
        for feature in self.require:
            times = len(list(_places(feature, texts, aliases)))
            facts = {"feature": feature.said, "times": times}
            if not times and (feature.count is None or not feature.count.hold(0)):
                return Outcome(0.0, "missing", facts)
            if feature.count is not None and not feature.count.hold(times):
                return Outcome(0.0, "count", facts)
        statements = sum(count_statements(text.tree) for text in texts)
        if self.statements and not self.statements.hold(statements):
            return Outcome(0.0, "statements", {"statements": statements})
        if self.recursive and not any(_comes_back(text.tree, notebook, name) for text in texts):
            return Outcome(0.0, "recursion")
        return PASSED


def _cells(code: list[Code]) -> list[Text] | Outcome:
    texts = []
    for each in code:
        tree = parse(each.source)
        if tree is None:
            return Outcome(0.0, "not_python", {"where": f"code cell {each.number}"})
        texts.append(Text(tree, f"of code cell {each.number}"))
    return texts or Outcome(0.0, "no_code")


def _class(name: str, method: str | None, code: Sequence[Code]) -> list[Text] | Outcome:
    """The class as a cell defines it last, or one of its methods."""
    trees = [tree for each in code if (tree := parse(each.source)) is not None]
    found = [each for tree in trees for each in ast.walk(tree) if isinstance(each, ast.ClassDef)]
    own = [each for each in found if each.name == name]
    if not own:
        return Outcome(0.0, "not_function")
    if method is None:
        return [Text(ast.Module(body=[own[-1]], type_ignores=[]), f"of the class {name}")]
    methods = [each for each in own[-1].body if isinstance(each, _FUNCTIONS) and each.name == method]
    if not methods:
        return Outcome(0.0, "no_method")
    return [Text(ast.Module(body=[methods[-1]], type_ignores=[]), "of the function")]


def _function(node: v.Callable) -> ast.Module | None:
    """The function's own tree, its docstring and all; of a lambda, the lambda alone."""
    tree = parse(dedent(node.source or ""))
    if tree is None:
        return None
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
    found = next((each for each in ast.walk(tree) if isinstance(each, kinds)), None)
    if found is None:
        return None
    body = found.body if isinstance(found, ast.Lambda) else found
    return ast.Module(body=[ast.Expr(body) if isinstance(body, ast.expr) else body], type_ignores=[])


def _places(feature: Feature, texts: list[Text], aliases: Mapping[str, str]) -> Iterator[str]:
    for text in texts:
        # A function is no function of its own: the one that the check is about does not count.
        inner = text.tree.body[0] if text.where == "of the function" else None
        outer = inner if isinstance(inner, _FUNCTIONS) else None
        for line in feature.places(text.tree, aliases):
            if outer is None or feature.construct_ != "function" or line != outer.lineno:
                yield f"line {line} {text.where}"


def count_statements(tree: ast.Module) -> int:
    """How many statements code has, those inside others too; docstrings and ``pass`` do not count, nor does
    the head of the function that the code consists of."""
    found = [node for node in ast.walk(tree) if isinstance(node, ast.stmt) and not isinstance(node, ast.Pass)]
    plain = [node for node in found if not _is_bare_text(node)]
    alone = len(tree.body) == 1 and isinstance(tree.body[0], _FUNCTIONS)
    return len(plain) - (1 if alone else 0)


def _is_bare_text(node: ast.stmt) -> bool:
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )


def _comes_back(tree: ast.Module, notebook: Sequence[ast.Module], name: str) -> bool:
    """Whether the function ``name`` calls itself, or one that it defines or calls (of the notebook) does;
    perhaps by way of others. Of a class, whether one of its methods does.
    """
    (first,) = tree.body
    if isinstance(first, ast.ClassDef):
        methods = [each for each in first.body if isinstance(each, _FUNCTIONS)]
        return any(_in_circle(("method", each.name), [*notebook, tree], each) for each in methods)
    function = first.value if isinstance(first, ast.Expr) else first
    if not isinstance(function, (*_FUNCTIONS, ast.expr)):
        return False
    _, dot, method = name.partition(".")
    return _in_circle(("method", method) if dot else ("function", name), notebook, function)


def _in_circle(start: _Name, notebook: Sequence[ast.Module], function: ast.AST) -> bool:
    known: dict[_Name, ast.AST] = {}
    for module in (*notebook, function):
        methods = {
            id(each)
            for holder in ast.walk(module)
            if isinstance(holder, ast.ClassDef)
            for each in holder.body
        }
        for each in ast.walk(module):
            if isinstance(each, _FUNCTIONS):
                known["method" if id(each) in methods else "function", each.name] = each
    known[start] = function
    calls = {name: _called(each) & known.keys() for name, each in known.items()}
    return any(name in _reached(name, calls) for name in {start, *_reached(start, calls)})


def _called(function: ast.AST) -> set[_Name]:
    """The functions that one calls or hands on by their names, and the methods that it calls."""
    found: set[_Name] = set()
    for each in ast.walk(function):
        if isinstance(each, ast.Name):
            found.add(("function", each.id))
        elif isinstance(each, ast.Call) and isinstance(each.func, ast.Attribute):
            found.add(("method", each.func.attr))
    return found


def _reached(start: _Name, calls: Mapping[_Name, set[_Name]]) -> set[_Name]:
    """What is called from a function, by whatever way."""
    found: set[_Name] = set()
    waiting = list(calls[start])
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += calls[name]
    return found


KIND = Source
