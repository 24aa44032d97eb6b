"""What a probe is told and what it says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

from systems.base import UserError


class State(StrEnum):
    """How something is here."""

    OK = "ok"
    MISSING = "missing"
    BROKEN = "broken"
    NOT_NEEDED = "not needed"


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One row: how something is, what was found, and what would put it right."""

    name: str
    state: State
    found: str
    fix: str = ""
    """One line, as a command where one does it; empty where nothing has to be done."""
    needed: bool = False
    """Whether the run that the config describes cannot do without it."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What ``conf/doctor.yaml`` sets."""

    patience: float = 5.0
    """Seconds that anything on a network may take to answer."""
    limit: float = 60.0
    """Seconds that a probe may take in all."""
    deep_limit: float = 300.0
    """Seconds that starting the engine may take."""
    free_gib: float = 2.0
    """Room that has to be left where results and builds are written."""
    memory_gib: float = 4.0
    """Memory that has to be left: vLLM takes three with the pocket model."""

    def __post_init__(self) -> None:
        for key in ("patience", "limit", "deep_limit"):
            if getattr(self, key) <= 0:
                raise UserError(f"{key}={getattr(self, key)}: must be more than 0")


@dataclass(frozen=True, kw_only=True)
class About:
    """All that a probe is told."""

    settings: Settings = field(default_factory=Settings)
    config: Mapping[str, Any] = field(default_factory=dict)
    """The resolved config of the run that is to be possible; empty where none can be composed."""
    deep: bool = False
    """Start the engine too."""

    def part(self, name: str) -> Mapping[str, Any]:
        """A group of the config, empty where there is none."""
        found = self.config.get(name)
        return found if isinstance(found, Mapping) else {}


class Probe(Protocol):
    """A module of this package that looks at one thing. Whatever it raises is a finding too."""

    NAME: str
    ESSENTIAL: bool
    """Whether any run needs it: for when it comes to no result."""

    def look(self, about: About) -> Sequence[Finding]:
        """The rows, in order."""
        ...
