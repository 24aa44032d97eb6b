"""Whether the base model may have been trained on the suite itself: probes on the model, before anything is scored.

Two signs, each against what chance would give, neither a proof. *Continuation*: given the first half of a question as
raw text, the model goes on with the rest verbatim, more often than with the rest of some other question (after Golchin
and Surdeanu 2023, arXiv 2308.08493). *Order*: where a sample has options, the model finds them likeliest in the order
of the data set, more often than one in as many orders as were tried (Oren et al. 2023, arXiv 2310.17623; Ni et al.
2024, arXiv 2409.01790). Options in a natural order (rising numbers, "none of the above" last) look the same.
"""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scipy.stats import binomtest

from bench.assembly import Assembly
from bench.journal import write_atomically
from bench.metrics.text import normalise
from bench.progress import say
from bench.records import Sample
from bench.stats import holm, mcnemar_exact
from systems.base import Completion, Generator, Request, Sampling
from systems.model import Model

HUB_PROBES = 100
"""Samples probed where the model comes from a hub and the config does not say."""
VERBATIM = 5
"""Words that have to follow each other as in the question."""
LEAST_WORDS = 4 + VERBATIM
"""Words of a question, its first half at least four, that can be continued at all."""
ORDERS = 4
"""Orders of the options that are tried, the data set's among them."""
LEVEL = 0.05


@dataclass(frozen=True, kw_only=True)
class Probe:
    """How often one sign was seen, and how often chance would show it."""

    sign: str
    seen: int
    of: int
    chance: float
    p_value: float

    def finding(self, adjusted: float) -> dict[str, Any]:
        """For the report: a warning where chance does not explain it."""
        shown = adjusted < LEVEL and self.seen / self.of > self.chance
        words = (
            f"{self.sign}: {self.seen} of {self.of} samples, by chance {100 * self.chance:.0f} % (p = {adjusted:.2g})"
        )
        lead = "the base model may have been trained on this suite" if shown else "no sign of training on this suite"
        return {"level": "warning" if shown else "note", "text": f"Probe of the model, {lead}; {words}"}


def continuation(samples: Sequence[Sample], model: Model, engine: Generator, rng: random.Random) -> Probe | None:
    """Whether questions are continued verbatim; the baseline are the rests of the same questions, shuffled."""
    halves: list[tuple[str, str]] = []
    for sample in samples:
        words = sample.query.text.split()
        if len(words) >= LEAST_WORDS:
            middle = min(len(words) // 2, len(words) - VERBATIM)
            halves.append((" ".join(words[:middle]), " ".join(words[middle:])))
    if len(halves) < 2:
        return None
    asked = [
        Request(messages=(), text=first, token_ids=tuple(model.encode_text(first)), sampling=Sampling(max_tokens=32))
        for first, _ in halves
    ]
    said = dict(engine.generate(asked))
    # Every rest meets another question's beginning: moved on by one along a random order.
    order = rng.sample(range(len(halves)), len(halves))
    other = {at: halves[order[(place + 1) % len(order)]][1] for place, at in enumerate(order)}
    answered = [at for at in range(len(halves)) if said[at].error is None]
    own = [_verbatim(said[at], halves[at][1]) for at in answered]
    shuffled = [_verbatim(said[at], other[at]) for at in answered]
    if not answered:
        return None
    only_own = sum(a and not b for a, b in zip(own, shuffled, strict=True))
    only_other = sum(b and not a for a, b in zip(own, shuffled, strict=True))
    return Probe(
        sign=f"{VERBATIM} words of the rest of a question continued verbatim",
        seen=sum(own),
        of=len(answered),
        chance=sum(shuffled) / len(answered),
        p_value=mcnemar_exact(only_own, only_other),
    )


def _verbatim(completion: Completion, rest: str) -> bool:
    wanted = normalise(rest).split()[:VERBATIM]
    return bool(wanted) and normalise(completion.text).split()[: len(wanted)] == wanted


def order(samples: Sequence[Sample], model: Model, engine: Generator, rng: random.Random) -> Probe | None:
    """Whether options are likeliest as the data set lists them. ``None`` where there are none, or no likelihoods."""
    if not getattr(engine, "likelihoods", False):
        return None
    asked: list[Request] = []
    owners: list[tuple[int, int]] = []
    for number, sample in enumerate(samples):
        options = [call.continuation.strip() for call in sample.query.calls if call.continuation]
        if len(set(options)) < 3:  # two options have two orders, of which either may be natural
            continue
        tried = [options]
        while len(tried) < ORDERS:
            if (shuffled := rng.sample(options, len(options))) not in tried:
                tried.append(shuffled)
        for place, one in enumerate(tried):
            prompt, listed = model.encode_pair(sample.query.text, "\n" + "\n".join(one))
            asked.append(Request(messages=(), sampling=Sampling(), token_ids=tuple(prompt), continuation=tuple(listed)))
            owners.append((number, place))
    likely: dict[int, dict[int, float]] = {}
    for index, completion in engine.generate(asked):
        if completion.likelihood is not None:
            number, place = owners[index]
            likely.setdefault(number, {})[place] = completion.likelihood.log_likelihood
    whole = [values for values in likely.values() if len(values) == ORDERS]
    if not whole:
        return None
    seen = sum(values[0] > max(value for place, value in values.items() if place) for values in whole)
    chance = 1 / ORDERS
    p_value = float(binomtest(seen, len(whole), chance, alternative="greater").pvalue)
    return Probe(sign="options likeliest in their own order", seen=seen, of=len(whole), chance=chance, p_value=p_value)


def wanted(assembly: Assembly) -> int:
    """Samples to probe on: as the config says, else some for a model of a hub and none for a directory."""
    given = assembly.config.probes
    return int(given) if given is not None else 0 if Path(assembly.model.path).is_dir() else HUB_PROBES


def probe(assembly: Assembly) -> None:
    """Probe the base model once per run, and add what is found to the manifest's findings."""
    done = assembly.workspace.path / "probes.json"
    if done.exists() or not (count := wanted(assembly)):
        return
    rng = random.Random(f"probes-{assembly.config.seed}")
    samples = rng.sample(assembly.samples, min(count, len(assembly.samples)))
    say(f"probing {assembly.model.name} on {len(samples)} samples")
    assembly.engine.start()
    tried = [one(samples, assembly.model, assembly.engine, rng) for one in (continuation, order)]
    found = [one for one in tried if one is not None]
    adjusted = holm([one.p_value for one in found])
    findings = [one.finding(p) for one, p in zip(found, adjusted, strict=True)]
    known = assembly.workspace.read_manifest().get("findings", [])
    assembly.workspace.update_manifest(findings=[*known, *(one for one in findings if one not in known)])
    write_atomically(done, json.dumps([vars(one) for one in found], indent=1) + "\n")
