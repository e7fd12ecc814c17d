"""Markdown to HTML that may stand on a page: no raw HTML, nothing active, links that give nothing away."""

from __future__ import annotations

import nh3
from markdown_it import MarkdownIt
from markupsafe import Markup

from grader.wide_tables import in_frames

TAGS = {
    "p", "br", "strong", "em", "code", "pre", "ul", "ol", "li", "a", "blockquote", "hr",
    "table", "thead", "tbody", "tr", "th", "td", "h3", "h4", "h5", "h6",
}  # fmt: skip
_PARSER = MarkdownIt("commonmark", {"html": False, "maxNesting": 20}).enable("table")


def rendered(text: str) -> Markup:
    """The text as HTML, cleaned a second time whatever the parser let through."""
    cleaned = nh3.clean(
        _PARSER.render(text),
        tags=TAGS,
        attributes={"a": {"href"}},
        url_schemes={"https", "http", "mailto"},
        link_rel="noopener noreferrer nofollow",
    )
    # Long lines scroll by themselves too, and the keyboard reaches them.
    return Markup(in_frames(cleaned).replace("<pre>", '<pre tabindex="0">'))
