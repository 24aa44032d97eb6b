"""One training conversation."""

from __future__ import annotations

from dataclasses import dataclass

from systems.base import Message


@dataclass(frozen=True)
class Conversation:
    """Messages that end with an answer; the loss counts in full on every answer."""

    messages: tuple[Message, ...]
    skill: str
