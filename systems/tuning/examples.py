"""Training examples: a prompt of the one prompt builder and the answer to learn."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
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
    """Examples as the engine will see them. One that is longer than ``max_tokens`` loses its last passages."""
    end = model.tokenizer.eos_token_id
    for lesson in examples:
        completion = (*model.tokenizer(lesson.answer, add_special_tokens=False)["input_ids"], end)
        passages: Sequence[Chunk] = lesson.passages
        while True:
            prompt = tuple(model.encode(builder.messages(lesson.query, passages)))
            if len(prompt) + len(completion) <= max_tokens or not passages:
                break
            passages = passages[:-1]
        if len(prompt) + len(completion) <= max_tokens:
            yield TokenExample(prompt, completion)
