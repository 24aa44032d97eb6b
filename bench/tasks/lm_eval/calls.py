"""From lm-eval's requests to a query's calls: prompts word for word, and nothing of what is right."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from systems.base import Call, Message, Sampling, UserError

if TYPE_CHECKING:
    from lm_eval.api.instance import Instance

TOKENS = 256
"""Tokens an answer may have where a task does not say: lm-eval's own default."""


def as_turns(turns: list[dict[str, str]], add_generation_prompt: bool = True) -> str:
    """Stands for a chat template in lm-eval: keeps the turns, so that the template is applied with passages in them."""
    return json.dumps(turns)


def calls(instances: Sequence[Instance], chat: bool, max_tokens: int | None) -> tuple[Call, ...]:
    """The calls of one document. Of each request only its arguments are looked at: its document holds the answer.

    Raises ``UserError`` for kinds of requests that ask nothing.
    """
    found: list[Call] = []
    for one in instances:
        prompt = _prompt(one.args[0], chat)
        if one.request_type == "loglikelihood":
            found.append(Call(prompt=prompt, continuation=one.args[1]))
        elif one.request_type == "generate_until":
            sampling, stop = _settings(one.args[1], max_tokens)
            for number in range(one.repeats or 1):
                found.append(Call(prompt=prompt, sampling=_seeded(sampling, number), stop=stop))
        else:
            raise UserError(
                f"lm-eval task {one.task_name}: asks for the perplexity of texts ({one.request_type}), which no "
                "retrieval can answer; take tasks that generate, score a continuation or choose"
            )
    return tuple(found)


def _prompt(context: str, chat: bool) -> str | tuple[Message, ...]:
    if not chat or not context:  # what a choice is worth without any prompt is asked for by an empty one
        return context
    return tuple(Message(role=turn["role"], content=turn["content"]) for turn in json.loads(context))


def _settings(given: dict[str, Any], max_tokens: int | None) -> tuple[Sampling, tuple[str, ...]]:
    from lm_eval.models.utils import normalize_gen_kwargs

    known = normalize_gen_kwargs(given, TOKENS)
    sampling = Sampling(
        temperature=known.get("temperature", 0.0),
        top_p=known.get("top_p", 1.0),
        max_tokens=max_tokens or known["max_gen_toks"],
    )
    return sampling, tuple(one for one in known["until"] if one)


def _seeded(sampling: Sampling, number: int) -> Sampling:
    """Answers to one prompt that are asked for several times differ by their seed."""
    return replace(sampling, seed=sampling.seed + number)
