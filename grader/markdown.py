"""Markdown to HTML that may stand on a page: no raw HTML, nothing active, links that give nothing away."""

from __future__ import annotations

import nh3
from markdown_it import MarkdownIt
from markupsafe import Markup

TAGS = {
    "p", "br", "strong", "em", "code", "pre", "ul", "ol", "li", "a", "blockquote", "hr",
    "table", "thead", "tbody", "tr", "th", "td", "h3", "h4", "h5", "h6",
}  # fmt: skip
# What may be wider than the page scrolls by itself, by the keyboard too. In cleaned HTML a bare tag is a tag.
_SCROLLING = {
    "<pre>": '<pre tabindex="0">',
    "<table>": '<div class="wide" role="region" aria-label="Table" tabindex="0"><table>',
    "</table>": "</table></div>",
}
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
    for tag, reachable in _SCROLLING.items():
        cleaned = cleaned.replace(tag, reachable)
    return Markup(cleaned)
