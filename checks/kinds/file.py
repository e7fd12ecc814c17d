"""``file``: a file that the notebook wrote: its size, its text, the table or value or image that it holds."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from checks.compare.files import UnreadableError, image_size, read_csv, read_json
from checks.compare.words import quoted
from checks.evidence import values as v
from checks.kinds.attributes import VALUE, about
from checks.scene import PASSED, Outcome, Scene
from checks.spec.base import Found, Piece, Scope
from checks.spec.bounds import Bounds
from checks.spec.kind import TargetKind
from checks.spec.template import escape
from checks.spec.text_rule import TextRule

if TYPE_CHECKING:
    from checks.spec.check import Check


class Image(Piece):
    """What an image must be."""

    format: Literal["png", "jpeg", "gif", "bmp"] | None = None
    width: Bounds | None = Field(default=None, description="pixels")
    height: Bounds | None = Field(default=None, description="pixels")


class File(TargetKind):
    """Each of the conditions that are given must hold, in the order of the keys below.

    ``that`` is a check about ``value``, which is the table, JSON value or text that the file holds.
    """

    reasons: ClassVar[Mapping[str, str]] = {
        "absent": "The notebook has not written the file that this part asks for.",
        "not_file": "{variable} is {seen}, not a file.",
        "empty": "The file {name} is empty.",
        "size": "The file {name} has {size} bytes; that is not the size asked for.",
        "not_text": "The file {name} holds something else than text.",
        "too_long": "The file {name} is too long to be looked at ({size} bytes).",
        "equal": "What the file {name} says is not what is asked for.",
        "contains": "The file {name} lacks something that it should say.",
        "excludes": "The file {name} says {found}, which does not belong there.",
        "matches": "What the file {name} says is not of the form asked for.",
        "words": "The file {name} has not as many words as it should.",
        "lines": "The file {name} has not as many lines as it should.",
        "unreadable": "The file {name} cannot be read as {format}: {why}.",
        "not_image": "The file {name} is no image.",
        "format": "The file {name} is a {format} image, not one of the format asked for.",
        "dimensions": "The image {name} has {dimensions} pixels; that is not the size asked for.",
        "failed": "What the file {name} holds is not as asked for.",
    }
    facts: ClassVar[Mapping[str, str]] = {
        **TargetKind.facts,
        "name": "the file's name",
        "size": "its size in bytes",
        "found": "the piece that does not belong there",
        "format": "what the file was read as, or the image's format",
        "why": "why it could not be read",
        "dimensions": "the image's width and height",
    }

    size: Bounds | None = Field(default=None, description="bytes; at least one where it is left out")
    text: TextRule | None = Field(default=None, description="what the file's text must be like")
    image: Image | None = Field(default=None, description="what the image must be")
    form: Literal["text", "csv", "json"] = Field(
        default="text", description="what `that` sees of the content"
    )
    delimiter: str = Field(default=",", min_length=1, max_length=1, description="between the values of a csv")
    that: Check | None = Field(default=None, description="a check about `value`: the content")

    def inner_scope(self, scope: Scope) -> Scope:
        """The check inside may speak of ``value``."""
        return scope.with_variables(VALUE)

    def problems(self, _scope: Scope) -> Iterator[Found]:
        """An image whose text is asked for."""
        if self.image is not None and (self.text is not None or self.that is not None):
            yield ("image",), "an image has no text: `image` goes with neither `text` nor `that`", ""

    def judge_node(self, node: v.AnyNode, scene: Scene) -> Outcome:
        """The first condition that fails gives the reason."""
        if not isinstance(node, v.Opaque) or node.sort != "file":
            return Outcome(0.0, "not_file")
        size = node.attributes.get("size")
        name = node.attributes.get("name")
        length = size.value if isinstance(size, v.Int) else 0
        facts: dict[str, object] = {
            "name": name.v if isinstance(name, v.Text) else "",
            "size": length,
        }
        outcome = self._judge_file(node, length, str(facts["name"]), scene)
        return (
            PASSED
            if outcome.passed
            else Outcome(
                outcome.credit, outcome.reason, {**facts, **outcome.facts}, fallback=outcome.fallback
            )
        )

    def _judge_file(self, file: v.Opaque, size: int, name: str, scene: Scene) -> Outcome:  # noqa: PLR0911 - one a reason
        if self.size is None and not size:
            return Outcome(0.0, "empty")
        if self.size is not None and not self.size.hold(size):
            return Outcome(0.0, "size")
        if self.image is not None:
            return _judge_image(file, self.image)
        if self.text is None and self.that is None:
            return PASSED
        content = file.attributes.get("text")
        if not isinstance(content, v.Text):
            return Outcome(0.0, "not_text")
        if content.cut is not None or file.attributes.get("whole") != v.Bool(v=True):
            return Outcome(0.0, "too_long")
        for reason, piece in self.text.wanting(content.v) if self.text else ():
            return Outcome(0.0, reason, {"found": quoted(piece)})
        return PASSED if self.that is None else self._judge_content(self.that, content.v, name, scene)

    def _judge_content(self, check: Check, text: str, name: str, scene: Scene) -> Outcome:
        try:
            value = self._read(text)
        except UnreadableError as error:
            return Outcome(0.0, "unreadable", {"format": self.form.upper(), "why": str(error).rstrip(".")})
        outcome = check.evaluate_inside(scene.inside(VALUE, value, self._expected(scene)))
        if outcome.passed:
            return outcome
        return Outcome(
            outcome.credit, "failed", fallback=about(outcome.message, f"What {escape(name)} holds")
        )

    def _read(self, text: str) -> v.AnyNode:
        if self.form == "csv":
            return read_csv(text, self.delimiter)
        return read_json(text) if self.form == "json" else v.Text(v=text)

    def _expected(self, scene: Scene) -> v.AnyNode | None:
        """What the author's file of the same name holds; None where there is none that can be read."""
        file = (scene.reference or {}).get(self.of.variable)
        content = file.attributes.get("text") if isinstance(file, v.Opaque) else None
        try:
            return self._read(content.v) if isinstance(content, v.Text) else None
        except UnreadableError:
            return None


def _judge_image(file: v.Opaque, wanted: Image) -> Outcome:
    content = file.attributes.get("bytes")
    found = image_size(b64decode(content.v)) if isinstance(content, v.Bytes) else None
    if found is None:
        return Outcome(0.0, "not_image")
    form, width, height = found
    facts = {"format": form.upper(), "dimensions": f"{width} × {height}"}
    if wanted.format is not None and form != wanted.format:
        return Outcome(0.0, "format", facts)
    fits = [
        bounds is None or bounds.hold(length)
        for bounds, length in ((wanted.width, width), (wanted.height, height))
    ]
    return PASSED if all(fits) else Outcome(0.0, "dimensions", facts)


KIND = File
