"""Training examples: a prompt of the one prompt builder and the answer to learn."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from systems.base import Chunk, Query
from systems.model import Model
from systems.prompts import PromptBuilder


@dataclass(frozen=True, kw_only=True)
class TrainingExample:
    """Something to learn: a query, the passages that stand with it (none: closed book), and its answer."""

    query: Query
    answer: str
    passages: tuple[Chunk, ...] = ()
    skill: str = ""
    """Names the task, for the training log."""


@dataclass(frozen=True)
class TokenExample:
    """A lesson as tokens; the loss counts on ``completion`` alone."""

    prompt: tuple[int, ...]
    completion: tuple[int, ...]


def token_examples(
    examples: Iterable[TrainingExample], builder: PromptBuilder, model: Model, max_tokens: int
) -> Iterator[TokenExample]:
    """Examples as the engine will see them; those longer than ``max_tokens`` are left out.

    They are not cut: an answer may cite a passage that would be gone.
    """
    end = model.tokenizer.eos_token_id
    for lesson in examples:
        if lesson.query.calls:
            own = builder.call(lesson.query.calls[0], lesson.passages)
            prompt, answer = model.encode_pair(own, lesson.answer)
        else:
            prompt = model.encode(builder.messages(lesson.query, lesson.passages))
            answer = model.tokenizer(lesson.answer, add_special_tokens=False)["input_ids"]
        if len(prompt) + len(answer) + 1 <= max_tokens:
            yield TokenExample(tuple(prompt), (*answer, end))
