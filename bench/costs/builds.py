"""What one training and one indexing cost, from the build's own records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Literal

from bench.costs.machine import Machine
from bench.costs.price import Price
from bench.records import Estimate

Need = Literal["indexing", "training"]
"""What a system has to have built, and built again when knowledge changes."""


def needs(node: Mapping[str, Any]) -> tuple[Need, ...]:
    """By a system's config: retrieval needs an index, tuned weights a training, both need both, a prompt neither."""
    found: list[Need] = []
    if "retriever" in node:
        found.append("indexing")
    if node.get("adapter") is not None:
        found.append("training")
    return tuple(found)


def training_cost(price: Price, record: Mapping[str, Any] | None) -> Estimate:
    """Seconds of the training × price. ``record``: the adapter's, in the manifest's ``build``."""
    if not record or "seconds" not in record:
        return _missing(price, "training", "the run has no record of a training")
    ran_on = {"cuda": "gpu", "cpu": "cpu"}.get(str(record.get("device")))
    machine = Machine.of(ran_on, record.get("made", {}).get("hardware", {}), int(record.get("processes", 1)))
    return _priced(price, "training", float(record["seconds"]), machine, int(record["seconds"] > 0))


def indexing_cost(price: Price, record: Mapping[str, Any] | None) -> Estimate:
    """Seconds of a whole indexing × price. ``record``: the index's, in the manifest's ``build``."""
    known = record or {}
    made = known.get("made") or {}
    for what, count in (("embedded", made.get("cached")), ("indexed", made.get("kept"))):
        if count:
            reason = f"{count} of {known['chunks']} chunks were {what} before, so the whole was not timed"
            return _missing(price, "indexing", reason)
    return reindexing_cost(price, record)


def reindexing_cost(price: Price, record: Mapping[str, Any] | None) -> Estimate:
    """Seconds of an indexing × price, whatever part of the corpus it embedded and wrote."""
    if not record:
        return _missing(price, "indexing", "the run has no record of an indexing")
    made = record.get("made")
    if not made:
        return _missing(price, "indexing", "the index was there, and nothing says what building it took")
    if record.get("engine") == "qdrant-server":
        return _missing(price, "indexing", "the index was built on a server whose machine is not known")
    machine = Machine.of(made["ran_on"], made["hardware"])
    if machine.ran_on == "cpu" and machine.gpus and price.device == "gpu":
        machine = replace(machine, ran_on="gpu")  # the CPUs of a machine that is rented for its GPU
    return _priced(price, "indexing", float(made["seconds"]), machine, int(record["chunks"]))


def _priced(price: Price, what: Need, seconds: float, machine: Machine, n: int) -> Estimate:
    if price.kind != "machine" or price.per_hour is None:
        return _missing(price, what, f"price={price.name} is by tokens, and says nothing of machines")
    if refusal := machine.refusal(price, f"the {what}"):
        return _missing(price, what, refusal)
    cost = seconds / 3600 * price.per_hour * machine.count(price)
    mode = f"{seconds:g} s at {price.name} prices"
    return Estimate(estimate=cost, low=None, high=None, n=n, unit=f"{price.currency} per {what}", mode=mode)


def _missing(price: Price, what: Need, reason: str) -> Estimate:
    reason = f"{reason}: put in your own, {what}=AMOUNT"
    return Estimate(estimate=None, low=None, high=None, n=0, unit=f"{price.currency} per {what}", reason=reason)
