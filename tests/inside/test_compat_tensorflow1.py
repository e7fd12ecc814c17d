"""TensorFlow 1 code under TensorFlow 2 and Keras 3."""

from __future__ import annotations

import pytest

from tests.inside import scenarios

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", params=["before", "after"])
def outcome(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return scenarios.play(
        "tensorflow1", ["tensorflow1"], request.param, tmp_path_factory.mktemp("tensorflow1")
    )


@pytest.fixture(scope="module")
def untouched(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return scenarios.play("tensorflow1", [], "before", tmp_path_factory.mktemp("tensorflow2"))


@pytest.mark.parametrize(
    "name", scenarios.names("tensorflow1", "can_") + scenarios.names("tensorflow1", "still_")
)
def test_with_the_shim(name: str, outcome: dict[str, str]) -> None:
    assert outcome[name] == ""


@pytest.mark.parametrize("name", scenarios.names("tensorflow1", "can_"))
def test_without_the_shim_the_old_code_fails(name: str, untouched: dict[str, str]) -> None:
    assert untouched[name] != ""


@pytest.mark.parametrize("name", scenarios.names("tensorflow1", "still_"))
def test_without_the_shim_the_new_code_runs(name: str, untouched: dict[str, str]) -> None:
    assert untouched[name] == ""
