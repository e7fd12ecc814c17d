"""What code may or must hold, as specs write it: a call, an import, a loop …"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from pydantic import Field, GetJsonSchemaHandler, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError

from checks.spec.base import Piece
from checks.spec.bounds import Bounds

Test = Callable[[ast.AST], bool]
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
# Constructs that need no name.
CONSTRUCTS: dict[str, tuple[type[ast.AST], ...]] = {
    "loop": (ast.For, ast.While, ast.AsyncFor),
    "for": (ast.For, ast.AsyncFor),
    "while": (ast.While,),
    "comprehension": _COMPREHENSIONS,
    "if": (ast.If, ast.IfExp),
    "try": (ast.Try,),
    "with": (ast.With, ast.AsyncWith),
    "lambda": (ast.Lambda,),
    "function": (ast.FunctionDef, ast.AsyncFunctionDef),
    "class": (ast.ClassDef,),
    "return": (ast.Return,),
    "yield": (ast.Yield, ast.YieldFrom),
    "import": (ast.Import, ast.ImportFrom),
    "global": (ast.Global, ast.Nonlocal),
    "assert": (ast.Assert,),
    "raise": (ast.Raise,),
    "match": (ast.Match,),
    "f-string": (ast.JoinedStr,),
    "slice": (ast.Slice,),
    "subscript": (ast.Subscript,),
    "del": (ast.Delete,),
}
OPERATORS: dict[str, type[ast.AST]] = {
    "+": ast.Add, "-": ast.Sub, "*": ast.Mult, "/": ast.Div, "//": ast.FloorDiv, "%": ast.Mod, "**": ast.Pow,
    "@": ast.MatMult, "&": ast.BitAnd, "|": ast.BitOr, "^": ast.BitXor, "<<": ast.LShift, ">>": ast.RShift,
    "and": ast.And, "or": ast.Or, "not": ast.Not, "==": ast.Eq, "!=": ast.NotEq, "<": ast.Lt, "<=": ast.LtE,
    ">": ast.Gt, ">=": ast.GtE, "in": ast.In, "not in": ast.NotIn, "is": ast.Is, "is not": ast.IsNot,
    "~": ast.Invert,
}  # fmt: skip
# What everybody calls these modules, whether or not the notebook imports them under that name.
USUAL = {
    "np": "numpy", "pd": "pandas", "plt": "matplotlib.pyplot", "sns": "seaborn", "tf": "tensorflow",
    "sp": "scipy", "sklearn": "sklearn", "mpl": "matplotlib",
}  # fmt: skip
NAMED = ("call", "method", "name", "attribute", "module", "operator", "literal", "argument")


class Feature(Piece):
    """One thing to look for: a construct's word (``loop``, ``lambda`` …), or one named thing.

    A ``call`` is named as code would name it (``np.linalg.norm``, ``sorted``), however it is imported; its
    last name alone (``norm``) stands for every call of that name.
    """

    construct_: str | None = Field(
        default=None, alias="construct", description="a word such as loop, for, comprehension, lambda"
    )
    call: str | None = Field(default=None, description="a call of this function, class or method")
    method: str | None = Field(default=None, description="a call of a method of this name: x.name()")
    name: str | None = Field(default=None, description="a variable's name, read or written")
    attribute: str | None = Field(default=None, description="an attribute's name: x.name")
    module: str | None = Field(default=None, description="an import of this module, or of something in it")
    operator: str | None = Field(default=None, description="an operator: +, **, in, and …")
    literal: str | int | float | bool | None = Field(default=None, description="this very number or text")
    argument: str | None = Field(default=None, description="a keyword argument of this name in a call")
    count: Bounds | None = Field(default=None, description="how often; at least once where it is left out")

    @model_validator(mode="before")
    @classmethod
    def _spelled_short(cls, given: Any) -> Any:
        return {"construct": given} if isinstance(given, str) else given

    @model_validator(mode="after")
    def _one_thing(self) -> Feature:
        given = [key for key in ("construct_", *NAMED) if key in self.model_fields_set]
        if len(given) != 1:
            raise PydanticCustomError(
                "feature", "names exactly one of {keys}", {"keys": ", ".join(("construct", *NAMED))}
            )
        for key, known in (("construct", CONSTRUCTS), ("operator", OPERATORS)):
            word = self.construct_ if key == "construct" else self.operator
            if word is not None and word not in known:
                what = {"key": key, "word": repr(word), "known": ", ".join(known)}
                raise PydanticCustomError("feature", "{word} is no {key}; known are: {known}", what)
        return self

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        words = {"enum": sorted(CONSTRUCTS), "description": "a construct"}
        return {"anyOf": [words, handler(core)]}

    @property
    def said(self) -> str:
        """The feature in words: ``a for loop``, ``a call of np.dot``."""
        if self.construct_ is not None:
            return _CONSTRUCTS_SAID.get(self.construct_, f"{self.construct_!r}")
        (key,) = (key for key in NAMED if key in self.model_fields_set)
        given = getattr(self, key)
        shown = repr(given) if key == "literal" else f"{given}"
        return {"call": "a call of ", "method": "a call of the method ", "name": "the name ",
                "attribute": "the attribute ", "module": "an import of ", "operator": "the operator ",
                "literal": "the value ", "argument": "the argument "}[key] + shown  # fmt: skip

    def places(self, tree: ast.AST, aliases: Mapping[str, str]) -> Iterator[int]:
        """The lines where it stands (from 1); ``aliases`` say what imported names mean."""
        for node in ast.walk(tree):
            if self._is_at(node, aliases):
                yield getattr(node, "lineno", 1)

    def _is_at(self, node: ast.AST, aliases: Mapping[str, str]) -> bool:  # noqa: PLR0911 - one line a feature
        if self.construct_ is not None:
            return isinstance(node, CONSTRUCTS[self.construct_])
        match node:
            case ast.Call(func=function, keywords=keywords):
                if self.argument is not None:
                    return any(each.arg == self.argument for each in keywords)
                return self._is_call_of(function, aliases)
            case ast.Import(names=names) if self.module is not None:
                return any(_is_within(each.name, self.module) for each in names)
            case ast.ImportFrom(module=str(module), names=names) if self.module is not None:
                return any(_is_within(f"{module}.{each.name}", self.module) for each in names)
            case ast.Name(id=name):
                return name == self.name
            case ast.Attribute(attr=name):
                return name == self.attribute
            case ast.Constant(value=value) if self.literal is not None:
                return value == self.literal and type(value) is type(self.literal)
            case ast.BinOp(op=operator) | ast.UnaryOp(op=operator) | ast.BoolOp(op=operator):
                return self._is_operator(operator)
            case ast.AugAssign(op=operator):
                return self._is_operator(operator)
            case ast.Compare(ops=operators):
                return any(map(self._is_operator, operators))
            case _:
                return False

    def _is_operator(self, operator: ast.AST) -> bool:
        return self.operator is not None and isinstance(operator, OPERATORS[self.operator])

    def _is_call_of(self, function: ast.expr, aliases: Mapping[str, str]) -> bool:
        if self.method is not None:
            return isinstance(function, ast.Attribute) and function.attr == self.method
        if self.call is None:
            return False
        if "." not in self.call and isinstance(function, ast.Attribute):
            return function.attr == self.call
        dotted = dotted_name(function)
        return (
            bool(dotted) and resolved(dotted, aliases) == resolved(self.call, USUAL)
        ) or dotted == self.call


_CONSTRUCTS_SAID = {
    "loop": "a loop", "for": "a for loop", "while": "a while loop", "comprehension": "a comprehension",
    "if": "a condition (if)", "lambda": "a lambda", "function": "a function of your own",
    "class": "a class of your own", "import": "an import", "try": "try and except", "with": "a with block",
    "f-string": "an f-string", "slice": "a slice", "subscript": "an index in brackets",
}  # fmt: skip


def imported_names(trees: Iterator[ast.AST]) -> dict[str, str]:
    """What the names mean that code imports: ``np`` -> ``numpy``, ``norm`` -> ``numpy.linalg.norm``."""
    found: dict[str, str] = {}
    for tree in trees:
        for node in ast.walk(tree):
            match node:
                case ast.Import(names=names):
                    found.update({each.asname: each.name for each in names if each.asname})
                case ast.ImportFrom(module=str(module), names=names, level=0):
                    found.update({each.asname or each.name: f"{module}.{each.name}" for each in names})
    return found


def resolved(dotted: str, aliases: Mapping[str, str]) -> str:
    """A dotted name with its first piece as what it was imported from."""
    first, dot, rest = dotted.partition(".")
    return aliases.get(first, USUAL.get(first, first) if dot else first) + dot + rest


def dotted_name(node: ast.expr) -> str:
    """``a.b.c`` of such an expression; empty where it is none."""
    names: list[str] = []
    while isinstance(node, ast.Attribute):
        names.append(node.attr)
        node = node.value
    return ".".join([node.id, *reversed(names)]) if isinstance(node, ast.Name) else ""


def _is_within(module: str, wanted: str) -> bool:
    return module == wanted or module.startswith(wanted + ".")
