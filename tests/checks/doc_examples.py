"""The examples of docs/spec.md, as tests run them.

An example is a fenced block ``yaml example`` and, for each way that it may come out, the values that a
notebook left and the message that the student then reads:

    ```yaml example
    equal: {of: norms, to: reference}
    ```
    ```python reference        (left out where nothing is held against the author's run)
    norms = [1.0, 2.0]
    ```
    ```python values
    norms = [1.0, 2.5]
    ```
    ```text message (incorrect)
    norms is a list of 2 items, but 1 of 2 values are not as asked for.
    ```

The YAML is one check, or a part's keys (then it has ``checks``), or a whole file (then it has ``parts``).
``python values`` is run with the names of :data:`NAMES`; each name that it assigns becomes evidence by
:func:`evidence_of`, and the block itself is the source of the cell with the part's check. The first name is
the part's answer, the others are set-up; in a whole file each part has its own ``variables``. ``text
message`` is the last part's message, Markdown as it is, and the word in parentheses the part's status. One
YAML block may be followed by several pairs of values and message; a ``python reference`` holds until the
next one.

A kind whose values need more than :mod:`tests.checks.making` has adds its makers to :data:`NAMES`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import FunctionType, SimpleNamespace
from typing import Any

import numpy as np
import yaml

from checks.assignment import Assignment
from checks.evidence import values as v
from checks.feedback import Feedback
from checks.judge import judge
from tests.checks import making_objects
from tests.checks.doc_work import function_node, work_done
from tests.checks.making import (
    SUBMISSION,
    Network,
    bundle_files,
    cell,
    evidence,
    index,
    node,
    series,
    snapshot,
    table,
)

_FENCE = re.compile(r"^```(?P<info>[^\n`]*)\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL)
_MESSAGE = re.compile(r"text message \((?P<status>\w+)\)")
HEAD = "id: a/b\ntitle: T\nenvironment: python\n"


def data_frame(columns: Mapping[str, Any], index: Any = None) -> v.Table:
    """What ``pandas.DataFrame`` makes of columns, as evidence."""
    return table(columns, None if index is None else {"": index})


def data_series(values: Any, index: Any = None) -> v.Series:
    """What ``pandas.Series`` makes of values, as evidence."""
    return series(values, index)


NAMES: dict[str, Any] = {
    "np": np,
    "pd": SimpleNamespace(DataFrame=data_frame, Series=data_series),
    "table": table,
    "index": index,
    "Network": Network,
    **making_objects.NAMES,
}
"""What the code of examples may use."""


def evidence_of(value: Any) -> v.AnyNode:
    """A value of an example as evidence."""
    return function_node(value) if isinstance(value, (FunctionType, type)) else node(value)


@dataclass(frozen=True)
class Example:
    """One YAML block with one pair of values and message; ``line`` is where its message stands."""

    spec: str
    values: str
    message: str
    status: str
    line: int
    reference: str = ""

    def __str__(self) -> str:
        return f"{self.spec.split(maxsplit=1)[0].rstrip(':')}-line-{self.line}"

    def assignment(self) -> Assignment:
        """The example as an assignment."""
        given = yaml.safe_load(self.spec)
        if "parts" in given:
            return Assignment.from_files(bundle_files(self.spec.encode()))
        names, others = list(_run(self.values)), list(_run(self.reference))
        roles = {name: {"role": "set-up"} for name in names} | {names[0]: {}}
        variables = f"    variables: {roles}\n" if "variables" not in given else ""
        keys = self.spec if "checks" in given else "checks:\n" + _as_item(self.spec)
        text = f"{HEAD}reference: {{variables: {others}}}\nparts:\n  - id: q1\n    title: Q\n{variables}"
        return Assignment.from_files(bundle_files((text + _indented(keys, 4)).encode()))

    def feedback(self) -> Feedback:
        """What the judge makes of the values."""
        assignment = self.assignment()
        taken, expected = _run(self.values), _run(self.reference)
        cells = [
            cell(number, f"{self.values}\n{part.id}.check()") for number, part in enumerate(assignment.parts)
        ]
        seen, wanted = (
            [
                snapshot(
                    part.id, "check", number, {name: each[name] for name in part.variables if name in each}
                )
                for number, part in enumerate(assignment.parts)
            ]
            for each in (taken, expected)
        )
        seen += work_done(assignment.plan(), self.values, NAMES)
        wanted += work_done(assignment.reference_plan(), self.reference, NAMES) if self.reference else []
        end = snapshot("", "end", None, expected)
        return judge(assignment, evidence(cells, seen), evidence(cells, [end, *wanted]), SUBMISSION)


def examples(text: str) -> Iterator[Example]:
    """The examples of a document, in its order."""
    spec = values = reference = ""
    for block in _FENCE.finditer(text):
        info, body = block["info"].strip(), block["body"]
        if info == "yaml example":
            spec, values, reference = body, "", ""
        elif info == "python reference":
            reference = body
        elif info == "python values":
            values = body
        elif found := _MESSAGE.fullmatch(info):
            line = text.count("\n", 0, block.start()) + 1
            assert spec, f"line {line}: a message without an example before it"
            assert values, f"line {line}: a message without values before it"
            yield Example(spec, values, body.strip(), found["status"], line, reference)
        else:
            assert not info.startswith("text message"), f"{info!r} names no status"


def _run(code: str) -> dict[str, v.AnyNode]:
    """The names that a block assigns, with their evidence."""
    found = dict(NAMES)
    exec(code, found)  # the document's own code
    return {
        name: evidence_of(value)
        for name, value in found.items()
        if value is not NAMES.get(name) and not name.startswith("_")
    }


def _as_item(check: str) -> str:
    first, *rest = check.splitlines()
    return "\n".join([f"  - {first}", *(f"    {line}" for line in rest)])


def _indented(text: str, by: int) -> str:
    return "".join(f"{' ' * by}{line}\n" for line in text.splitlines())
