"""A notebook as HTML that can do nothing: nbconvert makes it, nh3 takes away all that is not plainly text.

Whoever wrote the notebook wrote every byte of its outputs, so nothing of them is trusted: scripts, styles,
forms, frames, event handlers and addresses of other hosts go; pictures stay only as data of their own, SVG
among them as a picture (where its scripts do not run).
"""

from __future__ import annotations

import base64
import binascii
import re
from collections import Counter
from functools import cache
from typing import TYPE_CHECKING, Any

import nbformat
import nh3
from markupsafe import Markup
from nbformat import NotebookNode

from grader.wide_tables import in_frames

if TYPE_CHECKING:
    from nbconvert import HTMLExporter

MAX_OUTPUT = 200_000  # characters of one output; a page must open on a telephone
PICTURES = ("image/png", "image/jpeg", "image/gif")
TEXTS = ("text/html", "text/markdown", "text/latex", "text/plain")
TAGS = {
    "div", "span", "p", "br", "hr", "pre", "code", "strong", "b", "em", "i", "u", "s", "sub", "sup", "small",
    "ul", "ol", "li", "dl", "dt", "dd", "blockquote", "h1", "h2", "h3", "h4", "h5", "h6", "img",
    "table", "caption", "thead", "tbody", "tfoot", "tr", "th", "td", "a", "del", "ins", "mark", "kbd",
}  # fmt: skip
ATTRIBUTES = {
    "*": {"class"},
    "img": {"src", "alt", "width", "height"},
    "th": {"colspan", "rowspan", "scope"},
    "td": {"colspan", "rowspan"},
    "ol": {"start"},
}
# Cleaning takes the square of the depth. No page that a person wrote is as deep.
MAX_DEPTH = 1_000
TOO_DEEP = Markup("<pre>What is here is nested too deeply to be shown.</pre>")
CLOSE_THEMSELVES = {
    "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr",
    "dd", "dt", "li", "option", "p", "rp", "rt", "tbody", "td", "tfoot", "th", "thead", "tr",
}  # fmt: skip
_TAG = re.compile(r"<(/?)([a-z][^\s/>]*)")
# Comments, styles and scripts without a tag in them.
_WITHOUT_TAGS = re.compile(r"<!--[^<>]*-->|<(style|script)\b[^<>]*>[^<]*</\1\s*>", re.IGNORECASE)
# Where what looks like a tag may be none: comments, elements of mere text, attributes.
_HIDING = re.compile(
    r"<[!?]|</[^a-z]|<[a-z/][^<>]*<|=\s*\"[^\"]*[<>]|=\s*'[^']*[<>]"
    r"|<(?:script|style|title|textarea|xmp|iframe|noembed|noframes|noscript|plaintext)\b",
    re.IGNORECASE,
)


def read_notebook(raw: bytes) -> NotebookNode:
    """A stored notebook as nbformat 4.

    Raises UnicodeDecodeError, nbformat.reader.NotJSONError or nbformat.ValidationError on anything else.
    """
    notebook: NotebookNode = nbformat.reads(raw.decode(), as_version=4)
    return notebook


def notebook_html(notebook: NotebookNode) -> Markup:
    """The cells and their outputs as one piece of HTML, for a page with a style sheet of its own."""
    whole = _exported(_exporter(), _plain(notebook))
    return whole if whole is not TOO_DEEP else Markup("").join(cells_html(notebook))


def cells_html(notebook: NotebookNode) -> list[Markup]:
    """The same cell by cell, so that a page can set something between them."""
    exporter, plain = _exporter(), _plain(notebook)
    return [_exported(exporter, NotebookNode({**plain, "cells": [cell]})) for cell in plain.cells]


def _exporter() -> HTMLExporter:
    from nbconvert import HTMLExporter as Exporter  # noqa: PLC0415 - half a second, for few

    return Exporter(template_name="basic", anchor_link_text="", embed_images=False)


def _exported(exporter: HTMLExporter, notebook: NotebookNode) -> Markup:
    body, _ = exporter.from_notebook_node(notebook)
    if _depth(body) > MAX_DEPTH:
        return TOO_DEEP
    cleaned = _cleaned(body)
    # The empty corner of a data frame's table heads nothing; a screen reader would announce it as a heading.
    return Markup(in_frames(cleaned.replace("<th></th>", "<td></td>")))


@cache
def highlight_css() -> str:
    """The style of highlighted code, for light and dark pages."""
    from pygments.formatters import HtmlFormatter  # noqa: PLC0415 - with nbconvert

    light = HtmlFormatter(style="default").get_style_defs(".highlight")
    dark = HtmlFormatter(style="github-dark").get_style_defs(".highlight")
    return f"{light}\n@media (prefers-color-scheme: dark) {{\n{dark}\n}}\n"


def _cleaned(html: str) -> str:
    return nh3.clean(
        html,
        tags=TAGS,
        attributes=ATTRIBUTES,
        url_schemes={"data"},
        clean_content_tags={"script", "style", "noscript", "template", "iframe", "object"},
        attribute_filter=_allowed,
        link_rel=None,
    )


def _allowed(_tag: str, attribute: str, value: str) -> str | None:
    if attribute == "src":
        return (
            value if value.startswith(tuple(f"data:{kind};base64," for kind in (*PICTURES, _SVG))) else None
        )
    return value


def _depth(html: str) -> int:
    """At least as many as elements can be open at once, without those that close themselves: only what
    surely closes one counts as closing it."""
    html = _WITHOUT_TAGS.sub("", html)
    sure = _HIDING.search(html) is None
    opened: Counter[str] = Counter()
    depth = deepest = 0
    for close, name in _TAG.findall(html.lower()):
        if name not in CLOSE_THEMSELVES and not close:
            opened[name] += 1
            depth += 1
            deepest = max(deepest, depth)
        elif sure and opened[name]:
            opened[name] -= 1
            depth -= 1
    return deepest


_SVG = "image/svg+xml"


def _plain(notebook: NotebookNode) -> NotebookNode:
    """A copy whose outputs hold one form each: a picture as data, or text of a bounded length."""
    cells = [NotebookNode({**cell}) for cell in notebook.cells]
    for cell in cells:
        cell["metadata"] = _metadata(cell.get("metadata", {}))
        cell["attachments"] = _Attachments(_pictures(cell.get("attachments", {})))
        if cell.cell_type == "code":
            cell["outputs"] = [_output(output) for output in cell.get("outputs", [])]
    return NotebookNode({**notebook, "metadata": NotebookNode(), "cells": cells})


def _metadata(found: dict[str, Any]) -> NotebookNode:
    """What the page makes use of; for anything else that is not as it should be nbconvert gives up."""
    tags = [tag for tag in dict.fromkeys(found.get("tags", ())) if tag and "," not in tag]
    kept: dict[str, Any] = {"tags": tags} if tags else {}
    if isinstance(found.get("raw_mimetype"), str):
        kept["raw_mimetype"] = found["raw_mimetype"]
    return NotebookNode(kept)


class _Attachments(NotebookNode):
    """A cell's own pictures by name, and an empty one for every other name, where nbconvert would give up the
    notebook.
    """

    def __contains__(self, _name: object) -> bool:
        return True

    def __missing__(self, _name: str) -> dict[str, str]:
        return {PICTURES[0]: ""}


def _pictures(attachments: dict[str, dict[str, Any]]) -> dict[str, dict[str, str]]:
    kept = {name: _form(forms) for name, forms in attachments.items()}
    return {name: forms for name, forms in kept.items() if forms.keys() & set(PICTURES)}


def _output(output: NotebookNode) -> NotebookNode:
    if output.output_type == "stream":
        return NotebookNode({**output, "text": _cut(output.text)})
    if output.output_type == "error":
        return NotebookNode({**output, "traceback": [_cut(line) for line in output.traceback]})
    data = output.get("data", {})
    return NotebookNode({**output, "data": NotebookNode(_form(data)), "metadata": NotebookNode()})


def _form(data: dict[str, Any]) -> dict[str, str]:
    if _SVG in data:
        drawing = base64.b64encode(str(data[_SVG]).encode()).decode()
        return {"text/html": f'<img alt="drawing" src="data:{_SVG};base64,{drawing}">'}
    for kind in PICTURES:
        if kind in data and _is_base64(data[kind]):
            return {kind: str(data[kind])}
    for kind in TEXTS:
        if kind in data:
            text = _cut(str(data[kind]))
            if kind != "text/html":
                return {kind: text}
            # Here, and not only what nbconvert makes: it, too, takes seconds for a deep output, and one
            # script would make all tags around its output look as if they were hidden.
            return {kind: TOO_DEEP if _depth(text) > MAX_DEPTH else _cleaned(text)}
    return {}


def _is_base64(data: object) -> bool:
    try:
        base64.b64decode("".join(str(data).split()), validate=True)
    except binascii.Error:
        return False
    return True


def _cut(text: str) -> str:
    return (
        text
        if len(text) <= MAX_OUTPUT
        else text[:MAX_OUTPUT] + f"\n… {len(text) - MAX_OUTPUT} more characters"
    )
