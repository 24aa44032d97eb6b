"""The one prompt builder: every system's prompts and all training examples are made here.

Two rules hold (tests/test_prompts.py): taking the context block out of a prompt with retrieval gives
the prompt without retrieval byte for byte, and a training example is a prompt plus its answer.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from systems.base import Call, Chunk, Message, Query, UserError

CITATION = re.compile(r"\[(\d{1,4})\]")
FINAL = "Final answer:"
STEPS = f"First reason step by step. Then write '{FINAL}' and after it the answer alone, in the form asked for."
_FINAL = re.compile(r"[*_#]*(?<![^\W_])final answer[*_ ]*:[*_]*", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class PromptBuilder:
    """How a query and its passages become messages.

    ``guidance`` and ``schema`` put the task's advice and JSON Schema into the system message, ``shots``
    is the number of solved examples shown as earlier turns. The short prompt has none of the three.
    ``reasoning`` asks for the steps before the answer (chain of thought: Wei et al. 2022), at the end of the system
    message; solved examples then show their answers in the form asked for, without steps.
    """

    name: str = "short"
    guidance: bool = False
    schema: bool = False
    shots: int = 0
    reasoning: bool = False
    reasoning_tokens: int = 256
    """Tokens that the steps may take, on top of the answer's."""

    def __post_init__(self) -> None:
        if self.shots < 0:
            raise UserError(f"prompt.shots={self.shots}: must be 0 or more")
        if self.reasoning_tokens < 1:
            raise UserError(f"prompt.reasoning_tokens={self.reasoning_tokens}: must be 1 or more")

    def messages(self, query: Query, passages: Sequence[Chunk] = ()) -> tuple[Message, ...]:
        """The conversation up to the answer that is asked for."""
        system = self._system(query)
        turns = [Message(role="system", content=system)] if system else []
        for example in query.examples[: self.shots]:
            turns.append(Message(role="user", content=example.query))
            answer = f"{FINAL} {example.answer}" if self.reasoning else example.answer
            turns.append(Message(role="assistant", content=answer))
        turns.append(Message(role="user", content=context_block(passages) + query.text))
        return tuple(turns)

    def call(self, call: Call, passages: Sequence[Chunk] = ()) -> str | tuple[Message, ...]:
        """A benchmark's own prompt, with the passages before it: before the text, or in the first user turn."""
        block = context_block(passages)
        if isinstance(call.prompt, str):
            return block + call.prompt
        turns = list(call.prompt)
        first = next((at for at, turn in enumerate(turns) if turn.role == "user"), None)
        if first is None:
            return (*turns, Message(role="user", content=block)) if block else tuple(turns)
        turns[first] = Message(role="user", content=block + turns[first].content)
        return tuple(turns)

    def max_tokens(self, query: Query) -> int:
        """The most tokens that may be generated: those of the answer, and those of the steps before it."""
        return query.max_tokens + (self.reasoning_tokens if self.reasoning else 0)

    def split(self, text: str) -> tuple[str, str]:
        """What was generated as steps and answer: the answer is what follows the last ``FINAL``.

        Where none was written, or none asked for, all of it is the answer and is scored as it is.
        """
        marks = list(_FINAL.finditer(text)) if self.reasoning else []
        return (text[: marks[-1].start()].strip(), text[marks[-1].end() :].strip()) if marks else ("", text)

    def _system(self, query: Query) -> str:
        parts = [query.instruction]
        if self.guidance and query.guidance:
            parts.append(query.guidance)
        if self.schema and query.schema is not None:
            parts.append("JSON Schema of the answer: " + compact_schema(query.schema))
        if self.reasoning:
            parts.append(STEPS)
        return "\n".join(part for part in parts if part)


def context_block(passages: Sequence[Chunk]) -> str:
    """The passages as they stand in a prompt, numbered from 1, before the question; empty without any."""
    if not passages:
        return ""
    return "Passages:\n" + "\n".join(passage(number, chunk) for number, chunk in enumerate(passages, 1)) + "\n\n"


def passage(number: int, chunk: Chunk) -> str:
    """One numbered passage."""
    title = f"{chunk.title}: " if chunk.title else ""
    return f"[{number}] {title}{chunk.text}"


def compact_schema(schema: Mapping[str, Any]) -> str:
    """The schema on one line, without the keys that only tools read."""
    return json.dumps({k: v for k, v in schema.items() if k not in ("$schema", "$id", "title")}, ensure_ascii=False)


def citations(text: str) -> tuple[int, ...]:
    """Numbers cited as ``[2]`` in an answer, in order, each once."""
    return tuple(dict.fromkeys(int(number) for number in CITATION.findall(text)))
