"""What the service refuses to start with, what it warns of, and that each refusal says what to set."""

from __future__ import annotations

import pytest
from fastapi.testclient import TestClient
from typer.testing import CliRunner

from grader import cli
from grader.api.app import create_app
from grader.safety import UnsafeError, is_loopback, require_safe, warnings
from grader.settings import Settings
from grader.store import open_store, tokens
from grader.store.database import migrate

run = CliRunner()
OPEN = {"host": "0.0.0.0"}


@pytest.fixture
def here(tmp_path):
    """Settings of a safe installation with a change."""

    def make(**changes):
        made = Settings(data_dir=tmp_path / "data", broker_url="memory://", **changes)
        made.make_folders()
        return made

    return make


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        (OPEN | {"development_token": "try"}, "GRADER_DEVELOPMENT_TOKEN .* unset it"),
        ({"host": "::", "development_token": "try"}, "GRADER_DEVELOPMENT_TOKEN"),
        ({"host": "grader.example.edu", "development_token": "try"}, "GRADER_DEVELOPMENT_TOKEN"),
        (OPEN | {"webhook_local": True}, "GRADER_WEBHOOK_LOCAL"),
        ({"secret_key": "short"}, "GRADER_SECRET_KEY is shorter than 16"),
    ],
)
def test_an_unsafe_combination_is_refused_and_says_what_to_set(here, changes, says):
    with pytest.raises(UnsafeError, match=says):
        require_safe(here(**changes))


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"development_token": "try"},
        {"webhook_local": True},
        OPEN,
        {"secret_key": "long enough for a key"},
    ],
)
def test_what_is_safe_is_not_refused(here, changes):
    require_safe(here(**changes))


def test_every_reason_is_said_at_once(here):
    with pytest.raises(UnsafeError) as refusal:
        require_safe(here(**OPEN, development_token="try", webhook_local=True, secret_key="short"))
    assert len(str(refusal.value).splitlines()) == 4


@pytest.mark.parametrize("name", ["secret.key", "tokens"])
def test_a_secret_that_others_can_read_is_refused_with_the_remedy(here, name):
    settings = here()
    file = settings.data_dir / name
    file.write_bytes(b"secret")
    for mode in (0o640, 0o604):
        file.chmod(mode)
        with pytest.raises(UnsafeError, match=f"chmod 600 .*{name}"):
            require_safe(settings)
    file.chmod(0o600)
    require_safe(settings)


def test_a_configuration_file_with_secrets_is_a_secret_too(here, tmp_path):
    file = tmp_path / "grader.toml"
    file.write_text("port = 8001\n")
    file.chmod(0o644)
    require_safe(here())
    file.write_text('secret_key = "long enough for a key"\n')
    with pytest.raises(UnsafeError, match=r"chmod 600 .*grader\.toml"):
        require_safe(here())


def test_an_open_address_without_any_token_is_refused_until_there_is_one(here):
    settings = here(**OPEN)
    store = open_store(settings)
    migrate(store.engine)
    with pytest.raises(UnsafeError, match="grader token create"):
        require_safe(settings, store)
    with store.write() as session:
        made = tokens.create(session, "instructor", "first")
    require_safe(settings, store)
    with store.write() as session:
        tokens.revoke(session, made.split("_")[1])
    with pytest.raises(UnsafeError, match="grader token create"):
        require_safe(settings, store)
    store.close()


def test_the_api_itself_refuses_too(here):
    with pytest.raises(UnsafeError, match="grader token create"), TestClient(create_app(here(**OPEN))):
        pass


def test_up_refuses_before_anything_starts(monkeypatch, tmp_path):
    monkeypatch.setenv("GRADER_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("GRADER_DEVELOPMENT_TOKEN", "try")
    monkeypatch.setattr("grader.cli.sandbox_findings", lambda *_args, **_named: [])
    result = run.invoke(cli.app, ["up", "--host", "0.0.0.0", "--port", "0"])
    assert (result.exit_code, "GRADER_DEVELOPMENT_TOKEN" in result.stderr) == (2, True)
    assert not (tmp_path / "data" / "grader.sqlite").exists()


def test_up_refuses_a_host_without_a_sandbox_and_names_what_is_missing(monkeypatch, tmp_path):
    monkeypatch.setenv("GRADER_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("PATH", str(tmp_path))
    result = run.invoke(cli.app, ["up", "--port", "0"])
    assert result.exit_code == 3
    assert "cannot run notebooks safely" in result.stderr
    assert "bubblewrap: missing" in result.stderr


def test_links_without_a_public_address_are_warned_of(here):
    assert [one.split()[0] for one in warnings(here(**OPEN))] == ["GRADER_PUBLIC_URL"]
    assert list(warnings(here(**OPEN, public_url="https://grader.example.edu"))) == []
    assert "https" in next(warnings(here(public_url="http://grader.example.edu")))
    assert list(warnings(here())) == []


def test_a_variable_that_is_no_setting_is_warned_of(here, monkeypatch):
    monkeypatch.setenv("GRADER_REQUIRE_CGROUPS", "true")
    monkeypatch.setenv("GRADER_ENVIRONMENTS", "/srv/environments")
    assert [one.split()[4] for one in warnings(here())] == ["GRADER_REQUIRE_CGROUPS:"]


def test_a_folder_that_others_look_into_is_warned_of(here):
    settings = here()
    settings.data_dir.chmod(0o755)
    assert "chmod o-rwx" in next(warnings(settings))


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", True), ("127.9.9.9", True), ("::1", True), ("localhost", True), ("0.0.0.0", False),
        ("::", False), ("10.0.0.1", False), ("grader.example.edu", False), ("", False),
    ],
)  # fmt: skip
def test_what_is_this_machine_alone(host, expected):
    assert is_loopback(host) is expected
