"""``type``: what a value is: its container, its class, its elements' type."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar

from pydantic import BeforeValidator, Field

from checks.compare import content
from checks.compare.words import class_name
from checks.evidence import values as v
from checks.scene import PASSED, Outcome, Scene
from checks.spec.base import Found, Scope
from checks.spec.dtypes import dtype_problems
from checks.spec.kind import ABSENT, TargetKind
from checks.spec.target import suggestion


def _listed(given: Any) -> Any:
    return [given] if isinstance(given, str) else given


# One word may stand without a list.
Words = Annotated[list[str], BeforeValidator(_listed, json_schema_input_type=str | list[str])]


class Type(TargetKind):
    """Each of the conditions that are given must hold; a list offers several."""

    reasons: ClassVar[Mapping[str, str]] = {
        "absent": ABSENT,
        "container": "{variable} is {seen}, which is not the sort of value asked for.",
        "class": "{variable} is {seen}, which is not of the class asked for.",
        "items": "{variable} is {seen}, but what is in it is not of the sort asked for.",
        "dtype": "{variable} is {seen}, but its elements are not of the type asked for.",
    }

    is_: Words = Field(default=[], alias="is", description="containers: list, set, array, table, layer …")
    class_: Words = Field(
        default=[], alias="class", description="names of the class or of one of its ancestors"
    )
    items: Words = Field(default=[], description="what each element must be, in the words of `is`")
    dtype: Words = Field(
        default=[], description="elements: a dtype's name or a family (integer, float, text …)"
    )

    def problems(self, _scope: Scope) -> Iterator[Found]:
        """Words that are no container; nothing asked for."""
        if not (self.is_ or self.class_ or self.items or self.dtype):
            yield (), "this check asks for nothing", "is, class, items or dtype"
        for key, words in (("is", self.is_), ("items", self.items)):
            for number, word in enumerate(words):
                if word not in content.CONTAINERS:
                    yield (key, number), f"unknown container {word!r}", suggestion(word, content.CONTAINERS)
        yield from dtype_problems(self.dtype, ("dtype",), of_numbers=True)

    def judge_node(self, node: v.AnyNode, _scene: Scene) -> Outcome:
        """The first condition that fails gives the reason."""
        if self.is_ and content.container(node) not in self.is_:
            return Outcome(0.0, "container")
        if self.class_ and not set(self.class_) & ancestry(node):
            return Outcome(0.0, "class")
        if self.items and not self._items_fit(node):
            return Outcome(0.0, "items")
        if self.dtype and not {content.dtype(node), content.family(node)} & set(self.dtype):
            return Outcome(0.0, "dtype")
        return PASSED

    def _items_fit(self, node: v.AnyNode) -> bool:
        found = content.items(node)
        return found is not None and all(content.container(item) in self.items for item in found)


def ancestry(node: v.AnyNode) -> set[str]:
    """The class names of a value: its own and its ancestors', without their modules."""
    bases = node.bases if isinstance(node, (v.Layer, v.Opaque)) else (_BUILT_IN.get(type(node), ""),)
    base = getattr(node, "base", "")
    return {class_name(name) for name in (getattr(node, "cls", ""), base, *bases) if name} - {"other"}


# Evidence tells these by their kind: what is read of an instance of a subclass is what its base holds.
_BUILT_IN: dict[type, str] = {
    v.Mapping: "dict",
    v.Text: "str",
    v.Int: "int",
    v.Table: "DataFrame",
    v.Series: "Series",
}


KIND = Type
