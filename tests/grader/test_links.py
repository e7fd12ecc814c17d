from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest

from grader.api.links import LinkRefusedError, Links, links_of
from grader.settings import Settings


def parts(link: str) -> tuple[int, str]:
    query = parse_qs(urlsplit(link).query)
    return int(query["expires"][0]), query["signature"][0]


def test_a_link_opens_its_own_page_only():
    links = Links(b"key", lifetime=60)
    link = links.sign("feedback", "one")
    links.check("feedback", "one", *parts(link))
    expires, signature = parts(link)
    for forged in (
        ("reports", "one", expires, signature),
        ("feedback", "two", expires, signature),
        ("feedback", "one", expires + 1, signature),
        ("feedback", "one", expires, "é" + signature[1:]),
    ):
        with pytest.raises(LinkRefusedError, match="changed"):
            links.check(*forged)
    with pytest.raises(LinkRefusedError):
        Links(b"other", lifetime=60).check("feedback", "one", expires, signature)


def test_a_link_is_over_after_its_time():
    links = Links(b"key", lifetime=-3 * 86_400)
    with pytest.raises(LinkRefusedError, match="has expired"):
        links.check("feedback", "one", *parts(links.sign("feedback", "one")))


def test_the_key_is_made_once_and_kept_private(tmp_path):
    settings = Settings(data_dir=tmp_path)
    link = links_of(settings).sign("feedback", "one")
    assert links_of(settings).sign("feedback", "one") == link
    assert [(path.name, path.stat().st_mode & 0o777) for path in tmp_path.iterdir()] == [
        ("secret.key", 0o600)
    ]
