"""What the extractor takes of libraries' objects, in the environments' own interpreters."""

from __future__ import annotations

import pytest

from tests.inside import scenarios


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return scenarios.play("objects", [], "before", tmp_path_factory.mktemp("objects"), "datascience")


@pytest.mark.parametrize("name", scenarios.names("objects", "can_"))
def test_it_is_taken(name: str, outcome: dict[str, str]) -> None:
    assert outcome[name] == ""


@pytest.fixture(scope="module")
def with_tensorflow(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return scenarios.play("tensors", [], "before", tmp_path_factory.mktemp("tensors"))


@pytest.mark.parametrize("name", scenarios.names("tensors", "can_"))
def test_it_is_taken_of_tensorflow(name: str, with_tensorflow: dict[str, str]) -> None:
    assert with_tensorflow[name] == ""
