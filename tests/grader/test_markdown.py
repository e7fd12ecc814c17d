from __future__ import annotations

import pytest

from grader.markdown import rendered


def test_markdown_becomes_html():
    assert (
        rendered("use **`axis`**\n\n- one")
        == "<p>use <strong><code>axis</code></strong></p>\n<ul>\n<li>one</li>\n</ul>\n"
    )


@pytest.mark.parametrize(
    "hostile",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "[x](javascript:alert(1))",
        "[x](data:text/html;base64,AAAA)",
        "![x](https://tracker.example/x.png)",
        '<a href="https://x" onclick="y">z</a>',
        "<style>*{display:none}</style>",
    ],
)
def test_nothing_active_comes_through(hostile):
    html = rendered(hostile).lower()
    assert not any(
        bad in html
        for bad in (
            "<script",
            "<img",
            "<style",
            'href="javascript',
            'href="data',
            '<a href="https://x" onclick',
        )
    )


def test_links_give_nothing_away():
    assert 'rel="noopener noreferrer nofollow"' in rendered("[x](https://example.org)")


def test_what_may_be_wider_than_the_page_scrolls_by_itself_and_by_the_keyboard():
    assert rendered("```\nx\n```").startswith('<pre tabindex="0"><code>')
    table = rendered("|a|\n|-|\n|1|")
    assert table.startswith('<div class="wide" role="group" aria-label="Table" tabindex="0"><table>')
    assert table.rstrip().endswith("</table></div>")
    assert "<pre" not in rendered("[x](http://x/<pre><table>) <http://x/<pre>>")
    assert rendered("`<pre><table>`") == "<p><code>&lt;pre&gt;&lt;table&gt;</code></p>\n"


def test_deep_nesting_ends():
    assert len(rendered(">" * 50_000)) < 1_000_000
