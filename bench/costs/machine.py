"""What something ran on, and whether a price is that of such a machine."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bench.costs.price import Price

WORDS = {"cpu": "a CPU", "gpu": "a GPU", None: "a server whose machine is not known"}


@dataclass(frozen=True, kw_only=True)
class Machine:
    """What an engine, a training or an indexing ran on."""

    ran_on: str | None
    """``cpu`` or ``gpu``; ``None`` where a server hides it."""
    gpus: tuple[str, ...] = ()
    """Names of the GPUs that were there."""
    cores: int | None = None
    devices: int = 1
    """GPUs that were used, or 1."""

    @classmethod
    def of(cls, ran_on: str | None, hardware: Mapping[str, Any], devices: int = 1) -> Machine:
        """By the ``hardware`` of a manifest; what a server hides is not guessed from the client's own."""
        here = hardware if ran_on is not None else {}
        return cls(ran_on=ran_on, gpus=tuple(here.get("gpus", ())), cores=here.get("cores"), devices=devices)

    def refusal(self, price: Price, what: str) -> str | None:
        """Why the price says nothing of this machine, ``what`` being what ran on it; ``None`` where it does."""
        if price.device is None or (self.ran_on is None and price.device == "gpu"):  # a server of the user's own
            return None
        if price.device != self.ran_on:
            return f"price={price.name} is that of {_machine(price)}, but {what} ran on {WORDS[self.ran_on]}"
        if price.device == "gpu" and price.gpu and self.gpus and not any(_is(price.gpu, gpu) for gpu in self.gpus):
            found = self.gpus[0].split(",")[0]
            return f"price={price.name} is that of {_machine(price)}, but {what} ran on {found}"
        return None

    def assumed(self, price: Price) -> bool:
        """Whether nobody said how many devices there were."""
        return self.ran_on is None and price.devices is None

    def count(self, price: Price) -> float:
        """How many of the priced machine (or of its GPUs) were used: list prices of CPUs go by their cores."""
        if self.ran_on is None:
            return price.devices or 1
        if self.ran_on == "cpu" and price.cores and self.cores:
            return self.cores / price.cores
        return self.devices


def _machine(price: Price) -> str:
    return f"a machine with the GPU {price.gpu}" if price.gpu else f"a {str(price.device).upper()} machine"


def _is(wanted: str, name: str) -> bool:
    """Whether every word of ``wanted`` is one of the name's: L4 is no L40S, A100 80GB no A100-SXM4-40GB."""
    return set(wanted.lower().split()) <= set(re.split(r"[^a-z0-9]+", name.lower()))
