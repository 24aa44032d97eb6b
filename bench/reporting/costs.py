"""The account of a run (``cost.json``) as rows, words and a table."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from typing import Any

from bench.records import INVALID, OWN_PRICE
from bench.reporting import numbers
from bench.reporting.measures import quoted
from bench.reporting.rows import Group, by_mode, row
from bench.reporting.table import WIDTH, groups_table

PER_CALL = ("cost_per_call", "cost_per_accepted_answer")
BESIDE = ("retries_per_call", "training", "indexing", "refresh_per_update", "fixed_per_month")


def cost_groups(cost: Mapping[str, Any]) -> list[Group]:
    """The costs of calls, a group per mode, the one to quote first; then a group of what comes beside them."""
    systems = cost["systems"]
    rows = [
        row(name, {system: quoted(found, name) for system, found in systems.items()}, mode="")
        for name in BESIDE
        if any(name in found for found in systems.values())
    ]
    return [*by_mode(systems, PER_CALL), Group(title="", mode="beside the calls", rows=tuple(rows))]


def cost_words(cost: Mapping[str, Any]) -> str:
    """What the account rests on: price, its date and source, and what was declared."""
    price, own = cost["price"], cost["settings"]
    if price["kind"] == "none":
        return "No price was chosen."
    when = "" if price["source"] == OWN_PRICE else f"; {price['date']}"
    said = f"Prices: {price['name']}, {_figures(price)} ({price['source']}{when})."
    told = [f"{own['volume']:,.0f} calls a month"] if own["volume"] else []
    told += [f"{own['updates_per_month']:g} updates a month"] if own["updates_per_month"] is not None else []
    told += [_whose(key, own[key]) for key in ("curation", "build", "operation", "parts") if own[key]]
    declared = f"Declared: {', '.join(told)}." if told else "No volume, updates or costs of your own were declared."
    spread = f"What is spent once is spread over {own['months']:g} month{'s' if own['months'] != 1 else ''}."
    return f"{said} {declared} {spread}"


def _whose(key: str, given: Mapping[str, float] | float) -> str:
    """One figure is that of every system; of those by system, whoever is left out has none."""
    return f"{key} of {' and '.join(given) if isinstance(given, Mapping) else 'every system'}"


def _figures(price: Mapping[str, Any]) -> str:
    if price["kind"] == "api":
        return f"{price['per_million_in']:g} {price['currency']} a million tokens in, {price['per_million_out']:g} out"
    of = f" for {price['cores']} cores" if price["cores"] else ""
    return f"{price['per_hour']:g} {price['currency']} an hour{of}"


def break_even_words(pair: Mapping[str, Any]) -> str:
    """A pair in a sentence, and whose load it should not have rested on."""
    late = pair.get("invalid")
    return f"{_told(pair)}; {INVALID}: the load of {' and '.join(late)}" if late else _told(pair)


def _told(pair: Mapping[str, Any]) -> str:
    a, b, cheaper = pair["a"], pair["b"], pair.get("cheaper")
    ends = f" ({pair['no_interval']})" if pair.get("no_interval") else ""
    other = b if cheaper == a else a
    if pair["verdict"] == "unknown":
        return f"{a} and {b}: not known ({pair['reason']})"
    if pair["verdict"] == "same":
        return f"{a} and {b} cost the same at any volume"
    if pair["verdict"] == "dominated":
        said = f"{cheaper} is cheaper than {other} at any volume"
        if pair["low"] is None:
            return f"{said}{ends}"
        return f"{said}; the intervals leave it open that {other} is, from {_calls(pair['low'])} calls a month on"
    if pair["low"] is not None:
        upper = _calls(pair["high"]) if pair["high"] is not None else "no volume being certain"
        ends = f" ({_calls(pair['low'])} to {upper})"
    return f"{cheaper} is cheaper than {other} above {_calls(pair['volume'])} calls a month{ends}"


def _calls(number: float) -> str:
    """To three figures: no cost is known to more."""
    return f"{float(f'{number:.3g}'):,.0f}" if number >= 100 else f"{number:.3g}"


def cost_table(cost: Mapping[str, Any]) -> str:
    """The account on the terminal."""
    parts = [
        textwrap.fill(cost_words(cost), WIDTH),
        groups_table(cost_groups(cost), list(cost["systems"])),
        "\n".join(textwrap.fill(break_even_words(pair), WIDTH) for pair in cost["break_even"]),
    ]
    return "\n\n".join(part for part in parts if part).replace(numbers.SPACE, " ")
