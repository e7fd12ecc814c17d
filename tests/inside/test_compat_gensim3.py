"""gensim 3 code under gensim 4."""

from __future__ import annotations

import pytest

from tests.inside import scenarios


@pytest.fixture(scope="module", params=["before", "after"])
def outcome(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return scenarios.play("gensim3", ["gensim3"], request.param, tmp_path_factory.mktemp("gensim3"))


@pytest.fixture(scope="module")
def untouched(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return scenarios.play("gensim3", [], "before", tmp_path_factory.mktemp("gensim4"))


@pytest.mark.parametrize("name", scenarios.names("gensim3", "can_") + scenarios.names("gensim3", "still_"))
def test_with_the_shim(name: str, outcome: dict[str, str]) -> None:
    assert outcome[name] == ""


@pytest.mark.parametrize("name", scenarios.names("gensim3", "can_"))
def test_without_the_shim_the_old_code_fails(name: str, untouched: dict[str, str]) -> None:
    assert untouched[name] != ""


@pytest.mark.parametrize("name", scenarios.names("gensim3", "still_"))
def test_without_the_shim_the_new_code_runs(name: str, untouched: dict[str, str]) -> None:
    assert untouched[name] == ""
