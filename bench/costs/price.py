"""Dated list prices: of a machine by the hour, or of an API by tokens."""

from __future__ import annotations

import datetime
import math
import re
from dataclasses import dataclass
from typing import Literal

from systems.base import UserError

NEEDED = {"machine": ("per_hour",), "api": ("per_million_in", "per_million_out"), "none": ()}
"""Kind of price → the figures it cannot do without."""


@dataclass(frozen=True, kw_only=True)
class Price:
    """A dated list price from ``conf/price``; every figure can be overridden."""

    name: str
    kind: Literal["machine", "api", "none"]
    currency: str = "USD"
    """ISO 4217 code."""
    device: Literal["cpu", "gpu"] | None = None
    """What one device of a ``machine`` is; ``None``: whatever the engine ran on."""
    gpu: str | None = None
    """Words of the GPU's name as its driver tells it (``A100 80GB``); ``None``: any GPU."""
    cores: int | None = None
    """Virtual CPUs of a CPU machine: a run on twice as many is priced as two. ``None``: whatever the run had."""
    devices: int | None = None
    """How many of them a server has that hides its machine; ``None``: one is assumed, and said to be."""
    per_hour: float | None = None
    """Of one device with its share of the machine (``machine``)."""
    per_million_in: float | None = None
    """Of a million prompt tokens (``api``)."""
    per_million_out: float | None = None
    """Of a million answer tokens (``api``)."""
    source: str = ""
    """The page that the price stands on, in words."""
    date: str = ""
    """ISO date the price was known at."""

    def __post_init__(self) -> None:
        if self.kind not in NEEDED:
            raise UserError(f"price.kind={self.kind!r}: must be machine, api or none")
        if self.device not in ("cpu", "gpu", None):
            raise UserError(f"price.device={self.device!r}: must be cpu, gpu or null")
        if not (isinstance(self.currency, str) and re.fullmatch("[A-Z]{3}", self.currency)):
            raise UserError(f"price.currency={self.currency}: must be an ISO 4217 code such as USD")
        if self.cores is not None and not (isinstance(self.cores, int) and self.cores >= 1):
            raise UserError(f"price.cores={self.cores}: must be a whole number of 1 or more, or null")
        if self.devices is not None and not (isinstance(self.devices, int) and self.devices >= 1):
            raise UserError(f"price.devices={self.devices}: must be a whole number of 1 or more, or null")
        for key in ("per_hour", "per_million_in", "per_million_out"):
            value = getattr(self, key)
            if key in NEEDED[self.kind] and value is None:
                raise UserError(f"price.{key} is missing: a price of kind {self.kind} needs it")
            if value is not None and not is_amount(value):
                raise UserError(f"price.{key}={value}: must be a number of 0 or more")
        if self.kind != "none":
            if not (isinstance(self.source, str) and self.source.strip()):
                raise UserError("price.source is missing: say in words where the price stands")
            if not _is_date(self.date):
                raise UserError(f"price.date={self.date!r}: must be an ISO date such as 2025-01-31")


def is_amount(value: object) -> bool:
    """Whether it is a finite number of 0 or more."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value) and value >= 0


def _is_date(value: object) -> bool:
    # The shape too: Python alone would take 20250131 and 2025-W05-5.
    if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", str(value)):
        return False
    try:
        datetime.date.fromisoformat(str(value))
    except ValueError:
        return False
    return True
