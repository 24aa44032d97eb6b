"""``bench load``: the same queries again under declared load, to measure latency and throughput.

Here: the closed loop, a fixed number of users who each ask again as soon as they have their answer. Its
latencies hide queueing by construction, so its mode is named wherever they are shown.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from bench.assembly import Assembly
from bench.begin import begin
from bench.build import Built, ready
from bench.config import compose
from bench.journal import Journal
from bench.progress import Progress
from bench.records import Sample
from systems.base import Prepared, System, UserError


@dataclass(frozen=True, kw_only=True)
class ClosedLoop:
    """``concurrency`` users, ``requests`` measured answers per system after ``warm_up`` others."""

    concurrency: int = 4
    requests: int = 60
    warm_up: int = 8
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("concurrency", "requests"):
            if getattr(self, name) < 1:
                raise UserError(f"load.{name}={getattr(self, name)}: must be 1 or more")

    def mode(self, samples: Sequence[Sample], cold: bool) -> str:
        """How latencies were taken; ``cold``: earlier prefixes were forgotten."""
        cache = "prefix cache cold" if cold else "prefix cache of the server, not reset"
        chosen = [(sample.task, sample.id) for sample in self.choose(samples)]
        repeated = "" if len(set(chosen)) == len(chosen) else ", prompts repeated"
        return (
            f"closed loop, {self.concurrency} at once, {cache}, adapter per request, "
            f"retrieval in the engine's own loop{repeated}"
        )

    def choose(self, samples: Sequence[Sample]) -> list[Sample]:
        """Queries of all tasks in turn, so that every system gets the same mixture; warm-up first."""
        rng = random.Random(f"load-{self.seed}")
        by_task: dict[str, list[Sample]] = {}
        for sample in samples:
            by_task.setdefault(sample.task, []).append(sample)
        for members in by_task.values():
            rng.shuffle(members)
        wanted = self.warm_up + self.requests
        chosen: list[Sample] = []
        turn = 0
        while len(chosen) < wanted:
            for members in by_task.values():
                chosen.append(members[turn % len(members)])
            turn += 1
        return chosen[:wanted]

    def run(self, system: System, engine: Any, samples: Sequence[Sample]) -> Iterator[dict[str, Any]]:
        """A record per measured request, as each finishes."""
        chosen = self.choose(samples)
        warm, measured = chosen[: self.warm_up], chosen[self.warm_up :]
        for _ in system.respond((system.prepare(sample.query) for sample in warm), self.concurrency):
            pass
        engine.reset_prefix_cache()
        started = time.perf_counter()

        def arriving() -> Iterator[Prepared]:
            for sample in measured:
                yield system.prepare(sample.query)

        for index, answer in system.respond(arriving(), self.concurrency):
            yield {
                "task": measured[index].task,
                "sample": measured[index].id,
                "number": index,
                "timings": {stage: round(value, 6) for stage, value in answer.timings.items()},
                "tokens_in": answer.tokens_in,
                "tokens_out": answer.tokens_out,
                "error": answer.error,
                "finished": round(time.perf_counter() - started, 6),
            }


@dataclass(frozen=True, kw_only=True)
class NoLoad:
    """No load is run."""

    requests: int = 0

    def mode(self, samples: Sequence[Sample], cold: bool) -> str:
        return "none"

    def run(self, system: System, engine: Any, samples: Sequence[Sample]) -> Iterator[dict[str, Any]]:
        return iter(())


def load_all(assembly: Assembly, built: Built, journal: Journal) -> None:
    """Load every system that has not been loaded in full; a half-measured one is measured anew."""
    from bench.config import build

    load = build(assembly.config.load)
    if load.requests == 0:
        return
    counts: dict[tuple[str, int], int] = {}
    for record in journal.records:
        key = record["system"], record["attempt"]
        counts[key] = counts.get(key, 0) + 1
    finished = {system for (system, _), count in counts.items() if count >= load.requests}
    owed = [name for name in assembly.system_nodes if name not in finished]
    if not owed:
        return
    samples = assembly.samples
    assembly.engine.start()  # where nobody answers, that is said now, and not journaled as so many failed calls
    mode = load.mode(samples, cold=assembly.engine.reset_prefix_cache())
    for name in owed:
        attempt = 1 + max((a for (system, a) in counts if system == name), default=0)
        system = assembly.system(name, index=built.index, adapter=built.adapters.get(name))
        with Progress(f"{name}: {mode}", load.requests) as progress:
            for record in load.run(system, assembly.engine, samples):
                journal.append({**record, "system": name, "attempt": attempt, "mode": mode})
                progress.step()


def main(arguments: list[str]) -> int:
    """Load the systems of a config; what is missing is built first."""
    assembly = Assembly(compose(arguments))
    begin(assembly)
    with ready(assembly) as built, Journal(assembly.workspace.load) as journal:
        load_all(assembly, built, journal)
    print(assembly.workspace.path)
    return 0
