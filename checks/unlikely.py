"""What an author hardly meant: nothing of it keeps an assignment from running, so these are warnings."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence

from checks.errors import Problem
from checks.source import calls_check, parse
from checks.spec.models import AssignmentSpec
from checks.spec.reading import Document

_CORE = "core"


def warnings(spec: AssignmentSpec, starter: Sequence[str], document: Document) -> Iterator[Problem]:
    """Parts that the notebook never checks, another module than it imports, weights that count nothing,
    variables that take a part's name away.
    """
    words = {part.id.partition(".")[0]: part.id for part in spec.parts}
    graded = [(number, part) for number, part in enumerate(spec.parts) if part.graded]
    checking = any(calls_check(source, part.id) for _, part in graded for source in starter)
    for number, part in graded:
        if checking and not any(_names(source, part.id) for source in starter):
            what = f"the notebook never calls {part.id}.check(), nor names the part at all"
            yield document.problem(("parts", number, "id"), what)
        for name in words.keys() & (part.variables.keys() - part.products.keys()):
            what = f"the variable {name!r} hides the part {words[name]!r} where both have plain names"
            yield document.problem(("parts", number, "variables", name), what, "another name for one of them")
        for at, check in enumerate(part.checks):
            if "weight" in check.model_fields_set and part.credit != "weighted":
                what = "a weight counts only where the part's credit is weighted"
                yield document.problem(("parts", number, "checks", at, "weight"), what, "credit: weighted")
    modules = _modules(starter, spec.module or "")
    if modules and spec.module not in modules:
        what = f"the notebook imports its parts from {modules[0]}"
        yield document.problem(("module",), what, f"module: {modules[0]}")


def _names(source: str, part: str) -> bool:
    """Whether a cell names a part, be it in a comment: a check may be left to the student on purpose."""
    return re.search(rf"(?<![\w.]){re.escape(part)}\b", source) is not None


def _modules(starter: Sequence[str], module: str) -> list[str]:
    """The modules beside ``module`` (of the same package) from which the notebook imports everything."""
    package = module.partition(".")[0]
    trees = [tree for source in starter if (tree := parse(source)) is not None]
    found = [each for tree in trees for each in ast.walk(tree) if isinstance(each, ast.ImportFrom)]
    names = [each.module or "" for each in found if any(alias.name == "*" for alias in each.names)]
    return [name for name in names if name.startswith(f"{package}.") and name != f"{package}.{_CORE}"]
