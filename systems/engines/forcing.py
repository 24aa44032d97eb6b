"""Makes vLLM generate given tokens, so that their log-likelihoods come out as those of generated ones.

vLLM's own log-likelihoods of prompt tokens end the engine where adapters can be attached (0.32: the adapters' part of
the output layer expects a row per request, not per prompt token), and they would leave the prefix cache unused.
The likelihoods it returns are those before tokens are forced (``logprobs_mode=raw_logprobs``, its default).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import torch
from vllm import SamplingParams
from vllm.v1.sample.logits_processor import AdapterLogitsProcessor

KEY = "continuation"
"""Of ``SamplingParams.extra_args``: the tokens."""


class Forced(AdapterLogitsProcessor):
    """Leaves all requests alone but those with a continuation."""

    def is_argmax_invariant(self) -> bool:
        """It changes which token is the likeliest."""
        return False

    def new_req_logits_processor(self, params: SamplingParams) -> Any:
        """What is applied at every step of a request; ``None``: nothing."""
        wanted = (params.extra_args or {}).get(KEY)
        return partial(_force, wanted) if wanted else None


def _force(wanted: Sequence[int], said: Sequence[int], logits: torch.Tensor) -> torch.Tensor:
    """Only the token that is next can be chosen."""
    forced = torch.full_like(logits, float("-inf"))
    forced[wanted[min(len(said), len(wanted) - 1)]] = 0.0
    return forced
