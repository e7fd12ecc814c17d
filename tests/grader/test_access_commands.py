"""``grader token``, ``grader webhook`` and ``grader config show``."""

from __future__ import annotations

import json
import sqlite3

import pytest
from typer.testing import CliRunner

from grader import cli
from grader.settings import Settings
from grader.store import open_store, tokens
from grader.store.tables import WebhookMessage, WebhookTry

run = CliRunner()


@pytest.fixture(autouse=True)
def _data_dir(monkeypatch, tmp_path):
    monkeypatch.setenv("GRADER_DATA_DIR", str(tmp_path / "data"))


def said(*arguments):
    result = run.invoke(cli.app, list(arguments))
    assert result.exit_code == 0, result.output
    return result.stdout


def test_a_token_is_made_listed_and_revoked():
    text = said("token", "create", "--role", "lms", "--name", "Canvas", "--course", "embeddings").strip()
    store = open_store(Settings())
    with store.read() as session:
        caller = tokens.check(session, text)
    assert (caller.role, caller.course, caller.name) == ("lms", "embeddings", "Canvas")
    listed = said("token", "list")
    assert caller.token in listed
    assert "embeddings" in listed
    assert text.rsplit("_", 1)[1] not in listed
    said("token", "revoke", caller.token)
    assert json.loads(said("token", "list", "--json"))["revoked_at"]
    with store.read() as session:
        assert tokens.check(session, text) is None
    store.close()


@pytest.mark.parametrize("arguments", [["up"], ["token", "list"]])
def test_a_database_of_a_newer_version_is_exit_3_with_its_reason_and_no_trace(arguments):
    said("token", "list")
    with sqlite3.connect(Settings().data_dir / "grader.sqlite") as database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")
    result = run.invoke(cli.app, arguments)
    assert result.exit_code == 3, result.output
    assert "has the schema 9999" in result.stderr
    assert "Traceback" not in result.output


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["token", "create", "--role", "king", "--name", "x"], "king is no role"),
        (["token", "create", "--role", "lms"], "--name"),
        (["token", "create", "--role", "lms", "--name", "x", "--course", "a/b"], "no course"),
        (["token", "revoke", "00000000"], "none with this id"),
        (["webhook", "create", "tests", "http://hooks.example/"], "https only"),
        (["webhook", "create", "te/sts", "https://hooks.example/"], "no course"),
        (["webhook", "create", "tests", "https://hooks.example/", "--event", "x"], "x is no event"),
        (["webhook", "delete", "tests", "none"], "none with this id"),
        (["webhook", "deliveries", "tests", "none"], "none with this id"),
        (["webhook", "send-again", "tests", "none", "--all"], "none with this id"),
        (["webhook", "send-again", "tests", "none", "msg_1"], "none with this id"),
        (["webhook", "send-again", "tests", "none"], "or --all"),
        (["webhook", "send-again", "tests", "none", "msg_1", "--all"], "or --all"),
    ],
)
def test_what_cannot_be_is_exit_2_and_says_why(arguments, says):
    result = run.invoke(cli.app, arguments)
    assert result.exit_code == 2
    assert says in result.stderr


def test_a_webhook_is_made_listed_and_deleted():
    webhook, secret = said("webhook", "create", "tests", "https://hooks.example/in").split()
    assert secret.startswith("whsec_")
    listed = said("webhook", "list", "tests", "--json")
    assert json.loads(listed)["id"] == webhook
    assert secret not in listed
    assert webhook in said("webhook", "list", "tests")
    said("webhook", "delete", "tests", webhook)
    assert said("webhook", "list", "tests", "--json") == ""


def test_events_that_were_given_up_are_listed_and_sent_again():
    webhook, _ = said("webhook", "create", "tests", "https://hooks.example/in").split()
    store = open_store(Settings())
    with store.write() as session:
        for name, state in (("msg_1", "failed"), ("msg_2", "failed"), ("msg_3", "delivered")):
            session.add(
                WebhookMessage(
                    id=name, endpoint_id=webhook, event="submission.graded", body="{}", state=state,
                    created_at=0.0, tries=10, not_before=0.0,
                )
            )  # fmt: skip
            session.flush()
            session.add(
                WebhookTry(message_id=name, number=10, at=0.0, seconds=0.1, status=503, excerpt="busy")
            )
    store.close()
    listed = said("webhook", "deliveries", "tests", webhook, "--failed", "--json").splitlines()
    assert [json.loads(one)["id"] for one in listed] == ["msg_2", "msg_1"]
    assert "503" in said("webhook", "deliveries", "tests", webhook)
    assert said("webhook", "send-again", "tests", webhook, "msg_1").strip().endswith(": 1")
    refused = run.invoke(cli.app, ["webhook", "send-again", "tests", webhook, "msg_3"])
    assert (refused.exit_code, "it is delivered" in refused.stderr) == (2, True)
    assert said("webhook", "send-again", "tests", webhook, "--all").strip().endswith(": 1")
    assert said("webhook", "deliveries", "tests", webhook, "--failed", "--json") == ""


def test_every_setting_is_shown_with_where_it_comes_from(monkeypatch, tmp_path):
    (tmp_path / "grader.toml").write_text("max_claims = 7\nport = 1\n")
    monkeypatch.setenv("grader_sweep_seconds", "4")
    monkeypatch.setenv("GRADER_PORT", "2")
    monkeypatch.setenv("GRADER_SECRET_KEY", "hush hush hush hush")
    shown = json.loads(said("config", "show", "--json", "--origins", "--port", "3"))
    assert set(shown) == set(Settings.model_fields)
    assert shown["port"] == {"value": 3, "from": "flag"}
    assert shown["sweep_seconds"] == {"value": 4.0, "from": "GRADER_SWEEP_SECONDS"}
    assert shown["max_claims"] == {"value": 7, "from": str(tmp_path / "grader.toml")}
    assert shown["link_days"] == {"value": 30, "from": "default"}
    assert shown["secret_key"] == {"value": "********", "from": "GRADER_SECRET_KEY"}
    table = said("config", "show")
    assert "hush" not in table
    assert "GRADER_SECRET_KEY" in table
