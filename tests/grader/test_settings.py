from __future__ import annotations

import os
from pathlib import Path

import pytest
from pydantic import ValidationError

from grader.settings import Settings, celery_settings
from grader.store.blobs import open_blobs


def test_flags_win_over_variables_over_the_file_over_defaults(monkeypatch, tmp_path):
    (tmp_path / "grader.toml").write_text("port = 1001\nmax_claims = 7\nworker_processes = 5\n")
    monkeypatch.setenv("GRADER_PORT", "1002")
    monkeypatch.setenv("GRADER_MAX_CLAIMS", "8")
    found = Settings(port=1003)
    assert (found.port, found.max_claims, found.worker_processes, found.lease_seconds) == (1003, 8, 5, 30)


def test_an_unknown_key_of_the_file_is_refused(tmp_path):
    (tmp_path / "grader.toml").write_text("prot = 8001\n")
    with pytest.raises(ValidationError, match="prot"):
        Settings()


def test_the_data_directory_is_the_projects_from_any_folder_below(monkeypatch, tmp_path):
    (tmp_path / "grader.toml").touch()
    below = tmp_path / "course" / "week1"
    below.mkdir(parents=True)
    monkeypatch.chdir(below)
    assert Settings().data_dir == tmp_path / ".grader"


def test_outside_of_any_project_the_data_directory_is_the_users(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "share"))
    assert Settings().data_dir == tmp_path / "share" / "grader"


def test_secrets_are_masked_where_settings_are_shown():
    shown = Settings(
        database_url="postgresql://me:pass@word@db/grades",
        broker_url="redis://queue:6379/0",
        secret_key="key",
        development_token="token",
    ).shown()
    assert shown["database_url"] == "postgresql://********@db/grades"
    assert shown["broker_url"] == "redis://queue:6379/0"
    query = Settings(
        database_url="postgresql:///grades?host=db&user=me&password=pass&sslmode=require"
    ).shown()
    assert query["database_url"] == "postgresql:///grades?host=db&user=me&password=********&sslmode=require"
    assert shown["secret_key"] == shown["development_token"] == "********"
    assert "pass" not in repr(Settings(database_url="postgresql://me:pass@db/grades"))


def test_a_child_process_gets_the_same_settings(monkeypatch, tmp_path):
    parent = Settings(data_dir=tmp_path, serves=("tensorflow", "numpy"), broker_url="redis://:s3cret@queue/0")
    for name, value in parent.as_environment().items():
        monkeypatch.setenv(name, value)
    assert Settings() == parent


def test_sockets_lie_in_a_short_private_folder_where_the_data_directorys_path_is_long(tmp_path):
    found = Settings(data_dir=tmp_path / ("long" * 25))
    found.make_folders()
    assert len(os.fsencode(found.redis_socket)) < 108
    assert found.runtime_dir.stat().st_mode & 0o077 == 0
    found.runtime_dir.rmdir()


def test_folders_are_private(tmp_path: Path):
    found = Settings(data_dir=tmp_path / "data")
    found.make_folders()
    assert [folder.stat().st_mode & 0o777 for folder in (found.data_dir, found.runtime_dir)] == [0o700, 0o700]


def test_messages_are_redelivered_only_after_the_hard_limit_of_a_task():
    made = celery_settings(Settings(task_seconds=100))
    assert made["task_time_limit"] < made["broker_transport_options"]["visibility_timeout"]
    assert made["task_acks_late"]
    assert made["task_reject_on_worker_lost"]
    assert made["worker_prefetch_multiplier"] == 1
    assert not made["worker_cancel_long_running_tasks_on_connection_loss"]


@pytest.mark.parametrize(
    ("url", "says"), [("nope://bucket/x", "nope"), ("/a/folder", "file:///folder"), ("bucket", "no URL")]
)
def test_a_place_for_blobs_that_nothing_reaches_is_refused_at_the_start(url, says):
    with pytest.raises(ValidationError, match=says):
        Settings(blobs_url=url)


def test_a_folders_name_may_hold_anything(tmp_path):
    found = Settings(data_dir=tmp_path / "my course %20")
    assert open_blobs(found.blobs).folder == tmp_path / "my course %20" / "blobs"


@pytest.mark.parametrize(
    "url",
    [
        "postgresql:///grades?user=me&password=pa@ss",
        "postgresql://me:pa@ss@db/grades?password=pa@ss&sslpassword=ss",
        "postgresql:///grades?password=pa@ss&host=db",
    ],
)
def test_no_half_of_a_password_is_shown(url):
    shown = str(Settings(database_url=url).shown()["database_url"])
    assert "ss" not in shown.replace("password=", "").replace("sslpassword=", "").replace("ssl", "")


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("postgresq://me:secret@db/grades", "SQLite or PostgreSQL"),
        ("mysql://me:secret@db/grades", "SQLite or PostgreSQL"),
        ("grades.sqlite", "no URL"),
        ("postgresql://me:secret@db:port/grades", "no URL"),
        ("postgresql+psycopg9://me:secret@db/grades", "no driver"),
    ],
)
def test_a_database_that_there_is_none_of_is_refused_at_the_start(url, says):
    with pytest.raises(ValueError, match=says) as refused:
        Settings(database_url=url)
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize("url", ["postgres://db/g", "postgresql+psycopg://db/g", "sqlite:////tmp/x"])
def test_a_database_may_be_spelled_in_several_ways(url):
    assert Settings(database_url=url).database == url
