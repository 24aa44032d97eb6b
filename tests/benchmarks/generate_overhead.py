"""Generation through the harness, with its journal and without, beside bare ``LLM.generate`` on the same token ids."""

from __future__ import annotations

import gc
import statistics
import sys
import time

from bench.begin import planned
from bench.generate import answer
from bench.journal import Journal, read
from bench.pocket import WEIGHTS
from bench.tasks.company.facts import Facts
from bench.world.company import found
from systems.engines.vllm import VllmEngine
from systems.model import Model
from systems.prompted import Prompted
from systems.prompts import PromptBuilder
from tests.benchmarks.demo import fresh
from tests.benchmarks.record import Figure, show

PROMPTS = 600
REPEATS = 31


def main() -> None:
    from vllm import SamplingParams

    model = Model(name="pocket", path=str(WEIGHTS), context_tokens=1536)
    engine = VllmEngine(model=model, adapters=False)
    task = Facts(name="facts", metrics=(), world=found(3, entities=150), count=PROMPTS)
    samples = task.samples("test")
    system = Prompted(name="prompt", model=model, engine=engine, prompt=PromptBuilder(shots=2))
    prepared = [system.prepare(sample.query) for sample in samples]
    ids = [{"prompt_token_ids": model.encode(item.request.messages)} for item in prepared]
    settings = SamplingParams(temperature=0.0, max_tokens=24)
    keys = planned(["prompt"], samples, 1)
    root = fresh()
    tokens: dict[str, int] = {}

    def bare() -> float:
        engine.reset_prefix_cache()
        started = time.perf_counter()
        found = engine.llm.generate(ids, settings, use_tqdm=False)
        took = time.perf_counter() - started
        tokens["bare"] = sum(len(one.outputs[0].token_ids) for one in found)
        return took

    def without() -> float:
        engine.reset_prefix_cache()
        started = time.perf_counter()
        found = list(system.respond(prepared))
        took = time.perf_counter() - started
        tokens["without"] = sum(one.tokens_out for _, one in found)
        return took

    def harness() -> float:
        engine.reset_prefix_cache()
        path = root / f"{time.monotonic_ns()}.jsonl"
        started = time.perf_counter()
        with Journal(path) as journal:
            answer(system, keys, prepared, journal)
        took = time.perf_counter() - started
        tokens["harness"] = sum(record["tokens_out"] for record in read(path))
        return took

    ways = (bare, without, harness)
    for way in ways:
        way()
    if len(set(tokens.values())) != 1:
        sys.exit(f"not the same answers: tokens {tokens}")
    ratios: dict[str, list[float]] = {"without": [], "harness": []}
    for number in range(REPEATS):
        took = {}
        for way in (ways[(number + at) % 3] for at in range(3)):  # in turn, so that drift favours none
            gc.collect()  # none clears away after another
            took[way.__name__] = way()
        for name, taken in ratios.items():
            taken.append(took[name] / took["bare"])
    engine.close()
    show(
        "generate_overhead",
        REPEATS,
        [
            Figure("without journal / bare", statistics.median(ratios["without"]), "ratio", "<= 1.03"),
            Figure("with journal / bare", statistics.median(ratios["harness"]), "ratio", "<= 1.05"),
            Figure("with journal, smallest ratio", min(ratios["harness"]), "ratio"),
            Figure("with journal, largest ratio", max(ratios["harness"]), "ratio"),
            Figure("prompts", PROMPTS, "count", ">= 500"),
            Figure("tokens generated, each way", tokens["bare"], "count"),
        ],
    )


if __name__ == "__main__":
    main()
