"""What a run has to share with its claim's experiment, before the figures of others can be held to it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from bench.config import compose, resolved
from bench.publishing.claim import Claim
from bench.publishing.portable import PLACES, flat

PARTS = ("model", "suite")
STUB = "systems.engines.stub.StubEngine"


def other_than_claimed(claim: Claim, config: Mapping[str, Any]) -> Iterator[str]:
    """What is not as the experiment has it: another model, another suite (by the first setting), or no model at all.

    ``config``: resolved. Where files lie says nothing of what is in them.
    """
    experiment = resolved(compose([f"experiment={claim.experiment}", f"seed={config['seed']}"]))
    for part in PARTS:
        known, now = (dict(flat(one[part], f"{part}.")) for one in (experiment, config))
        for key in {**known, **now}:
            if known.get(key) != now.get(key) and key not in claim.needs and key.rpartition(".")[2] not in PLACES:
                yield f"{key}={now.get(key)}: the claim is of {known.get(key)}"
                break
    if asks_none(config) and not asks_none(experiment):
        yield "engine=stub: asks no model, and the claim is of one"


def asks_none(config: Mapping[str, Any]) -> bool:
    """Whether known answers stand in for a model's."""
    return bool(config["engine"]["_target_"] == STUB)
