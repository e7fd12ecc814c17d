"""Environments: the packages that notebooks run with, as data.

An environment is two files in ``worker/environments``: ``<name>.toml`` (packages, what the warm server
imports, process variables) and ``<name>.txt`` (the exact versions). Its virtual environment is made by
``script/bootstrap``.
"""

from __future__ import annotations

import hashlib
import os
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from worker.errors import SandboxUnavailable

DEFINITIONS = Path(__file__).parent / "environments"
INSIDE = Path(__file__).parent / "inside"


@dataclass(frozen=True)
class Environment:
    """One environment: ``prefix`` is its virtual environment, ``digest`` changes with all that runs in it,
    ``packages`` are those that it promises, with their versions.
    """

    name: str
    digest: str
    prefix: Path
    packages: tuple[str, ...]
    preload: tuple[str, ...]
    variables: dict[str, str]

    @property
    def label(self) -> str:
        """How feedback names it: ``name@sha256:…``."""
        return f"{self.name}@{self.digest}"


def environments_root() -> Path:
    """Where the virtual environments are: ``GRADER_ENVIRONMENTS``, or ``.environments`` beside us."""
    configured = os.environ.get("GRADER_ENVIRONMENTS")
    return Path(configured) if configured else Path(__file__).parent.parent / ".environments"


def known_environments() -> list[str]:
    """The names of all environments that are defined."""
    return sorted(path.stem for path in DEFINITIONS.glob("*.toml"))


def definition_files(name: str) -> tuple[Path, Path]:
    """The two files that define the environment ``name``: what it is, and the versions of its packages."""
    return DEFINITIONS / f"{name}.toml", DEFINITIONS / f"{name}.txt"


def load_environment(name: str, root: Path | None = None) -> Environment:
    """The environment ``name``; raises SandboxUnavailable where it is unknown or not installed."""
    if name not in known_environments():
        known = ", ".join(known_environments())
        raise SandboxUnavailable(f"there is no environment {name!r}; there are: {known}")
    definition, pins = definition_files(name)
    prefix = (root or environments_root()) / name
    if not (prefix / "bin" / "python").exists():
        raise SandboxUnavailable(f"environment {name!r} is not installed at {prefix}: run script/bootstrap")
    fields = tomllib.loads(definition.read_text())
    return Environment(
        name=name,
        digest=_digest(definition, pins),
        prefix=prefix.resolve(),
        packages=tuple(_with_versions(fields["packages"], pins)),
        preload=tuple(fields["preload"]),
        variables=dict(fields.get("variables", {})),
    )


def _with_versions(packages: list[str], pins: Path) -> Iterator[str]:
    lines = [line.partition("==") for line in pins.read_text().splitlines()]
    versions = {_normalised(package): version for package, _, version in lines}
    for package in packages:
        yield f"{package} {versions.get(_normalised(package), '')}".strip()


def _normalised(package: str) -> str:
    """PyPI's rule for names that are the same (PEP 503)."""
    return re.sub(r"[-_.]+", "-", package.strip()).lower()


def _digest(*files: Path) -> str:
    found = hashlib.sha256()
    covered = {path.name: path for path in files}
    covered |= {str(path.relative_to(INSIDE)): path for path in sorted(INSIDE.rglob("*.py"))}
    for name, path in covered.items():
        found.update(name.encode() + b"\0" + path.read_bytes() + b"\0")
    return "sha256:" + found.hexdigest()
