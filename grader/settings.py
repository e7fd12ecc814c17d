"""Every setting of the service. Strongest first: flags, ``GRADER_*`` variables, ``grader.toml``, defaults."""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
import tomllib
from pathlib import Path
from typing import Any

from fsspec import get_filesystem_class
from pydantic import Field, SecretStr, field_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

MIB = 1 << 20
DATABASES = frozenset({"sqlite", "postgresql", "postgres"})
PROJECT_MARKS = ("grader.toml", ".grader", ".git")
# Of a URL's query, as PostgreSQL, Redis and object stores take it.
SECRET_PARAMETER = re.compile(
    r"([?&;][^=&;]*(?:password|passwd|secret|token|key)[^=&;]*=)[^&;]*", re.IGNORECASE
)
# Variables that are no settings: where they are read, and of the commands that talk to a service.
OTHER_VARIABLES = frozenset({"GRADER_CONFIG", "GRADER_ENVIRONMENTS", "GRADER_SERVER", "GRADER_TOKEN"})
MAX_SOCKET_FOLDER = (
    80  # a unix socket's path holds 107 bytes; the names that go below the folder need the rest
)


def project_folder(start: Path | None = None) -> Path | None:
    """The nearest folder upwards that holds a project's mark; None outside of any project."""
    here = (start or Path.cwd()).resolve()
    return next(
        (folder for folder in (here, *here.parents) if any((folder / m).exists() for m in PROJECT_MARKS)),
        None,
    )


def default_data_dir() -> Path:
    """``.grader`` of the current project, or the user's data folder outside of one."""
    project = project_folder()
    if project is not None:
        return project / ".grader"
    home = os.environ.get("XDG_DATA_HOME")
    return (Path(home) if home else Path.home() / ".local" / "share") / "grader"


class ConfigFileError(Exception):
    """The configuration file is not there or no TOML; the text names it."""


def config_file() -> Path | None:
    """The TOML file in force: ``GRADER_CONFIG``, or ``grader.toml`` of the current project.

    Raises ConfigFileError where the named file does not exist.
    """
    named = os.environ.get("GRADER_CONFIG")
    if named:
        if not Path(named).is_file():
            raise ConfigFileError(f"GRADER_CONFIG: there is no file {named}")
        return Path(named)
    project = project_folder()
    return project / "grader.toml" if project is not None else None


class Settings(BaseSettings):
    """What the service, the workers and the command line are told. Times are seconds, sizes MiB."""

    # A mistake in a URL must not print its password.
    model_config = SettingsConfigDict(
        env_prefix="GRADER_", extra="forbid", frozen=True, hide_input_in_errors=True
    )

    data_dir: Path = Field(
        default_factory=default_data_dir, description="all state: database, blobs, queue, secrets"
    )
    database_url: SecretStr | None = Field(
        default=None, description="SQLAlchemy URL; SQLite in the data directory when unset"
    )
    blobs_url: SecretStr | None = Field(
        default=None, description="fsspec URL of the blobs; a folder in the data directory when unset"
    )
    broker_url: SecretStr | None = Field(
        default=None, description="Celery broker; an embedded Redis when unset"
    )
    host: str = Field(default="127.0.0.1", description="address to listen on")
    port: int = Field(default=8000, ge=0, le=65535, description="port to listen on; 0 takes a free one")
    public_url: str | None = Field(default=None, description="how browsers reach the service, for links")

    serves: tuple[str, ...] = Field(
        default=("tensorflow", "python", "datascience"),
        min_length=1,
        description="the environments that this host's workers serve",
    )
    worker_processes: int = Field(default=2, ge=1, description="notebooks graded at once on this host")

    standby_kernels: int | None = Field(
        default=None,
        ge=0,
        description="kernels that stand by in each environment; worker_processes when unset",
    )
    require_cgroup: bool = Field(
        default=False, description="refuse to run where only the watchdog can limit a notebook's memory"
    )

    max_notebook_mib: float = Field(default=10, gt=0, description="largest notebook accepted")
    max_bundle_mib: float = Field(default=64, gt=0, description="largest assignment bundle accepted")

    lease_seconds: float = Field(
        default=30, gt=0, description="an attempt whose worker is silent this long is taken away"
    )
    max_claims: int = Field(
        default=3, ge=1, description="tries before an attempt that fails by our fault is parked"
    )
    retry_seconds: float = Field(
        default=5, ge=0, description="pause before a retry; doubled at each further one"
    )
    sweep_seconds: float = Field(
        default=2, gt=0, description="how often lost messages and expired leases are looked for"
    )
    task_seconds: float = Field(
        default=1800, gt=0, description="hard limit of one task, above every assignment's own limits"
    )

    link_days: float = Field(default=30, gt=0, description="how long signed links open")
    secret_key: SecretStr | None = Field(
        default=None, description="signs links; made in the data directory when unset"
    )
    development_token: SecretStr | None = Field(
        default=None, description="an instructor's token for trying things out"
    )

    token_requests_per_second: float = Field(
        default=200, gt=0, description="requests of one token that are answered; ten seconds' worth at once"
    )
    link_requests_per_second: float = Field(
        default=5, gt=0, description="requests of one student's link that are answered, likewise"
    )
    webhook_retry_seconds: float = Field(
        default=5, gt=0, description="pause before an event is sent again; four times as long each time"
    )
    webhook_tries: int = Field(
        default=10, ge=1, description="tries to deliver an event before it is given up"
    )
    webhook_local: bool = Field(
        default=False,
        description="development only: webhooks may go over http and to this machine's addresses",
    )
    drain_seconds: float = Field(
        default=60, ge=0, description="how long notebooks that have begun may go on when a worker is stopped"
    )

    @field_validator("data_dir", mode="after")
    @classmethod
    def _absolute(cls, value: Path) -> Path:
        return value.expanduser().resolve()

    @field_validator("database_url", mode="after")
    @classmethod
    def _known_database(cls, value: SecretStr | None) -> SecretStr | None:
        """The messages name nothing of the URL: it may hold a password."""
        if value is not None:
            try:
                url = make_url(value.get_secret_value())
            except (ArgumentError, ValueError) as error:
                raise ValueError(
                    "no URL; a database is spelled postgresql://user:password@host/name"
                ) from error
            if url.get_backend_name() not in DATABASES:
                raise ValueError("the database is SQLite or PostgreSQL (sqlite://, postgresql://)")
            if url.drivername != "postgres":  # our own spelling of what SQLAlchemy calls postgresql
                try:
                    url.get_dialect()
                except NoSuchModuleError as error:
                    raise ValueError("there is no driver of this name for the database") from error
        return value

    @field_validator("blobs_url", mode="after")
    @classmethod
    def _reachable(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            protocol, separator, _ = value.get_secret_value().partition("://")
            if not separator:
                raise ValueError("no URL; a folder is spelled file:///folder")
            try:
                get_filesystem_class(protocol)
            except ImportError as error:
                raise ValueError(str(error)) from error
        return value

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Flags, then the environment, then the TOML file; raises ConfigFileError."""
        file = config_file()
        try:
            toml = TomlConfigSettingsSource(settings_cls, toml_file=file)
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise ConfigFileError(f"{file}: not TOML: {error}") from error
        except OSError as error:
            raise ConfigFileError(f"{file}: {error.strerror}") from error
        return init_settings, env_settings, toml

    @property
    def database(self) -> str:
        """The database's URL."""
        if self.database_url is not None:
            return self.database_url.get_secret_value()
        return f"sqlite:///{self.data_dir / 'grader.sqlite'}"

    @property
    def blobs(self) -> str:
        """The URL of the blobs."""
        if self.blobs_url is not None:
            return self.blobs_url.get_secret_value()
        # Not as_uri(): fsspec takes a path as it is, and would keep the % signs.
        return f"file://{self.data_dir / 'blobs'}"

    @property
    def broker(self) -> str:
        """The broker's URL as Celery spells it."""
        if self.broker_url is not None:
            return self.broker_url.get_secret_value()
        return f"redis+socket://{self.redis_socket}"

    @property
    def redis_socket(self) -> Path:
        """Where the embedded Redis listens."""
        return self.runtime_dir / "redis.sock"

    @property
    def runtime_dir(self) -> Path:
        """Where sockets lie: below the data directory, or in a short private place."""
        inside = self.data_dir / "run"
        if len(os.fsencode(inside)) <= MAX_SOCKET_FOLDER:
            return inside
        name = hashlib.sha256(os.fsencode(self.data_dir)).hexdigest()[:12]
        return Path(tempfile.gettempdir()) / f"grader-{os.getuid()}-{name}"

    @property
    def standby(self) -> int:
        """Kernels that stand by in each environment."""
        return self.worker_processes if self.standby_kernels is None else self.standby_kernels

    @property
    def sandbox_records(self) -> Path:
        """Where the last start of each environment is written down."""
        return self.data_dir / "sandboxes"

    @property
    def max_notebook_bytes(self) -> int:
        """The largest notebook accepted."""
        return int(self.max_notebook_mib * MIB)

    @property
    def max_bundle_bytes(self) -> int:
        """The largest assignment bundle accepted."""
        return int(self.max_bundle_mib * MIB)

    @property
    def heartbeat_seconds(self) -> float:
        """How often a worker renews its lease."""
        return self.lease_seconds / 5

    def make_folders(self) -> None:
        """Create the data and the runtime directory, readable by their owner only."""
        for folder in (self.data_dir, self.runtime_dir):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            if folder.stat().st_uid != os.getuid():
                raise PermissionError(f"{folder} belongs to somebody else")

    def as_environment(self) -> dict[str, str]:
        """The ``GRADER_*`` variables that give a child process the same settings."""
        return {f"GRADER_{name.upper()}": _spelled(value) for name, value in self if value is not None}

    @classmethod
    def unknown_variables(cls) -> list[str]:
        """``GRADER_*`` variables of this process's environment that nothing reads."""
        known = OTHER_VARIABLES | {f"GRADER_{name.upper()}" for name in cls.model_fields}
        return sorted(name for name in os.environ if name.startswith("GRADER_") and name not in known)

    def shown(self) -> dict[str, object]:
        """The settings for people, secrets masked."""
        return {name: _masked(name, value) for name, value in self}


def celery_settings(settings: Settings) -> dict[str, Any]:
    """Celery's configuration, one for those who send and those who work.

    The database holds the truth; these settings only make redelivery quick.
    """
    return {
        "broker_url": settings.broker,
        "accept_content": ["json"],
        "task_serializer": "json",
        "task_ignore_result": True,
        "task_acks_late": True,
        "task_reject_on_worker_lost": True,
        "task_time_limit": settings.task_seconds,
        "worker_prefetch_multiplier": 1,
        "worker_soft_shutdown_timeout": settings.drain_seconds,
        # True loses late-acknowledged tasks when Redis restarts (seen with Celery 5.7.0).
        "worker_cancel_long_running_tasks_on_connection_loss": False,
        "worker_hijack_root_logger": False,
        "worker_send_task_events": False,
        "broker_connection_retry_on_startup": True,
        "broker_transport_options": _transport_options(settings),
    }


def _transport_options(settings: Settings) -> dict[str, Any]:
    """What the broker's transport understands: Redis has to be told what AMQP brings with it."""
    if not settings.broker.startswith(("redis", "rediss", "sentinel", "valkey")):
        return {"confirm_publish": True} if settings.broker.startswith(("amqp", "pyamqp")) else {}
    return {
        "visibility_timeout": 2 * settings.task_seconds,
        "unacked_restore_interval": 5,
        "unacked_restore_throttle": 1,
        "socket_timeout": 30,
        "socket_connect_timeout": 5,
        "health_check_interval": 25,
        "queue_order_strategy": "priority",
    }


def queue_name(environment: str, urgency: str = "interactive") -> str:
    """The Celery queue of an environment: ``interactive`` where a student waits, ``batch`` for regrades."""
    return f"{environment}.{urgency}"


def _spelled(value: object) -> str:
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    if isinstance(value, tuple):
        return "[" + ",".join(f'"{item}"' for item in value) + "]"
    return str(value)


def _masked(name: str, value: object) -> object:
    if isinstance(value, SecretStr):
        return _without_password(value.get_secret_value()) if name.endswith("_url") else "********"
    return str(value) if isinstance(value, Path) else value


def _without_password(url: str) -> str:
    scheme, separator, rest = url.partition("://")
    # Parameters first: a password there may hold an @ as well.
    credentials, at, place = SECRET_PARAMETER.sub(r"\1********", rest).rpartition("@")
    return f"{scheme}{separator}{'********@' if at and credentials else ''}{place}"
